# Runs in the guest: sh /share/tries.sh NAME. 200 writes of io_uring into allocated blocks,
# one and eight at a time. 6.1 refuses every first try of them, 6.12 none.
for depth in 1 8; do
	ext4dio-trace record -o /out/$1-depth-$depth.e4d -- fio --name=tries --filename=/mnt/tries-$depth --size=2m \
		--ioengine=io_uring --iodepth=$depth --rw=write --bs=4k --direct=1 --number_ios=200 --fallocate=native || exit
done
