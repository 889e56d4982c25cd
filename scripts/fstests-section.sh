#!/bin/sh
# Records what a run of fstests writes, and tells a line for each test: its writes, their locks,
# the ways that no test before it went, and disagreements. ./check is not changed: it says in the
# kernel's log which test begins. The status is that of `ext4dio-trace check`: 1 a disagreement,
# 4 not all was seen; where that is 0, the status of ./check. Run it in the folder of fstests, as root.
#
#   fstests-section.sh FILE ./check [arguments]     such as: run.e4d ./check -s ext4_4k -g quick
set -eu
if [ $# -lt 2 ]; then
	echo "usage: $0 FILE ./check [arguments]" >&2
	exit 2
fi
out=$1
shift
status=0
failed=$out.status # of ./check
trap 'rm -f "$failed" 2>/dev/null || :' EXIT
echo 0 >"$failed"
# All processes: tests write through loop devices, too.
ext4dio-trace record -o "$out" --all --mark-from kmsg -- \
	sh -c 'to=$1; shift; "$@"; status=$?; echo $status >"$to"; exit $status' sh "$failed" "$@" || status=$?
case $status in
0 | 4) ;; # with losses: what was recorded is told, and check says what is missing
*) exit $status ;;
esac
ext4dio-trace coverage --by mark "$out" || true # no write counts: check says so, too
ext4dio-trace check "$out" >/dev/null
read -r status <"$failed"
exit "$status"
