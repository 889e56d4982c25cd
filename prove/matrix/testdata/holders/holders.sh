# Runs in the guest. What it finds goes to /out; the test on the host judges it.
t=ext4dio-trace
p=/share/holders

$t record -o /out/all.e4d -- $p /out/all.jsonl /mnt readers ranges inflight buffered loop queue swapon rename 2>/out/all.err
echo $? >/out/all.rc

# Only one of the two kinds of writers is recorded.
$t record -o /out/left-out.e4d --comm wanted -- $p /out/left-out.jsonl /mnt left-out 2>/out/left-out.err
echo $? >/out/left-out.rc

# Without a record of others who held the lock.
$t record -o /out/off.e4d --holders off -- $p /out/off.jsonl /mnt readers 2>/out/off.err
echo $? >/out/off.rc

# Writes that were fast are not recorded, but as who held the lock.
$t record -o /out/fast.e4d --min-latency 15ms -- $p /out/fast.jsonl /mnt fast 2>/out/fast.err
echo $? >/out/fast.rc
