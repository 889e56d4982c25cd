package workload

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEngineLimits: what a path cannot express it refuses before it writes.
func TestEngineLimits(t *testing.T) {
	d := testDir(t)
	defer d.Close(false)
	buf, err := NewBuffer(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Close()
	b := buf.Bytes()
	fd, err := d.Create("limits")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, name := range Engines() {
		t.Run(string(name), func(t *testing.T) {
			e, err := NewEngine(name, 1)
			if errors.Is(err, ErrUnfit) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			bad := map[string]Request{}
			if name.OneSegment() {
				bad["two segments"] = Request{Fd: fd, Segs: [][]byte{b[:512], b[512:1024]}}
			}
			if name.NoFlags() {
				bad["a flag"] = Request{Fd: fd, Segs: [][]byte{b[:512]}, Flags: unix.RWF_NOWAIT}
			}
			if name.Async() && name != Loop {
				many := make([][]byte, MaxSegs+1)
				for i := range many {
					many[i] = b[:512]
				}
				bad["many segments"] = Request{Fd: fd, Segs: many}
			}
			for what, r := range bad {
				if _, err := e.Do([]Request{r}); !errors.Is(err, ErrRequest) {
					t.Errorf("%s: %v, want ErrRequest", what, err)
				}
			}
			if n, err := unix.Seek(fd, 0, unix.SEEK_END); n != 0 || err != nil {
				t.Errorf("the file has %d bytes, %v", n, err)
			}
		})
	}
}

// TestLoop writes through a loop device, which must be gone afterwards.
func TestLoop(t *testing.T) {
	d := testDir(t)
	defer d.Close(false)
	buf, err := NewBuffer(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Close()
	buf.Fill(9)
	fd, err := d.Create("loop")
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, 10000); err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(Loop, 1)
	if errors.Is(err, ErrUnfit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes()
	res, err := e.Do([]Request{{Fd: fd, Pos: 512, Segs: [][]byte{b[:1024], b[4096:4608]}}, {Fd: fd, Pos: 8192, Segs: [][]byte{b[:1536]}}})
	if errors.Is(err, ErrUnfit) {
		t.Skip(err)
	}
	if err != nil || res[0].Ret() != 1536 || res[1].Ret() != 1536 {
		t.Fatal(res, err)
	}
	want := make([]byte, 10000)
	copy(want[512:], b[:1024])
	copy(want[1536:], b[4096:4608])
	copy(want[8192:], b[:1536])
	if got, err := os.ReadFile(filepath.Join(d.Path, filePrefix+"loop")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file does not hold what was written, %v", err)
	}
	for _, pos := range []int64{9728, 10240, 100} {
		if _, err := e.Do([]Request{{Fd: fd, Pos: pos, Segs: [][]byte{b[:512]}}}); !errors.Is(err, ErrRequest) {
			t.Errorf("write at %d: %v, want ErrRequest", pos, err)
		}
	}
	if err := errors.Join(e.Close(), unix.Close(fd)); err != nil {
		t.Error(err)
	}
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, f := range files {
		if name, _ := os.ReadFile(f); bytes.Contains(name, []byte(filePrefix+"loop")) {
			t.Errorf("%s is still attached to %s", f, name)
		}
	}
}
