# Files of one inode number after another, renamed, deleted, linked, below a folder that
# moves, written once, on overlayfs and below a loop device.
. /share/write.sh
cd /
again $1
exec 3<>$1/first; write 3; rm $1/first; write 3; exec 3>&-
exec 3<>$1/second; write 3; mv $1/second $1/third; write 3; exec 3>&-
again $1
exec 3<>$1/after-mkfs; write 3; exec 3>&-
mkdir -p $1/a/b
exec 3<>$1/a/b/file; write 3; mv $1/a $1/z; write 3; exec 3>&-
exec 3<>$1/one; write 3; ln $1/one $1/two
exec 4<>$1/two; write 4; write 3; exec 3>&- 4>&-
evil=$(printf 'e\033[31m\nv\\040il (deleted)')
exec 3<>"$1/$evil"; write 3; exec 3>&-
i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	dd if=/dev/zero of=$1/shot$i bs=4096 count=1 oflag=direct status=none
done
deep=$1
i=0
while [ $i -lt 30 ]; do
	i=$((i + 1))
	deep=$deep/d$i
done
mkdir -p $deep
dd if=/dev/zero of=$deep/deep bs=4096 count=1 oflag=direct status=none
mkdir -p $1/low $1/up/in $1/work /ov
mount -t overlay -o lowerdir=$1/low,upperdir=$1/up,workdir=$1/work overlay /ov || exit 9
dd if=/dev/zero of=/ov/in/upper bs=4096 count=1 oflag=direct status=none
umount /ov
mkdir -p /bind
mount --bind $1/z /bind && mount -t tmpfs none /bind && umount /bind && umount /bind
dd if=/dev/zero of=$1/image bs=1M count=1 status=none
sync
loop=$(losetup --show --find --direct-io=on $1/image) || exit 9
dd if=/dev/zero of=$loop bs=4096 count=1 oflag=direct status=none
losetup -d $loop
