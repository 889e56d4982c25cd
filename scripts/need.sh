#!/bin/sh
# need.sh PACKAGE=PROGRAM...: installs the Debian packages whose programs are
# missing, by exact name, with sudo where not root, and says so first. In place of
# a program a file can be named by its path. With a question mark before it, a
# package that this Debian does not have is left out.
set -eu
PATH=$PATH:/usr/sbin:/sbin
missing=
for pair in "$@"; do
	case ${pair#*=} in
	/*) [ -f "${pair#*=}" ] ;;
	*) command -v "${pair#*=}" >/dev/null 2>&1 ;;
	esac || missing="$missing ${pair%%=*}"
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
# The lists may be absent or old on a fresh machine.
$as apt-get update -qq
install=
for package in $missing; do
	case $package in
	\?*)
		package=${package#\?}
		apt-cache show "$package" >/dev/null 2>&1 || { echo "this Debian has no package $package; going on without"; continue; }
		;;
	esac
	install="$install $package"
done
[ -n "$install" ] || exit 0
echo "installing Debian packages:$install"
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends $install >/dev/null
