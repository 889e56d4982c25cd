package cost

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Load is one kind of system call that is repeated by one task.
type Load struct {
	Name  string // for reports
	Title string
	Len   int   // bytes a call
	Step  int64 // from one offset to the next, bytes
	Head  int64 // of the first call within its step, bytes
	Size  int64 // of the file, bytes; at its end it is laid out again

	Written bool // the file's blocks are written, otherwise allocated and unwritten
	Empty   bool // the file is empty: every write extends it
	Cached  bool // through the page cache
	Read    bool
	Other   bool // on another file system than ext4
	Beside  bool // a direct write has gone to the same file
}

// Direct tells whether each call is a write that a tracer is to see.
func (l Load) Direct() bool { return !l.Read && !l.Cached && !l.Other }

// Files is a directory in which the files of loads are made, with direct I/O.
// workload.Dir is one.
type Files interface {
	Create(name string) (fd int, err error)          // open for direct I/O
	Open(name string, flags int) (fd int, err error) // once more, with flags beside O_RDWR
}

// DirectWrites are the kinds of writes of which the cost of tracing is measured.
func DirectWrites() []Load {
	return []Load{
		{Name: "overwrite", Title: "aligned overwrite, 8 KiB", Len: 8192, Step: 8192, Size: 32 << 20, Written: true},
		{Name: "unaligned", Title: "unaligned overwrite, 512 B", Len: 512, Step: 4096, Head: 512, Size: 32 << 20, Written: true},
		{Name: "zeroing", Title: "zeroing write, 512 B into an unwritten block", Len: 512, Step: 4096, Head: 512, Size: 64 << 20},
		{Name: "extending", Title: "extending write, 4 KiB", Len: 4096, Step: 4096, Size: 64 << 20, Empty: true},
	}
}

// Unrelated are loads that a tracer of direct writes has no business with.
func Unrelated() []Load {
	return []Load{
		{Name: "read", Title: "direct read, 4 KiB", Len: 4096, Step: 4096, Size: 32 << 20, Written: true, Read: true},
		{Name: "cached-read", Title: "cached read, 4 KiB", Len: 4096, Step: 4096, Size: 32 << 20, Written: true, Read: true, Cached: true},
		{Name: "cached-4k", Title: "buffered write, 4 KiB", Len: 4096, Step: 4096, Size: 32 << 20, Written: true, Cached: true},
		{Name: "cached-64k", Title: "buffered write, 64 KiB", Len: 64 << 10, Step: 64 << 10, Size: 32 << 20, Written: true, Cached: true},
	}
}

// Beside are loads of those who may hold i_rwsem of a file that direct writes go to.
func Beside() []Load {
	var out []Load
	for _, l := range Unrelated() {
		if l.Name == "read" || l.Name == "cached-4k" {
			l.Name, l.Title, l.Beside = "beside-"+l.Name, l.Title+", of a file with direct writes", true
			out = append(out, l)
		}
	}
	return out
}

// OtherOverwrite is the first of DirectWrites on a file system of the given name.
func OtherOverwrite(fs string) Load {
	l := DirectWrites()[0]
	l.Name, l.Title, l.Other = "other", "direct overwrite on "+fs+", 8 KiB", true
	return l
}

// LoadNames are the names that LoadsNamed knows.
func LoadNames() []string {
	names := []string{"direct", "unrelated", "beside"}
	for _, l := range slices.Concat(DirectWrites(), Unrelated(), Beside()) {
		names = append(names, l.Name)
	}
	return names
}

// LoadsNamed finds loads by their names; "direct", "unrelated" and "beside" are all of a kind.
func LoadsNamed(names []string) ([]Load, error) {
	var out []Load
	known := slices.Concat(DirectWrites(), Unrelated(), Beside())
	for _, name := range names {
		switch name {
		case "direct":
			out = append(out, DirectWrites()...)
		case "unrelated":
			out = append(out, Unrelated()...)
		case "beside":
			out = append(out, Beside()...)
		default:
			i := slices.IndexFunc(known, func(l Load) bool { return l.Name == name })
			if i < 0 {
				return nil, fmt.Errorf("no load is called %q", name)
			}
			out = append(out, known[i])
		}
	}
	for i, l := range out {
		if slices.ContainsFunc(out[:i], func(o Load) bool { return o.Name == l.Name }) {
			return nil, fmt.Errorf("load %s is given twice", l.Name)
		}
	}
	return out, nil
}

