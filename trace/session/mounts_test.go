package session

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/record"
)

// TestMountLog: a name that is read late is placed by what was mounted when the write
// began. Between two looks the later one goes first.
func TestMountLog(t *testing.T) {
	const onSrv = "26 22 8:0 / /srv rw - ext4 /dev/sda rw\n"
	n := &Names{fd: -1}
	n.mounts.add(ext4fs.ParseTable(onMnt), 100)
	n.mounts.still(200)
	n.mounts.add(ext4fs.ParseTable(""), 300)
	n.mounts.still(400)
	n.mounts.add(ext4fs.ParseTable(onSrv), 500)
	for _, c := range []struct {
		at   uint64
		want string
	}{
		{50, "/mnt/file"},   // before the first look
		{150, "/mnt/file"},  // between two that saw the same
		{250, "/mnt/file"},  // it was unmounted somewhere between two looks, and written to
		{350, "[8:0]/file"}, // unmounted here: somebody else has it mounted
		{450, "/srv/file"},  // mounted between two looks
		{1000, "/srv/file"}, // after the last look
	} {
		r := record.Name{Dev: 8 << 20, Ino: 12, Name: 1, T: c.at}
		if _, path, _ := n.Learn(r.Append(nil, "file/")); path != c.want {
			t.Errorf("at %d: %s, want %s", c.at, path, c.want)
		}
	}
	for i := range 2 * maxSeen {
		n.mounts.add(ext4fs.ParseTable(onMnt), uint64(1000+i))
	}
	if len(n.mounts.seen) != maxSeen {
		t.Errorf("%d lists are kept, want %d", len(n.mounts.seen), maxSeen)
	}
}
