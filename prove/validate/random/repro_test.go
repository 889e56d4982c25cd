package random

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

func TestCommands(t *testing.T) {
	c := &Case{Seed: 4, Number: 12, Steps: []Step{
		{Op: NoExtents}, {Op: Fallocate, Len: 65536}, {Op: KeepSize, Off: 65536, Len: 4096}, {Op: Punch, Off: 4096, Len: 8192},
		{Op: Truncate, Len: 60000}, {Op: Buffered, Off: 7, Len: 100}, {Op: Read, Len: 4096}, {Op: Sync}, {Op: Drop}, {Op: Unprime},
		{Op: Write, Off: 512, Len: 14336, Segs: []int{14336}, Engine: workload.Pwrite},
		{Op: Write, Off: 0, Len: 4096, Segs: []int{512, 3584}, Engine: workload.IOUring, Buf: 512, Flags: unix.RWF_NOWAIT | unix.RWF_DSYNC, Fresh: true},
		{Op: Write, Len: 512, Segs: []int{512}, Engine: workload.Pwritev2, Flags: unix.RWF_APPEND},
	}}
	const want = `# --seed 4 --case 12
rm -f f && touch f
chattr -e f
xfs_io -c "falloc 0 64k" f
xfs_io -c "falloc -k 64k 4k" f
xfs_io -c "fpunch 4k 8k" f
xfs_io -c "truncate 60000" f
xfs_io -c "pwrite -S 0x46 7 100" f
xfs_io -c "pread 0 4k" f
xfs_io -c "fsync" f
xfs_io -c "fsync" -c "fadvise -d 0 0" f
chmod u+s f && chmod u-s f
xfs_io -d -c "pwrite -b 14k -S 0x4b 512 14k" f
touch f && xfs_io -d -c "pwrite -b 2k -N -D -V 2 -S 0x4c 0 4k" f  # through io_uring; from memory 512 bytes into a block; segments of 512 3584 bytes
xfs_io -d -c "pwrite -b 512 -S 0x4d 0 512" f  # with RWF_APPEND: at i_size
`
	if got := c.Commands(); got != want {
		t.Errorf("commands:\n%s\nwant:\n%s", got, want)
	}
	if got := c.Steps[11].String(); got != "write 0+4096 io_uring nowait dsync fresh buf=512 segs=512,3584" {
		t.Errorf("step %q", got)
	}
}
