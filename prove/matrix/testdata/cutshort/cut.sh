# Cuts validate short by a signal, and then by a disk that fails, once its scenarios are over.
for cause in signal disk; do
	ext4dio-trace validate --dir /mnt --writes 1000000 --seed 7 --storms none --json >/out/$cause.json 2>/out/$cause.err &
	pid=$!
	until [ -e /mnt/ext4dio-random ]; do
		kill -0 $pid || exit 9
		sleep 0.1
	done
	case $cause in
	signal) kill -TERM $pid ;;
	disk) echo offline >/sys/block/sda/device/state ;;
	esac
	wait $pid
	echo $? >/out/$cause.rc
done
exit 0
