# write FD: one direct write to an open file.
write() { dd if=/dev/zero bs=4096 count=1 oflag=direct conv=notrunc status=none 1>&"$1"; }
# again DIR: a new file system.
again() {
	mountpoint -q "$1" && { umount "$1" || exit 9; }
	mkfs.ext4 -qF /dev/sda && mount /dev/sda "$1" || exit 9
}
