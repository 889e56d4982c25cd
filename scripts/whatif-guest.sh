#!/bin/sh
# whatif-guest.sh: what scripts/whatif-series.sh runs in the guest, on a disk on which
# each request takes 5 ms.
set -eu
for test in test1 test2; do
	for jobs in 4 8 16; do
		ext4dio-trace record -o /out/$test-$jobs.e4d -- ext4dio-trace bench $test --dir /mnt --jobs $jobs --writes 64
	done
done
holders=auto
mix() {
	name=$1
	shift
	ext4dio-trace record --holders $holders -o /out/$name.e4d -- /share/mixload --file /mnt/$name "$@"
}
mix mixed --over 8 --append 2 --for 1500ms
mix mixed-2 --over 4 --append 4 --for 1500ms
mix zeroing --over 6 --zero 2 --for 1500ms
mix zeroing-2 --over 3 --zero 4 --for 1500ms
mix appends --append 4 --for 1s
mix phases --setup 2000 --over 2 --inner 2 --rewrite 2 --pause 3ms --zero 1 --each 1200 --for 4s
mix phases-2 --setup 300 --over 4 --rewrite 1 --pause 3ms --append 1 --each 1200 --for 2500ms
mix phases-3 --setup 800 --loaders 2 --inner 5 --zero 1 --each 800 --for 3s
holders=all
mix readers --over 4 --zero 2 --read 2 --for 1500ms
mix readers-2 --over 4 --append 2 --read 2 --for 1500ms
