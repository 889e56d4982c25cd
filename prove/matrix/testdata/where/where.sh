# Runs in the guest, for TestWhere: what is traced where people run it. What it finds goes
# to /out. A shell stays above the tracer, as the first process of a pid namespace.
set -u
t=ext4dio-trace

# one FILE [COUNT]: direct writes of 512 bytes by dd.
one() { dd if=/dev/zero of="$1" bs=512 count="${2:-3}" oflag=direct conv=notrunc 2>/dev/null; }

# run NAME COMMAND…: its output, what it says, and its status.
run() {
	name=$1
	shift
	"$@" >"/out/$name.out" 2>"/out/$name.err"
	echo $? >"/out/$name.rc"
}

# inside COMMAND: runs a line of shell in a pid namespace of its own.
inside() { unshare -pf --mount-proc sh -c "$1; exit \$?"; }

# live NAME WRITES ARGUMENTS…: traces in the background until it is attached, lets a line of
# shell write, and ends it.
live() {
	name=$1 writes=$2
	shift 2
	: >"/out/$name.err"
	$t live --json --summary "/out/$name.json" "$@" >"/out/$name.out" 2>"/out/$name.err" &
	pid=$!
	until grep -q 'tracing ext4' "/out/$name.err"; do
		kill -0 $pid 2>/dev/null || break
	done
	eval "$writes"
	kill -INT $pid 2>/dev/null
	wait $pid
	echo $? >"/out/$name.rc"
}

pids() {
	# The command writes in a namespace below that of the tracer.
	run ns-command inside "$t live --json --summary /out/ns-command.json -- unshare -pf --mount-proc sh -c 'dd if=/dev/zero of=/mnt/a bs=512 count=3 oflag=direct 2>/dev/null; exit'"
	run ns-bypid-in inside "sh /share/where.sh by-pid"
	# One writes inside and one outside.
	mkfifo /tmp/outside /tmp/outside-done
	( read _ </tmp/outside; sh -c 'echo $$ >/out/ns-outside.pid; exec dd if=/dev/zero of=/mnt/b bs=512 count=3 oflag=direct conv=notrunc 2>/dev/null'; echo >/tmp/outside-done ) &
	run ns-both-in inside "sh /share/where.sh both"
	run ns-record inside "$t record -o /mnt/r.e4d -- dd if=/dev/zero of=/mnt/a bs=512 count=3 oflag=direct"
	run ns-validate inside "$t validate --dir /mnt --scenarios aligned --writes 0 --storms none --json"
	run ns-bench inside "$t bench test1 --dir /mnt --jobs 1 --writes 20 --trace --json"
	run user unshare -Urpf --mount-proc sh -c "$t live --for 1s; exit \$?"
}

cgroups() {
	mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null
	cd /sys/fs/cgroup || exit 9
	mkdir -p pod/inner/leaf other/inner
	in_group() { sh -c "echo \$\$ >/sys/fs/cgroup/$1/cgroup.procs; exec dd if=/dev/zero of=/mnt/$2 bs=512 count=3 oflag=direct conv=notrunc 2>/dev/null"; }
	groups="in_group pod/inner/leaf a; in_group other/inner b"
	live cg-path "$groups" --cgroup /sys/fs/cgroup/pod
	live cg-name "$groups" --cgroup leaf
	live cg-id "$groups" --cgroup "$(stat -c %i /sys/fs/cgroup/pod)"
	run cg-ambiguous $t live --cgroup inner
	cd /
}

filters() {
	live f-pid "one /mnt/a; while ! grep -q 'nothing seen yet' /out/f-pid.err; do one /mnt/a 1; done" --pid $$
	live f-dev "one /mnt/a" --dev 8:77
	run f-nobody $t live --pid 999999
	run f-folder $t live --dev /proc
	# While the command runs another process writes.
	one /mnt/own 1
	mkfifo /tmp/others /tmp/others-done
	( read _ </tmp/others; one /mnt/own 5; echo >/tmp/others-done ) &
	run f-others $t live --json --summary /out/f-others.json -- sh /share/where.sh others
	run f-failed $t live --plain -- sh -c 'exit 7'
	run f-recorded $t record -o /out/failed.e4d -- sh -c 'exit 7'
	run f-wrote $t record -o /out/wrote.e4d -- sh -c 'dd if=/dev/zero of=/mnt/a bs=512 count=3 oflag=direct 2>/dev/null; exit 7'
}

paths() {
	mkdir -p /mnt/data/db/deep /mnt/elsewhere /srv/all/ext4 /mnt/lower /mnt/upper/sub /mnt/work /tmp/merged
	: >/mnt/data/db/deep/a
	stat -c %i /mnt/data/db/deep/a >/out/deep.ino
	both="one /mnt/data/db/deep/a; one /mnt/elsewhere/b"
	live p-folder "$both" --path /mnt/data
	mount --bind /mnt/data /srv/all/ext4
	live p-below "$both" --path /srv/all
	# On an overlay the upper file is written to.
	: >/mnt/upper/sub/file
	mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /tmp/merged || exit 7
	stat -c %i /mnt/upper/sub/file >/out/upper.ino
	live p-overlay-file "one /tmp/merged/sub/file; one /mnt/elsewhere/b" --path /tmp/merged/sub/file
	live p-overlay-folder "one /tmp/merged/sub/file; one /tmp/merged/sub/new; one /mnt/elsewhere/b" --path /tmp/merged/sub
	# A loop device stands for the file behind it.
	dd if=/dev/zero of=/mnt/image bs=64k count=4 2>/dev/null
	stat -c %i /mnt/image >/out/image.ino
	loop=$(losetup --direct-io=on -f --show /mnt/image) || exit 6
	live p-loop "one $loop; sync; one /mnt/elsewhere/b" --path "$loop"
	losetup -d "$loop"
}

case ${1:-all} in
all)
	: >/mnt/a
	: >/mnt/b
	stat -c %i /mnt/a >/out/a.ino
	stat -c %i /mnt/b >/out/b.ino
	cgroups
	pids
	filters
	paths
	;;
others)
	one /mnt/own 1
	echo >/tmp/others
	read _ </tmp/others-done
	;;
by-pid)
	mkfifo /tmp/go
	sh -c 'read _ </tmp/go; exec dd if=/dev/zero of=/mnt/mine bs=512 count=3 oflag=direct 2>/dev/null' &
	writer=$!
	live ns-bypid "one /mnt/other; echo >/tmp/go; wait $writer" --pid $writer
	echo "$writer" >/out/ns-bypid.pid
	;;
both)
	live ns-both "sh -c 'echo \$\$ >/out/ns-inside.pid; exec dd if=/dev/zero of=/mnt/a bs=512 count=3 oflag=direct conv=notrunc 2>/dev/null'; echo >/tmp/outside; read _ </tmp/outside-done"
	;;
esac
