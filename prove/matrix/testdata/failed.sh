# Runs in the guest, under record: a write of a part of a sector, one that RLIMIT_FSIZE
# cuts, and the rest of that, which fails.
dd if=/dev/zero of=/mnt/sector bs=100 count=1 oflag=direct
trap '' XFSZ
ulimit -f 8
dd if=/dev/zero of=/mnt/limit bs=8192 count=1 oflag=direct
rm /mnt/sector /mnt/limit
exit 0
