# Runs in the guest: sh /share/refused.sh inline|journal. Direct writes to an inode
# that takes none, then to one that does.
if [ "$1" = journal ]; then
	umount /mnt && mount -i -t ext4 -o data=journal /dev/sda /mnt || exit 1
else
	echo some data that fits into the inode >/mnt/small
fi
dd if=/dev/zero of=/mnt/small bs=512 count=1 oflag=direct conv=notrunc
dd if=/dev/zero of=/mnt/large bs=4096 count=2 oflag=direct conv=notrunc
