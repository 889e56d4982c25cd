package cost

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// plain is a directory of files without direct I/O, which not every file system of a
// test machine has.
type plain string

func (p plain) Create(name string) (int, error) { return p.Open(name, unix.O_CREAT|unix.O_EXCL) }

func (p plain) Open(name string, flags int) (int, error) {
	return unix.Open(filepath.Join(string(p), name), unix.O_RDWR|unix.O_CLOEXEC|flags, 0o600)
}

// opened notes which files are opened once more, without direct I/O.
type opened struct {
	plain
	names []string
}

func (o *opened) Open(name string, flags int) (int, error) {
	o.names = append(o.names, name)
	return o.plain.Open(name, flags)
}

func TestLoadsNamed(t *testing.T) {
	all, err := LoadsNamed([]string{"direct", "unrelated"})
	if err != nil || len(all) != 8 {
		t.Fatalf("%d loads, %v", len(all), err)
	}
	for _, name := range LoadNames() {
		if _, err := LoadsNamed([]string{name}); err != nil {
			t.Error(err)
		}
	}
	for _, l := range all {
		if l.Direct() != slices.ContainsFunc(DirectWrites(), func(d Load) bool { return d.Name == l.Name }) {
			t.Errorf("%s: Direct() is %v", l.Name, l.Direct())
		}
	}
	for want, names := range map[string][]string{
		`no load is called "x"`: {"direct", "x"}, "load overwrite is given twice": {"direct", "overwrite"},
	} {
		if _, err := LoadsNamed(names); err == nil || err.Error() != want {
			t.Errorf("%v: %v, want %s", names, err, want)
		}
	}
	if l := OtherOverwrite("xfs"); l.Direct() || l.Title != "direct overwrite on xfs, 8 KiB" {
		t.Errorf("%+v", l)
	}
}

// What each load leaves behind in its file, and that it begins again at the file's end.
func TestLoads(t *testing.T) {
	for _, l := range append(DirectWrites(), Unrelated()...) {
		t.Run(l.Name, func(t *testing.T) {
			dir := t.TempDir()
			l.Size = batch * l.Step // so each batch is a lap
			files := opened{plain: plain(dir)}
			r, err := l.start(&files, l.Name)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			if l.Cached != slices.Contains(files.names, l.Name) {
				t.Errorf("opened without direct I/O: %v", files.names)
			}
			var s sample
			for s.calls < 2*batch {
				more, err := r.measure(time.Nanosecond)
				if err != nil {
					t.Fatal(err)
				}
				if more.calls != batch || more.took <= 0 {
					t.Fatalf("%+v, want one batch of %d", more, batch)
				}
				s.calls += more.calls
			}
			if r.next != batch {
				t.Errorf("the next call is %d, want %d: it did not begin again", r.next, batch)
			}
			b, err := os.ReadFile(filepath.Join(dir, l.Name))
			if err != nil {
				t.Fatal(err)
			}
			if want := l.Size; int64(len(b)) != want && l.Size >= 1<<20 || int64(len(b)) < want {
				t.Fatalf("%d bytes, want %d", len(b), want)
			}
			for _, at := range []int64{0, 1, batch - 1} {
				step := b[at*l.Step : (at+1)*l.Step]
				if l.Written {
					continue
				}
				in := step[l.Head : l.Head+int64(l.Len)]
				if !slices.ContainsFunc(in, func(c byte) bool { return c != 0 }) {
					t.Errorf("step %d was not written", at)
				}
				if slices.ContainsFunc(append(slices.Clone(step[:l.Head]), step[l.Head+int64(l.Len):]...), func(c byte) bool { return c != 0 }) {
					t.Errorf("step %d was written beside its %d bytes at %d", at, l.Len, l.Head)
				}
			}
		})
	}
}

// A call that cannot be made is an error with the load's name.
func TestLoadFails(t *testing.T) {
	l := Load{Name: "short", Len: 4096, Step: 4096, Size: batch * 4096, Empty: true, Read: true}
	r, err := l.start(plain(t.TempDir()), l.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if _, err := r.measure(time.Second); err == nil || !strings.Contains(err.Error(), "short: 0 bytes of 4096") {
		t.Errorf("reading an empty file: %v", err)
	}
}

func TestOther(t *testing.T) {
	if _, err := OpenOther(filepath.Join(t.TempDir(), "none")); !errors.Is(err, workload.ErrUsage) {
		t.Errorf("no such directory: %v", err)
	}
	parent := t.TempDir()
	o, err := OpenOther(parent)
	if errors.Is(err, workload.ErrUsage) && strings.Contains(err.Error(), "on an ext4") {
		return // as it has to be
	}
	if err != nil {
		t.Fatal(err)
	}
	fd, err := o.Open("file", unix.O_CREAT)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Close(fd), o.Close()); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
