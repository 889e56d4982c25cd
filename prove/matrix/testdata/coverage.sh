# Runs in the guest: sh /share/coverage.sh. What a workload takes of a kernel's branches, and what a
# job of fio does; the test on the host compares them with what validate takes.
t=ext4dio-trace
$t record -o /out/mixed.e4d -- $t workload mixed --dir /mnt --writes 600 || exit
$t record -o /out/fio.e4d -- fio --name=randwrite --filename=/mnt/fio --size=64M --rw=randwrite --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=16 --number_ios=4000 --randseed=1
