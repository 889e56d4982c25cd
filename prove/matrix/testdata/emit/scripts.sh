# Runs in the guest: sh scripts.sh FOLDER. Each script that coverage --emit wrote into FOLDER is run on
# /mnt, mounted as it asks for. One line for each that fails.
for script in "$1"/[0-9]*.sh; do
	options=
	for option in data=journal nodelalloc; do
		if grep -q "mounted with -o $option" "$script"; then options=$option; fi
	done
	if [ -n "$options" ]; then
		umount /mnt && mount -t ext4 -o "$options" /dev/sda /mnt || echo "$script: no mount"
	fi
	sh "$script" /mnt || echo "$script: status $?"
	if [ -n "$options" ]; then
		umount /mnt && mount -t ext4 /dev/sda /mnt || echo "$script: no mount"
	fi
done
