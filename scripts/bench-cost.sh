#!/bin/sh
# bench-cost.sh ROUNDS TIME: what `make bench-cost` runs in the guest. The scripts of
# bpftrace are compared on direct writes; what a tracer has no business with, and what
# its filters leave out, is compared with the untraced calls only.
set -eu
rounds=$1 time=$2
mkfs.xfs -q /dev/nullb1
mkdir /other
mount -t xfs /dev/nullb1 /other
cost() { ext4dio-trace bench cost --dir /mnt --for "$time" "$@"; }

cost --rounds "$rounds" -o /out/direct.json \
	--bpftrace /share --script /share/ext4dio.bt --script /share/ext4dio-fentry.bt
echo
cost --rounds "$rounds" -o /out/unrelated.json --loads unrelated --other /other
echo
# Eight tracers are started here in each round.
cost --rounds $(((rounds + 2) / 3)) -o /out/filters.json --loads overwrite --leave-out pid,dev,ino
echo
cost --rounds 1 -o /out/programs.json --programs
