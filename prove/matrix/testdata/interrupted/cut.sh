# Says when validate is in the middle of its generated writes, and goes on until
# the power fails.
ext4dio-trace validate --dir /mnt --scenarios none --writes 100000 --seed 6 >/dev/null &
until set -- /mnt/ext4dio-random/e4d-case-1?; [ -e "$1" ]; do :; done
echo now
wait
