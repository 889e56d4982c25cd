#!/bin/sh
# Makes testdata/traces: what "record" gives on real kernels, one for each variant of
# the model and some that decide wrongly on purpose. The kernels of the series come from
# EXT4DIO_KERNELS, the others from Debian. It takes about twenty seconds each.
#
#   scripts/make-traces.sh BIN [NAME…]
set -eu
bin=$1
shift
dir=$(dirname "$0")/../testdata/traces
kernels=${EXT4DIO_KERNELS:?where the kernels of the series are}
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
mkdir -p "$dir"

# make NAME KERNEL WORKLOAD [WRITES]
make() {
	"$bin" vm --kernel "$2" --timeout 5m --out "$tmp" -- record -o /out/t.e4d -- \
		ext4dio-trace workload "$3" --dir /mnt --writes "${4:-60}"
	mv "$tmp/t.e4d" "$dir/$1.e4d"
}

all="linux-6.1 linux-6.12 linux-7.2 base patch3 patch4 linux-7.3 series-v2 wrong-tail-unchecked wrong-always-exclusive"
for name in ${*:-$all}; do
	case $name in
	linux-6.1) make "$name" debian:bookworm mixed ;;
	linux-6.12) make "$name" debian:trixie mixed ;;
	linux-7.2) make "$name" debian:sid mixed ;;
	linux-7.3) make "$name" debian:trixie-backports mixed ;;
	base | patch3 | patch4) make "$name" "$kernels/series-$name.bzImage" mixed ;;
	series-v2) make "$name" "$kernels/series-v2.bzImage" mixed ;;
	wrong-*) make "$name" "$kernels/$name.bzImage" mixed 30 ;;
	*)
		echo "no trace $name: one of $all" >&2
		exit 2
		;;
	esac
done
