# Runs in the guest, for TestBudget.
t=ext4dio-trace
$t record --budget -o /out/mixed.e4d -- $t workload mixed --dir /mnt --writes 60 2>/out/mixed.err
echo $? >/out/mixed.rc
$t record --budget -o /out/dsync.e4d -- fio --name=d --directory=/mnt --size=2M --bs=4k --rw=randwrite --direct=1 --sync=dsync \
	--ioengine=libaio --iodepth=4 --number_ios=200 --thread >/out/fio.out 2>/out/dsync.err
echo $? >/out/dsync.rc
