# In the place of fstests' check, which says so in the kernel's log before it starts a test.
. /share/write.sh
# begins TEST: waits until the recording has the mark, as no test of fstests starts at once.
begins() {
	echo "run fstests $1 at 2026-01-02 03:04:05" >/dev/kmsg
	until case $(ext4dio-trace check --by mark --json /out/marks.e4d 2>/dev/null) in *"\"$1\""*) ;; *) false ;; esac; do :; done
}
exec 3<>/mnt/f
write 3
begins ext4/001
write 3
write 3
begins ext4/002
begins ext4/003
write 3
ext4dio-trace mark 'by hand' || exit 9 # it has been taken when the command returns
write 3
write 3
write 3
ext4dio-trace mark '' || exit 9
write 3
