#!/bin/sh
# generate-check.sh: every generated file is what "make generate" makes of its sources
# now. That runs in a copy of the tree, so that whatever becomes of it changes nothing here.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$tmp/old"
# All that would be committed: tracked files as they are now, and new ones.
git ls-files -z --cached --others --exclude-standard --deduplicate |
	xargs -0 sh -c 'for f; do [ ! -e "$f" ] && [ ! -h "$f" ] || printf "%s\0" "$f"; done' sh |
	tar -c --null --files-from=- | tar -x -C "$tmp/old"
cp -a "$tmp/old" "$tmp/new"
skip=
if ! command -v clang-14 >/dev/null 2>&1; then
	# Other versions give other bytes; Debian 13 has none.
	skip=bpf2go
	echo "generate-check: BPF objects are not checked: there is no clang-14 here" >&2
fi
make -s -C "$tmp/new" generate GENERATE_FLAGS="${skip:+-skip $skip}"
if ! (cd "$tmp" && diff -rq old new) >"$tmp/changed"; then
	echo "generate-check: not what 'make generate' makes:" >&2
	sed -E 's#^Files old/(.*) and new/.* differ$#\1#; s#^Only in new(/?.*): (.*)$#.\1/\2 is not there#' "$tmp/changed" >&2
	exit 1
fi
[ -z "$skip" ] || [ -z "${CI-}" ]
echo "generated files are up to date"
