#!/bin/sh
# Records the same writes before, in between and after the series, and sets what whatif
# predicts from the first of them beside what the others did. The kernels come from
# EXT4DIO_KERNELS. The guest's clock counts instructions, so that it does not matter what
# else this machine does. It takes about two minutes for each kernel.
#
#   scripts/whatif-series.sh BIN [DIR]
set -eu
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
out=${2:-analyze/whatif/testdata/series}
kernels=${EXT4DIO_KERNELS:?where the kernels of the series are}
share=$(mktemp -d)
trap 'rm -r "$share"' EXIT
CGO_ENABLED=0 go build -o "$share/mixload" ./analyze/whatif/testdata/mixload
cp scripts/whatif-guest.sh "$share"
for kernel in base patch3 patch4; do
	mkdir -p "$out/$kernel"
	"$bin" vm --kernel "$kernels/series-$kernel.bzImage" --smp 1 --count-instructions \
		--null-blk 512M --latency 5ms --timeout 15m --share "$share" --out "$out/$kernel" \
		-- exec -- sh /share/whatif-guest.sh
done
WHATIF_SERIES=$(realpath "$out") go test ./analyze/whatif -count 1 -v -run TestSeries
