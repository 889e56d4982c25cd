package ext4fs

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:21 / /proc rw - proc proc rw
24 22 8:1 /srv /mnt/bind ro - ext4 /dev/sda1 rw
25 22 8:16 /sub /a\040b\134c rw master:2 shared:3 - ext3 /dev/sdb rw,data=journal
26 22 8:32 / /over rw - ext4 /dev/sdc rw
27 26 8:48 / /over rw - ext4 /dev/sdd rw
28 22 8:64 / /x/y rw - ext4 /dev/sde rw
29 22 0:30 / /x rw - tmpfs tmpfs rw
30 28 8:80 / /x/y/z rw - ext4 /dev/sdf rw
31 22 8:32 / /other rw - ext4 /dev/sdc rw
32 22 8:96 / /q
`

func TestParseMounts(t *testing.T) {
	got := ParseTable(mountinfo)
	for i, want := range []Mount{
		{Dev: "8:1", Source: "/dev/sda1", Point: "/", Options: "rw,relatime", SuperOptions: "rw,errors=remount-ro"},
		{Dev: "8:1", Source: "/dev/sda1", Point: "/mnt/bind", Options: "ro", SuperOptions: "rw"},
		{Dev: "8:16", Source: "/dev/sdb", Point: `/a b\c`, Options: "rw", SuperOptions: "rw,data=journal"},
	} {
		if m := got.mounts[i].Mount; !reflect.DeepEqual(m, want) {
			t.Errorf("mount %d: %+v, want %+v", i, m, want)
		}
	}
	if n := len(got.mounts); n != 8 {
		t.Errorf("%d mounts of ext4", n)
	}
}

// A path is one by which the file can be reached: by a mount that has it and that no other
// one hides.
func TestPath(t *testing.T) {
	table := ParseTable(mountinfo)
	for _, c := range []struct{ dev, inside, want string }{
		{"8:1", "/srv/x", "/srv/x"}, {"8:1", "/x", "/x"},
		{"8:16", "/sub/f", `/a b\c/f`}, {"8:16", "/sub", `/a b\c`}, {"8:16", "/subway", ""}, {"8:16", "/f", ""},
		{"8:32", "/f", "/other/f"}, // its first mount lies below that of 8:48
		{"8:48", "/f", "/over/f"},
		{"8:64", "/f", ""}, {"8:80", "/f", ""}, // below the tmpfs
		{"8:99", "/f", ""},
	} {
		if got, ok := table.Path(c.dev, c.inside); got != c.want || ok != (c.want != "") {
			t.Errorf("%s of %s is %q, %v; want %q", c.inside, c.dev, got, ok, c.want)
		}
	}
}

// What is not known is said to be unknown.
func TestFacts(t *testing.T) {
	for _, c := range []struct {
		m    Mount
		want string
	}{
		{Mount{Point: "/", SuperOptions: "rw"}, "block size not known, options rw; features not known"},
		{Mount{Point: "/", SuperOptions: "rw", BlockSize: 1024, Features: []string{"extent", "64bit"}}, "blocks of 1024 bytes, options rw; features extent 64bit"},
		{Mount{Point: "/", SuperOptions: "rw", BlockSize: 4096, Since: 1}, "blocks of 4096 bytes, options rw; features not known; mounted while it was traced"},
		{Mount{Since: 1}, "not known: mounted while it was traced, and not where the tracer could see it"},
	} {
		if got := c.m.Facts(" "); got != c.want {
			t.Errorf("%+v: %s", c.m, got)
		}
	}
}

// The file system that is mounted now is told from the one that was there before.
func TestSame(t *testing.T) {
	first := Mount{Dev: "8:1", Point: "/a", instance: "1"}
	moved, other, another, blind := first, first, first, first
	moved.Point, other.Dev, another.instance = "/b", "8:2", "2"
	blind.instance, blind.Point = "", "/b"
	if !first.Same(&moved) || first.Same(&other) || first.Same(&another) || first.Same(&blind) {
		t.Error("not what it has to be")
	}
}

func TestParseSuper(t *testing.T) {
	b := make([]byte, superSize)
	if _, _, err := parseSuper(b); err == nil {
		t.Error("zeros are a super block")
	}
	le := binary.LittleEndian
	le.PutUint16(b[offMagic:], superMagic)
	le.PutUint32(b[offLogBlockSize:], 2)
	le.PutUint32(b[offCompat:], 1<<2)
	le.PutUint32(b[offIncompat:], 1<<6|1<<31)
	le.PutUint32(b[offROCompat:], 1<<9)
	size, features, err := parseSuper(b)
	if want := []string{"has_journal", "extent", "incompat:31", "bigalloc"}; err != nil || size != 4096 || !slices.Equal(features, want) {
		t.Errorf("%d, %v, %v; want 4096, %v", size, features, err, want)
	}
	le.PutUint32(b[offLogBlockSize:], 60)
	if _, _, err := parseSuper(b); err == nil {
		t.Error("a block size of 2^70 is accepted")
	}
}

// The names are those that the tools use.
func TestNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image")
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		mkfs = "/sbin/mkfs.ext4"
	}
	out, err := exec.Command(mkfs, "-q", "-b", "2048", "-O", "casefold,inline_data,quota,mmp", path, "8M").CombinedOutput()
	if err != nil {
		skip(t, "mkfs.ext4: %v: %s; install e2fsprogs", err, out)
	}
	dump, err := exec.Command(filepath.Join(filepath.Dir(mkfs), "dumpe2fs"), "-h", path).Output()
	if err != nil {
		skip(t, "dumpe2fs: %v; install e2fsprogs", err)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size, got, err := parseSuper(image[SuperOffset:])
	if err != nil || size != 2048 {
		t.Fatalf("block size %d, error %v", size, err)
	}
	_, line, _ := strings.Cut(string(dump), "Filesystem features:")
	line, _, _ = strings.Cut(line, "\n")
	want := strings.Fields(line)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("features %v, dumpe2fs says %v", got, want)
	}
}

// skip ends a test for want of a tool; in CI, where it has to be there, as a failure.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
