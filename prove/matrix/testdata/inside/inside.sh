# Runs in the guest. What it finds goes to /out; the test on the host judges it.
t=ext4dio-trace
stall=/share/stall

# Several writers of one file, three of which append.
$t record -o /out/contend.e4d -- $stall contend /mnt/contend 2>/out/contend.err &
$stall gone $! || exit 9
wait $!
echo $? >/out/contend.rc

# hang NAME TRACER...: asks the tracer twice which writes are inside, and ends it while
# they still are. What waits for ever says for what.
hang() {
	name=$1
	shift
	"$@" >/out/$name.out 2>/out/$name.err &
	tracer=$!
	$stall await $tracer /out/$name.err 'ext4 direct writes on Linux' 1 || exit 8
	$stall hang /mnt/$name /mnt/$name-aio >/out/$name.stall &
	writer=$!
	$stall await $writer /out/$name.stall hanging 1 || exit 7
	for n in 1 2; do
		kill -USR1 $tracer
		$stall await $tracer /out/$name.err INSIDE: $n || exit 6
	done
	kill -TERM $tracer
	$stall gone $tracer || exit 4
	wait $tracer
	echo $? >/out/$name.rc
	kill -TERM $writer
	$stall gone $writer || exit 5
	wait $writer || exit 5
}
hang live $t live --json --summary /out/live.json --record /out/live.e4d
hang record $t record -o /out/record.e4d

# A command that cannot be killed does not keep its tracer.
$t live --json --summary /out/command.json -- $stall stuck /mnt/stuck >/out/command.out 2>/out/command.err &
tracer=$!
$stall await $tracer /out/command.err hanging 1 || exit 3
kill -TERM $tracer
$stall gone $tracer || exit 2
wait $tracer
echo $? >/out/command.rc
$stall resume
