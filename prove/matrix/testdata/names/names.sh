# Runs in the guest: sh /share/names.sh. It is seen in a recording and live how files are
# called; the test on the host knows what it has to be.
t=ext4dio-trace

$t record -o /out/names.e4d --all -- sh /share/writes.sh /mnt 2>/out/record.err
echo $? >/out/record.rc
umount -R /mnt /ov 2>/dev/null
losetup -D
$t live --json --all -- sh /share/writes.sh /mnt >/out/live.jsonl 2>/out/live.err
echo $? >/out/live.rc

# A file, not whoever gets its number later. The generation is that of now.
umount -R /mnt /ov 2>/dev/null
losetup -D
mkfs.ext4 -qF /dev/sda && mount /dev/sda /mnt && : >/mnt/mine || exit 9
$t live --json --all --path /mnt/mine -- sh /share/mine.sh >/out/path.jsonl 2>/out/path.err
echo $? >/out/path.rc

# A file system that nobody sees where the tracer runs.
umount -R /mnt
$t live --json --all -- unshare -m sh /share/unseen.sh >/out/unseen.jsonl 2>/out/unseen.err
echo $? >/out/unseen.rc

# What each test writes, as fstests' check tells of it in the kernel's log.
umount -R /mnt 2>/dev/null
mkfs.ext4 -qF /dev/sda && mount /dev/sda /mnt || exit 9
sh /share/fstests-section.sh /out/marks.e4d sh /share/check.sh >/out/marks.txt 2>/out/marks.err
echo $? >/out/marks.rc
