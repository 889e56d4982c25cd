#!/bin/sh
# Records the same work by a program before and after a change, and sets what whatif
# predicts from the first beside what the second did. The kernels come from EXT4DIO_KERNELS.
# The guest's clock counts instructions, so that it does not matter what else this machine
# does. It takes about four minutes.
#
#   scripts/whatif-app.sh BIN [DIR]
set -eu
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
out=${2:-analyze/whatif/testdata/app}
kernels=${EXT4DIO_KERNELS:?where the kernels of the series are}
share=$(mktemp -d)
trap 'rm -r "$share"' EXIT
CGO_ENABLED=0 go build -o "$share/mixload" ./analyze/whatif/testdata/mixload
cp scripts/whatif-guest-app.sh "$share"
mkdir -p "$out"
cp -rn analyze/whatif/testdata/app/. "$out" # those of prove/matrix/testdata/advice are not made here
for kernel in patch5:all base:before; do
	mkdir -p "$out/${kernel%%:*}"
	"$bin" vm --kernel "$kernels/series-${kernel%%:*}.bzImage" --smp 1 --count-instructions \
		--null-blk 512M --latency 5ms --timeout 15m --share "$share" --out "$out/${kernel%%:*}" \
		-- exec -- sh /share/whatif-guest-app.sh "${kernel##*:}"
done
WHATIF_APP=$(realpath "$out") go test ./analyze/whatif -count 1 -v -run TestAppPairs
