# Runs in the guest: sh /share/wrong.sh. What a wrong kernel does, by itself and over a
# file in many pieces; the test on the host judges it.
t=ext4dio-trace
$t live --plain --summary /out/mixed.json -- $t workload mixed --dir /mnt
echo $? >/out/mixed.rc
$t live --plain --summary /out/fragments.json -- $t workload fragments --dir /mnt --writes 5 --file-size 2097152
echo $? >/out/fragments.rc
