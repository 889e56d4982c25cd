#!/bin/sh
# generate-check.sh: the committed BPF objects and their Go are what clang-14
# makes of bpf/ now. Works on a copy, so that a failure changes nothing.
set -eu
cd "$(dirname "$0")/.."
if ! command -v clang-14 >/dev/null 2>&1; then
	# Other versions give other bytes; Debian 13 has none.
	echo "generate-check: skipped: there is no clang-14 here" >&2
	[ -z "${CI-}" ]
	exit
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/old"
cp probes/*_bpfel.* "$tmp/old/"
go generate ./probes
for f in probes/*_bpfel.*; do
	cmp -s "$f" "$tmp/old/${f##*/}" || changed="${changed-} $f"
done
cp "$tmp"/old/* probes/
if [ -n "${changed-}" ]; then
	echo "generate-check: not what 'make generate' makes:$changed" >&2
	exit 1
fi
echo "generated files are up to date"
