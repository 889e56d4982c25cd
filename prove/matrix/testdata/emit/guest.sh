# Runs in the guest: sh guest.sh FOLDER. The scripts and the tests that coverage --emit wrote into FOLDER, each kind
# recorded, and the test of a disagreement. FOLDER here: they are made in the guest, of a recording of this kernel that
# has no unaligned write.
folder=$1
emit=/share/emit
mkdir -p /tmp
read -r began _ </proc/uptime
if [ "$folder" = here ]; then
	folder=/tmp/tests
	ext4dio-trace record -o /out/emit-aligned.e4d -- ext4dio-trace workload aligned --dir /mnt --writes 10 --tasks 1 >/out/emit-aligned.txt 2>&1
	ext4dio-trace coverage --missing --emit $folder /out/emit-aligned.e4d >/out/emit-missing.txt 2>&1
	echo $? >/out/emit-missing.rc
	cat $folder/index.txt >/out/emit-index.txt
fi
ext4dio-trace record -o /out/emit-scripts.e4d -- sh $emit/scripts.sh $folder >/out/emit-scripts.txt 2>&1
echo $? >/out/emit-scripts.rc
ext4dio-trace record -o /out/emit-fstests.e4d -- bash $emit/fstests.sh $folder >/out/emit-fstests.txt 2>&1
echo $? >/out/emit-fstests.rc
if [ -d $emit/disagreement ]; then
	bash $emit/fstests.sh $emit/disagreement >/out/emit-disagreement.txt 2>&1
fi
read -r ended _ </proc/uptime
echo "from $began to $ended seconds" >/out/emit-took.txt
