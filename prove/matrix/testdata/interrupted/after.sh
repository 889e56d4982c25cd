# What was there before is untouched; the next run takes over what the last one left,
# and leaves nothing.
cd /mnt && sha256sum -c SUMS || exit 9
[ -e ext4dio-random/.ext4dio-trace ] || exit 8
ext4dio-trace validate --dir /mnt --scenarios 'aligned*' --writes 100 --seed 7 --storms none || exit 7
set -- *
[ "$*" = 'SUMS lost+found work' ] || { echo "left: $*"; exit 6; }
sha256sum -c SUMS
