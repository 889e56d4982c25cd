package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// A layout that is not what the test wants is no base for a measurement.
func TestVerifyLayout(t *testing.T) {
	d := testDir(t)
	test := Tests()[1]
	for name, change := range map[string]func(fd int) error{
		"an unwritten block is written": func(fd int) error { return workload.WriteBuffered(fd, 4096, 4096) },
		"a block is missing": func(fd int) error {
			return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 8192, 4096)
		},
		"the end is missing":        func(fd int) error { return unix.Ftruncate(fd, 9*test.Stripe) },
		"a written block is zeroed": func(fd int) error { return unix.Fallocate(fd, unix.FALLOC_FL_ZERO_RANGE, 3*4096, 4096) },
	} {
		fd, err := test.build(d, 10*test.Stripe, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(change(fd), unix.Fsync(fd))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := test.verifyLayout(fd, 10*test.Stripe); !errors.Is(err, workload.ErrUnfit) {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(unix.Close(fd), d.Remove(fileName)); err != nil {
			t.Fatal(err)
		}
	}
}

// The layout counts, and not how many extents it takes: a disk that is in use has no
// room in one piece, and with blocks of 1 KiB an extent may end within a quarter.
func TestCompareLayout(t *testing.T) {
	x := func(start, n int64, state workload.BlockState) workload.Extent {
		return workload.Extent{Start: start << 10, Len: n << 10, State: state}
	}
	const w, u = workload.Written, workload.Unwritten
	for _, c := range []struct {
		name    string
		extents []workload.Extent
		fits    bool
	}{
		{"one piece", []workload.Extent{x(0, 4, w), x(4, 8, u), x(12, 4, w)}, true},
		{"longer than the file", []workload.Extent{x(0, 4, w), x(4, 8, u), x(12, 400, w)}, true},
		{"torn within a quarter", []workload.Extent{x(0, 1, w), x(1, 3, w), x(4, 5, u), x(9, 3, u), x(12, 4, w)}, true},
		{"a quarter is too short", []workload.Extent{x(0, 3, w), x(3, 9, u), x(12, 4, w)}, false},
		{"a quarter is too long", []workload.Extent{x(0, 5, w), x(5, 7, u), x(12, 4, w)}, false},
		{"a hole within a quarter", []workload.Extent{x(0, 1, w), x(2, 2, w), x(4, 8, u), x(12, 4, w)}, false},
		{"delayed", []workload.Extent{x(0, 4, workload.Delayed), x(4, 8, u), x(12, 4, w)}, false},
		{"the end is missing", []workload.Extent{x(0, 4, w), x(4, 8, u), x(12, 3, w)}, false},
		{"nothing", nil, false},
	} {
		err := Tests()[1].compareLayout(c.extents, 16<<10)
		if (err == nil) != c.fits || err != nil && !errors.Is(err, workload.ErrUnfit) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A file that cannot be laid out is not left behind.
func TestBuildCleansUp(t *testing.T) {
	d := testDir(t)
	if _, err := Tests()[0].build(d, 1<<42, 1); !errors.Is(err, workload.ErrUnfit) {
		t.Errorf("4 TiB: %v", err)
	}
	if _, err := os.Stat(filepath.Join(d.Path, workload.FileName(fileName))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestNoRoom: a file that does not fit is refused before anything is allocated, so that
// nobody else finds the disk full.
func TestNoRoom(t *testing.T) {
	d := testDir(t)
	_, err := Tests()[0].build(d, 1<<50, 0)
	if !errors.Is(err, workload.ErrUnfit) || !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "bytes are free") {
		t.Errorf("%v", err)
	}
}