// run is a load in progress on a file of its own.
type run struct {
	load Load
	fd   int
	with int // for the direct write beside, or -1
	ino  uint64
	buf  *workload.Buffer
	next int64 // step
}

// start makes the file of a load and lays it out.
func (l Load) start(d Files, name string) (r *run, err error) {
	fd, err := d.Create(name)
	if err != nil {
		return nil, err
	}
	r = &run{load: l, fd: fd, with: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.closeFiles())
		}
	}()
	if l.Beside {
		if r.with, err = d.Open(name, unix.O_DIRECT); err != nil {
			return nil, err
		}
	}
	if l.Cached {
		cached, err := d.Open(name, 0)
		if err != nil {
			return nil, err
		}
		if err := unix.Close(fd); err != nil {
			return nil, fmt.Errorf("close %s: %w", name, err)
		}
		r.fd = cached
	}
	var st unix.Stat_t
	if err := unix.Fstat(r.fd, &st); err != nil {
		return nil, fmt.Errorf("stat %s: %w", name, err)
	}
	r.ino = st.Ino
	if r.buf, err = workload.NewBuffer(max(l.Len, 1<<20)); err != nil {
		return nil, err
	}
	r.buf.Fill(1)
	if err := r.layOut(); err != nil {
		return nil, errors.Join(fmt.Errorf("lay out %s: %w", name, err), r.buf.Close())
	}
	return r, nil
}

func (r *run) close() error { return errors.Join(r.buf.Close(), r.closeFiles()) }

func (r *run) closeFiles() error {
	if r.with < 0 {
		return unix.Close(r.fd)
	}
	return errors.Join(unix.Close(r.fd), unix.Close(r.with))
}

// layOut makes the blocks what the load wants them to be.
func (r *run) layOut() error {
	r.next = 0
	if !r.load.Written || r.load.Empty {
		if err := unix.Ftruncate(r.fd, 0); err != nil {
			return err
		}
	}
	if r.load.Empty {
		return nil
	}
	if err := unix.Fallocate(r.fd, 0, 0, r.load.Size); err != nil {
		return err
	}
	if !r.load.Written {
		return nil
	}
	b := r.buf.Bytes()[:1<<20]
	for off := int64(0); off < r.load.Size; off += int64(len(b)) {
		if _, err := unix.Pwrite(r.fd, b, off); err != nil {
			return err
		}
	}
	return unix.Fsync(r.fd)
}

// once is one call.
func (r *run) once() error {
	off := r.next*r.load.Step + r.load.Head
	b := r.buf.Bytes()[:r.load.Len]
	var n int
	var err error
	if r.load.Read {
		n, err = unix.Pread(r.fd, b, off)
	} else {
		n, err = unix.Pwrite(r.fd, b, off)
	}
	if err == nil && n != len(b) {
		err = fmt.Errorf("%d bytes of %d", n, len(b))
	}
	r.next++
	return err
}

// batch is how many calls are made between two looks at the clock.
const batch = 64

// sample is what some calls took.
type sample struct {
	calls int
	took  time.Duration
	cpu   time.Duration // of the writing task, in user mode and in the kernel
}

// measure repeats the call for at least the given time. Laying out the file again
// is not counted.
func (r *run) measure(least time.Duration) (s sample, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if r.load.Cached {
		// What is written back later belongs to no sample.
		if err := unix.Fsync(r.fd); err != nil {
			return s, fmt.Errorf("write %s back: %w", r.load.Name, err)
		}
	}
	if r.load.Beside {
		if _, err := unix.Pwrite(r.with, r.buf.Bytes()[:4096], 0); err != nil {
			return s, fmt.Errorf("%s: direct write beside: %w", r.load.Name, err)
		}
	}
	for s.took < least {
		if (r.next+batch)*r.load.Step > r.load.Size {
			if r.load.Written {
				r.next = 0
			} else if err := r.layOut(); err != nil {
				return s, fmt.Errorf("lay out the file again: %w", err)
			}
		}
		cpu, began := clock.Thread(), time.Now()
		for range batch {
			if err := r.once(); err != nil {
				return s, fmt.Errorf("%s: %w", r.load.Name, err)
			}
		}
		s.took += time.Since(began)
		s.cpu += clock.Thread() - cpu
		s.calls += batch
	}
	return s, nil
}
