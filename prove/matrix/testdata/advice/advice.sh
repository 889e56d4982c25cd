# Runs in the guest: sh /share/advice.sh NAME/FORM... Each load is made and recorded. What it
# finds goes to /out; the test on the host judges it.
for load; do
	name=${load%/*} form=${load#*/}
	/share/cause prepare "$name" "$form" /mnt || exit 9
	ext4dio-trace record -o "/out/$name-$form.e4d" --holders all -- /share/cause run "$name" "$form" /mnt 2>"/out/$name-$form.err"
	echo $? >"/out/$name-$form.rc"
done
