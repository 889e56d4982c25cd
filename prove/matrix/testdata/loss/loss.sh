# sh loss.sh CASE: runs in the guest, for TestLoss. What it finds goes to /out.
set -u
t=ext4dio-trace

# write N COUNT: N writers at full speed, COUNT direct writes of 512 bytes each.
write() {
	i=0
	writers=
	while [ $i -lt "$1" ]; do
		dd if=/dev/zero of=/mnt/file$i bs=512 count="$2" oflag=direct conv=notrunc 2>/out/dd$i.err &
		writers="$writers $!"
		i=$((i + 1))
	done
	for w in $writers; do wait "$w" || exit 9; done
}

# drain NAME N COUNT STOPPED OPTIONS…: what bench drain counts of such writes.
drain() {
	name=$1 n=$2 count=$3 stopped=$4
	shift 4
	$t bench drain "$@" >/out/"$name".json 2>/out/"$name".err &
	pid=$!
	until grep -q attached /out/"$name".json; do
		kill -0 $pid || exit 8
	done
	[ "$stopped" = no ] || kill -STOP $pid
	write "$n" "$count"
	[ "$stopped" = no ] || kill -CONT $pid
	kill -INT $pid
	wait $pid
	echo $? >/out/"$name".rc
}

# live N COUNT: the same by live --json.
live() {
	$t live --json --summary /out/live-$1.json -- sh "$0" running "$1" "$2" >/out/live-$1.lines 2>/out/live-$1.err
	echo $? >/out/live-$1.rc
}

case $1 in
small)
	# First, as the kernel frees what a tracer had some time after its end.
	/share/soak $t /mnt 8 2 1s >/out/soak.jsonl 2>/out/soak.err
	echo $? >/out/soak.rc
	# The tracer stands still while the ring fills, so that it cannot be quick enough.
	drain drain 4 500 yes --ring 65536
	$t live --json --ring 64K --summary /out/live.json -- sh "$0" writers 4 500 >/out/live.lines 2>/out/live.err
	echo $? >/out/live.rc
	$t live --json --sample 1/4 --seed 3 --summary /out/sample.json -- $t workload nowait-pool --dir /mnt --tasks 4 --writes 60 \
		>/out/sample.lines 2>/out/sample.err
	echo $? >/out/sample.rc
	;;
writers)
	# The parent is the tracer.
	kill -STOP $PPID
	write "$2" "$3"
	kill -CONT $PPID
	;;
full)
	# More than the default ring holds, see fullWrites.
	drain drain-16 16 3000 no
	live 1 48000
	live 4 12000
	live 16 3000
	;;
running) write "$2" "$3" ;;
esac
