#!/bin/sh
# need.sh PACKAGE=PROGRAM...: installs the Debian packages whose programs are
# missing, by exact name, with sudo where not root, and says so first.
set -eu
missing=
for pair in "$@"; do
	program=${pair#*=}
	PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1 || missing="$missing ${pair%%=*}"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
	echo "need.sh: missing:$missing (Debian package names); install them and try again" >&2
	exit 3
fi
as=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || { echo "need.sh: missing:$missing; run as root: apt-get install$missing" >&2; exit 3; }
	as=sudo
fi
echo "installing Debian packages:$missing"
# The lists may be absent or old on a fresh machine.
$as apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends $missing >/dev/null
