# Ends validate with SIGKILL in the middle of its generated writes.
cd /mnt || exit 9
ext4dio-trace validate --dir /mnt --scenarios none --writes 100000 --seed 5 >/dev/null &
until set -- ext4dio-random/e4d-case-1?; [ -e "$1" ]; do :; done
kill -9 $!
wait $!
[ -e ext4dio-random/.ext4dio-trace ] || exit 8
