# Runs in the guest: sh /share/guest.sh VARIANT {fio|fio-third|workload}. What it finds goes to
# /out, one file a question; the test on the host judges it.
variant=$1
load=$2
t=ext4dio-trace

note() { echo "$2" >"/out/$1"; }

$t doctor --json >/out/doctor.json 2>/out/doctor.err
note doctor.rc $?

# Every scenario; the rest of validate has a test of its own.
$t validate --dir /mnt --writes 0 --storms none --json >/out/validate.json 2>/out/validate.err
note validate.rc $?

# Full speed, default settings.
if [ "$load" != workload ]; then
	n=11136
	[ "$load" = fio-third ] && n=3712
	$t live --plain --only unsafe,differs,slower --summary /out/load.json -- sh /share/fio.sh $n >/out/load.txt 2>/out/load.err
else
	$t live --plain --only unsafe,differs,slower --summary /out/load.json -- \
		$t workload mixed --dir /mnt --tasks 16 --writes 600 >/out/load.txt 2>/out/load.err
fi
note load.rc $?

# Requests and their tries; what is refused, and what fails.
for tries in io_uring io_uring-sqpoll nowait-pool nowait; do
	$t record -o /out/tries-$tries.e4d -- $t workload $tries --dir /mnt --tasks 2 --writes 60 >/out/tries.txt 2>&1
	note tries-$tries.rc $?
done
$t record -o /out/tries-failed.e4d -- sh /share/failed.sh >/out/tries.txt 2>&1
note tries-failed.rc $?
# Writes with a mapping for each block, 512 of them; on some kernels their branches are counted.
coverage=
[ "$variant" = linux-7.2 ] && coverage=--coverage
$t live --plain $coverage --summary /out/fragments.json -- $t workload fragments --dir /mnt --writes 5 --file-size 2097152 >/out/fragments.txt 2>/out/fragments.err
note fragments.rc $?

# A tracer that is killed leaves nothing behind.
$t live --plain >/dev/null 2>/out/kill.err &
pid=$!
until grep -q tracing /out/kill.err; do kill -0 $pid || exit 8; done
cat /sys/kernel/tracing/enabled_functions >/out/kill.before
kill -9 $pid
wait $pid 2>/dev/null
i=0
while [ -s /sys/kernel/tracing/enabled_functions ] && [ $i -lt 5000 ]; do
	i=$((i + 1))
	cat /sys/kernel/tracing/enabled_functions >/out/kill.after
done
note kill.looks $i
cat /sys/kernel/tracing/enabled_functions /sys/kernel/tracing/kprobe_events >/out/kill.after

# The wrong variant must not pass.
if [ -n "$variant" ]; then
	$t live --plain --variant "$variant" --summary /out/wrong.json -- $t workload mixed --dir /mnt >/out/wrong.txt 2>/out/wrong.err
	note wrong.rc $?
fi

# Tests for what a recording did not take, where the host has put some; they make the file system anew.
if [ -d /share/emit/tests ]; then
	sh /share/emit/guest.sh /share/emit
fi
