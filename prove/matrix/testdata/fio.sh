# fio.sh N: nine times N writes, by three engines with 1, 8 and 32 jobs. Each job has its own part of
# one file, which starts unwritten; blocks and parts of blocks.
n=$1
for engine in psync libaio io_uring; do
	depth=8
	[ $engine = psync ] && depth=1
	for jobs in 1 8 32; do
		fio --name=load --filename=/mnt/fio.dat --filesize=64m --size=$((64 / jobs))m \
			--offset_increment=$((64 / jobs))m --numjobs=$jobs --group_reporting \
			--ioengine=$engine --iodepth=$depth --rw=randwrite --norandommap --direct=1 \
			--bssplit=512/25:4k/50:8k/25 --blockalign=512 --fallocate=native \
			--number_ios=$((n / jobs)) --randrepeat=1 --thread \
			--output-format=json --output=/out/fio-$engine-$jobs.json || exit 1
	done
done
