# Makes the disk's Debian the root of everything, and runs one of these scripts in it.
set -e
for d in dev proc sys out share; do
	mkdir -p /mnt/$d
	mount --rbind /$d /mnt/$d
done
mkdir -p /mnt/usr/local/bin
cp /bin/ext4dio-trace /mnt/usr/local/bin/
chmod 1777 /mnt/tmp
exec chroot /mnt /bin/sh /share/$1.sh
