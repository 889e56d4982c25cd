# Runs in the guest, whose /dev/sda lies below a device-mapper disk that is mounted on
# /mnt. Every device here must be refused with status 2 and stay as it is.
cd /tmp || exit 9
sum() { cksum /dev/sda /dev/loop0 /dev/loop1 /dev/loop2 /dev/loop3; }

for i in 0 1 2 3; do dd if=/dev/zero of=image$i bs=1M count=16 2>/dev/null || exit 9; done
# A partition of 8 MiB from the first MiB on.
printf '\000\000\000\000\203\000\000\000\000\010\000\000\000\100\000\000' | dd of=image0 bs=1 seek=446 conv=notrunc 2>/dev/null &&
	printf '\125\252' | dd of=image0 bs=1 seek=510 conv=notrunc 2>/dev/null || exit 9
losetup -P /dev/loop0 image0 && losetup /dev/loop1 image1 && losetup -r /dev/loop2 image2 && losetup /dev/loop3 image3 || exit 9
mkswap /dev/loop1 >/dev/null && swapon /dev/loop1 && ln -s /dev/loop3 link && sync || exit 9
dm=/dev/dm-0
[ -b $dm ] && [ -e /sys/block/loop0/loop0p1 ] || { echo "no dm disk, or no partition:" /dev/dm* /sys/block/loop0/*; exit 9; }
before=$(sum)

refuse() {
	what=$1
	shift
	ext4dio-trace validate --yes --writes 100 "$@" 2>err
	status=$?
	read -r line <err
	echo "$what: $status: $line"
	[ $status = 2 ] || exit 1
}
refuse 'a mounted disk' --device $dm --destroy-data
refuse 'a disk with a holder' --device /dev/sda --destroy-data
refuse 'a divided disk' --device /dev/loop0 --destroy-data
refuse 'swap' --device /dev/loop1 --destroy-data
refuse 'a read-only disk' --device /dev/loop2 --destroy-data
refuse 'a link to a disk' --device /tmp/link --destroy-data
refuse 'no disk at all' --device /dev/null --destroy-data
refuse 'a disk that is not given up' --device /dev/loop3
refuse 'a name that is not there' --device /dev/sdx --destroy-data

sync
[ "$(sum)" = "$before" ] || { echo 'something was written'; exit 1; }
echo 'nothing was written'
