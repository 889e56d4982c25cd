package ext4fs

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseMounts(t *testing.T) {
	got := parseMounts(`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:21 / /proc rw - proc proc rw
24 22 8:1 /srv /mnt/bind ro - ext4 /dev/sda1 rw
25 22 8:16 / /a\040b\134c rw master:2 shared:3 - ext3 /dev/sdb rw,data=journal
26 22 8:32 / /x
`)
	want := []Mount{
		{Dev: "8:1", Source: "/dev/sda1", Point: "/", Options: "rw,relatime", SuperOptions: "rw,errors=remount-ro"},
		{Dev: "8:16", Source: "/dev/sdb", Point: `/a b\c`, Options: "rw", SuperOptions: "rw,data=journal"},
	}
	if len(got) != len(want) {
		t.Fatalf("mounts: %+v", got)
	}
	for i, m := range got {
		if m.Features = nil; m.Dev != want[i].Dev || m.Source != want[i].Source || m.Point != want[i].Point ||
			m.Options != want[i].Options || m.SuperOptions != want[i].SuperOptions {
			t.Errorf("mount %d: %+v, want %+v", i, m, want[i])
		}
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
