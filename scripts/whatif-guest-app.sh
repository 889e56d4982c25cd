#!/bin/sh
# whatif-guest-app.sh: what scripts/whatif-app.sh runs in the guest, on a disk on which each
# request takes 5 ms: the same work by an application before and after a change.
set -eu
holders=auto
mix() {
	name=$1
	shift
	ext4dio-trace record --holders $holders -o /out/$name.e4d -- /share/mixload --file /mnt/$name --each 250 --for 1s "$@"
}
zero="--zero 4 --over 2"
mix zero $zero
mix zero-aligned $zero --aligned
mix zero-prewritten $zero --prewritten
inner="--inner 4 --rewrite 2 --pause 2ms"
mix inner $inner
mix inner-aligned $inner --aligned
mix inner-prewritten $inner --prewritten
[ "$1" = all ] || exit 0
append="--append 3 --over 3"
mix append $append
mix append-ahead $append --ahead
mix append-prewritten $append --ahead --prewritten
mix suid --rewrite 5 --pause 1ms --suid
mix suid-off --rewrite 5 --pause 1ms
nowait="--over 4 --zero 2"
mix nowait $nowait --nowait
mix nowait-off $nowait
holders=all
mix readers --read 3 --zero 2
mix readers-off --zero 2
