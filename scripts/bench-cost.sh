#!/bin/sh
# bench-cost.sh ROUNDS TIME: what `make bench-cost` runs in the guest. The scripts of
# bpftrace are compared on direct writes; what a tracer has no business with, and what
# its filters leave out, is compared with the untraced calls only.
set -eu
rounds=$1 time=$2
mkfs.xfs -q /dev/nullb1
mkdir /other
mount -t xfs /dev/nullb1 /other
ext4dio-trace bench cost --dir /mnt --rounds "$rounds" --for "$time" --programs -o /out/direct.json \
	--bpftrace /share --script /share/ext4dio.bt --script /share/ext4dio-fentry.bt
echo
ext4dio-trace bench cost --dir /mnt --rounds "$rounds" --for "$time" --loads unrelated,overwrite --other /other \
	--leave-out pid,dev,ino -o /out/unrelated.json
