# Runs in the guest: sh /share/advice.sh [NAME…]. Each cause is made, and made again with its
# remedy, and recorded. What it finds goes to /out; the test on the host judges it.
cause=/share/cause
$cause names >/tmp/names
while read -r name forms; do
	case " $* " in "  " | *" $name "*) ;; *) continue ;; esac
	for form in $forms; do
		$cause prepare "$name" "$form" /mnt || exit 9
		ext4dio-trace record -o "/out/$name-$form.e4d" --holders all -- $cause run "$name" "$form" /mnt >"/out/$name-$form.json" 2>"/out/$name-$form.err"
		echo $? >"/out/$name-$form.rc"
	done
done </tmp/names
