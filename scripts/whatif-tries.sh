#!/bin/sh
# Records what prove/matrix/testdata/tries.sh writes, on 6.1 and on 6.12, for
# analyze/whatif/testdata/tries. The disk takes 5 ms for each write, and the guest's clock
# counts instructions, so that it does not matter what else this machine does.
#
#   scripts/whatif-tries.sh BIN [DIR]
set -eu
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
out=$(realpath "${2:-analyze/whatif/testdata/tries}")
for kernel in bookworm:linux-6.1 trixie:linux-6.12; do
	"$bin" vm --kernel debian:${kernel%%:*} --smp 1 --count-instructions --null-blk 512M --latency 5ms \
		--share prove/matrix/testdata --out "$out" --bin fio -- exec -- sh /share/tries.sh ${kernel##*:}
done
go test ./analyze/whatif -count 1 -v -run '^TestTries$'
