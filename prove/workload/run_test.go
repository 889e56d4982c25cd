package workload

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// testDir opens a directory of our own, or skips where there is no ext4.
func testDir(t *testing.T) *Dir {
	t.Helper()
	d, err := OpenDir(t.TempDir(), "work")
	if errors.Is(err, ErrUnfit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEnginesWrite(t *testing.T) {
	d := testDir(t)
	buf, err := NewBuffer(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Close()
	buf.Fill(3)
	for _, name := range Engines() {
		t.Run(string(name), func(t *testing.T) {
			if name == Loop {
				t.Skip("it needs a file that has its length: TestLoop")
			}
			e, err := NewEngine(name, 2)
			if errors.Is(err, ErrUnfit) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			fd, err := d.Create(string(name))
			if err != nil {
				t.Fatal(err)
			}
			want := buf.Bytes()[:5*4096]
			var reqs []Request
			for i := range 5 { // more than the depth
				reqs = append(reqs, Request{Fd: fd, Pos: int64(i) * 4096, Segs: [][]byte{want[i*4096 : (i+1)*4096]}})
			}
			if !name.OneSegment() {
				reqs[0].Segs = [][]byte{want[:512], want[512:4096]}
			}
			if !name.NoFlags() {
				reqs[1].Flags = unix.RWF_DSYNC
			}
			reqs = append(reqs, Request{Fd: -1, Segs: [][]byte{want[:512]}})
			res, err := e.Do(reqs)
			if errors.Is(err, ErrUnfit) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range res[:5] {
				if r.Err != nil || r.N != 4096 || r.Ret() != 4096 {
					t.Errorf("write %d: %d bytes, %v", i, r.N, r.Err)
				}
			}
			if res[5].Err != unix.EBADF || res[5].Ret() != -int64(unix.EBADF) {
				t.Errorf("write to no file: %+v, want EBADF", res[5])
			}
			got, err := os.ReadFile(filepath.Join(d.Path, filePrefix+string(name)))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("the file does not hold what was written (%d bytes, %v)", len(got), err)
			}
			if err := errors.Join(e.Close(), unix.Close(fd)); err != nil {
				t.Error(err)
			}
		})
	}
	if err := d.Close(false); err != nil {
		t.Error(err)
	}
}

func TestEngineRefuses(t *testing.T) {
	e, err := NewEngine(Pwrite, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Do([]Request{{Segs: [][]byte{nil}, Flags: unix.RWF_NOWAIT}}); !errors.Is(err, ErrRequest) {
		t.Errorf("pwrite with flags: %v, want ErrRequest", err)
	}
	if _, err := NewEngine("carrier pigeon", 1); !errors.Is(err, ErrUsage) {
		t.Errorf("unknown engine: %v, want ErrUsage", err)
	}
}

func TestRunMixed(t *testing.T) {
	d := testDir(t)
	p := mustPlan(t, Config{Tasks: 2, Writes: 64, Seed: 5}, d.FS)
	s, err := Run(context.Background(), d, p, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Skipped) == 0 && s.Issued != 128 {
		t.Errorf("%d writes, want 128", s.Issued)
	}
	if s.Failed() != 0 {
		t.Error(s)
	}
	if err := d.Close(false); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	d := testDir(t)
	p := mustPlan(t, Config{Name: "aligned", Tasks: 1, Writes: 1000}, d.FS)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := Run(ctx, d, p, 0, false)
	if err != nil || s.Issued != 0 {
		t.Errorf("%d writes after the end, %v", s.Issued, err)
	}
	if err := d.Close(false); err != nil {
		t.Error(err)
	}
}

func TestDirRefusesWhatIsNotOurs(t *testing.T) {
	testDir(t) // skips where it must
	parent := t.TempDir()
	mine := filepath.Join(parent, "precious")
	if err := os.MkdirAll(mine, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(mine, "thesis"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mine, filepath.Join(parent, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(parent, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	forged := filepath.Join(parent, "forged")
	if err := os.MkdirAll(forged, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(forged, markerName), []byte("something else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(parent, "bare") // the marker is empty, and not alone
	if err := os.MkdirAll(bare, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{markerName, filePrefix + "x"} {
		if err := os.WriteFile(filepath.Join(bare, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"precious", "link", "file", "forged", "bare"} {
		if _, err := OpenDir(parent, name); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%s: %v, want ErrNotOurs", name, err)
		}
	}
	if _, err := OpenDir("/proc", "x"); !errors.Is(err, ErrUnfit) {
		t.Errorf("/proc: %v, want ErrUnfit", err)
	}
	if _, err := OpenDir(filepath.Join(parent, "missing"), "x"); !errors.Is(err, ErrUsage) {
		t.Errorf("missing parent: %v, want ErrUsage", err)
	}
}

// A run that was killed leaves its directory; the next one takes it over,
// removes that run's files and keeps everything else.
func TestDirTakesOver(t *testing.T) {
	d := testDir(t)
	if _, err := d.Create("left"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Path, "note"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(filepath.Dir(d.Path), "work"); !errors.Is(err, ErrBusy) {
		t.Fatalf("second run: %v, want ErrBusy", err)
	}
	d.closeFds() // as if it had been killed
	d, err := OpenDir(filepath.Dir(d.Path), "work")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(d.Path, filePrefix+"left")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old file is still there: %v", err)
	}
	if err := d.Close(false); !errors.Is(err, ErrNotOurs) {
		t.Errorf("remove a directory with somebody's file: %v, want ErrNotOurs", err)
	}
	if _, err := os.Stat(filepath.Join(d.Path, "note")); err != nil {
		t.Errorf("somebody's file: %v", err)
	}
}

// A power cut can come before the marker is on the disk, or before its text is.
func TestDirTakesOverTheBeginning(t *testing.T) {
	testDir(t) // skips where it must
	parent := t.TempDir()
	for _, name := range []string{"empty", "begun"} {
		path := filepath.Join(parent, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if name == "begun" {
			if err := os.WriteFile(filepath.Join(path, markerName), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d, err := OpenDir(parent, name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text, err := os.ReadFile(filepath.Join(path, markerName)); err != nil || string(text) != markerText {
			t.Errorf("%s: the marker is %q, %v", name, text, err)
		}
		if err := d.Close(false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}

func TestExtents(t *testing.T) {
	d := testDir(t)
	bs := int64(d.FS.BlockSize)
	fd, err := makeFile(d, FileSpec{Name: "x", Allocate: 8 * bs, Written: []Range{{0, bs}, {3 * bs, bs}}, Size: 16 * bs})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	exts, err := Extents(fd)
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("this file system has no FIEMAP")
	}
	if err != nil {
		t.Fatal(err)
	}
	got := bytes.Repeat([]byte("H"), 16)
	for _, e := range exts {
		for b := e.Start / bs; b < (e.Start+e.Len)/bs; b++ {
			got[b] = byte(e.State)
		}
	}
	if string(got) != "WUUWUUUUHHHHHHHH" {
		t.Errorf("layout %s", got)
	}
	if err := d.Close(false); err != nil {
		t.Error(err)
	}
}
