# Runs in the guest: sh /share/eoftail.sh. The disk sorts what waits for it by
# sector and merges nothing, so that a zero bio behind the data of its write is
# carried out after a later write that begins at that data.
q=/sys/block/nullb0/queue
echo mq-deadline >$q/scheduler && echo 2 >$q/nomerges && echo 64 >$q/nr_requests || exit 9
ext4dio-trace workload eof-tail --dir /mnt --writes 10
