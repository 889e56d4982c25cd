# Runs in the guest. What it finds goes to /out; the test on the host judges it.
t=ext4dio-trace
stall=/share/stall

# Several writers of one file, three of which append.
$t record -o /out/contend.e4d -- $stall contend /mnt/contend 2>/out/contend.err
echo $? >/out/contend.rc

# hang NAME TRACER...: asks the tracer twice which writes are inside, and ends it while
# they still are.
hang() {
	name=$1
	shift
	"$@" >/out/$name.out 2>/out/$name.err &
	tracer=$!
	until grep -q 'ext4 direct writes on Linux' /out/$name.err; do kill -0 $tracer || exit 8; done
	$stall hang /mnt/$name /mnt/$name-aio >/out/$name.stall &
	writer=$!
	until grep -q hanging /out/$name.stall; do kill -0 $writer || exit 7; done
	for n in 1 2; do
		kill -USR1 $tracer
		until [ "$(grep -c INSIDE: /out/$name.err)" = $n ]; do kill -0 $tracer || exit 6; done
	done
	kill -TERM $tracer
	wait $tracer
	echo $? >/out/$name.rc
	kill -TERM $writer
	wait $writer || exit 5
}
hang live $t live --json --summary /out/live.json --record /out/live.e4d
hang record $t record -o /out/record.e4d
