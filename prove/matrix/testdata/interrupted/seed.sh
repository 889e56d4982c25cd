# Makes files of somebody else's on the disk, and their sums.
cd /mnt && mkdir work work/deep && echo 'years of work' >work/a && ext4dio-trace --help >work/deep/b || exit 9
ext4dio-trace explain --rule all >'work/c d' && sha256sum work/a work/deep/b 'work/c d' >SUMS && sync
