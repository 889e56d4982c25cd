#!/bin/sh
# Records 200 writes of io_uring into allocated blocks, one and eight at a time, on 6.1,
# which refuses every first try, and on 6.12, which refuses none: analyze/whatif/testdata/tries.
# The disk takes 5 ms for each, and the guest's clock counts instructions.
#
#   scripts/whatif-tries.sh BIN [DIR]
set -eu
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
out=$(realpath "${2:-analyze/whatif/testdata/tries}")
share=$(mktemp -d)
trap 'rm -r "$share"' EXIT
cat >"$share/tries.sh" <<'END'
set -eu
for depth in 1 8; do
	ext4dio-trace record -o "/out/$1-depth-$depth.e4d" -- fio --name=tries --filename=/mnt/tries-$depth --size=2m \
		--ioengine=io_uring --iodepth=$depth --rw=write --bs=4k --direct=1 --number_ios=200 --fallocate=native
done
END
for kernel in bookworm:linux-6.1 trixie:linux-6.12; do
	"$bin" vm --kernel debian:${kernel%%:*} --smp 1 --count-instructions --null-blk 512M --latency 5ms \
		--share "$share" --out "$out" --bin fio -- exec -- sh /share/tries.sh ${kernel##*:}
done
go test ./analyze/whatif -count 1 -v -run '^TestTries$'
