package trial

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Way is a way of reading a file back.
type Way string

// The ways.
const (
	Direct Way = "with O_DIRECT"
	Cached Way = "through the page cache" // after its pages were dropped
)

// File is a file that direct writes are made to, and what it has to hold.
type File struct {
	Direct   int // descriptor with O_DIRECT
	Buffered int // descriptor without
	ID       FileID
	// Shadow is what it has to hold. The methods keep it; direct writes are up to
	// whoever makes them.
	Shadow shadow.File

	blockSize int64
	back      workload.GrowingBuffer // to read into
}

// Create makes a file in a directory.
func Create(d *workload.Dir, name string) (_ *File, err error) {
	f := &File{Direct: -1, Buffered: -1, blockSize: int64(d.FS.BlockSize)}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if f.Direct, err = d.Create(name); err != nil {
		return nil, err
	}
	if f.Buffered, err = d.Open(name, 0); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(f.Direct, &st); err != nil {
		return nil, fmt.Errorf("find inode of %s: %w", name, err)
	}
	f.ID = FileID{Dev: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev), Ino: st.Ino}
	return f, nil
}

// Close closes the descriptors. The file stays.
func (f *File) Close() error {
	err := f.back.Close()
	for _, fd := range []int{f.Direct, f.Buffered} {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
	}
	return err
}

// Fallocate allocates blocks, and i_size follows.
func (f *File) Fallocate(off, n int64) error {
	err := workload.Again(func() error { return unix.Fallocate(f.Buffered, 0, off, n) })
	if err == nil {
		f.Shadow.Extend(off + n)
	}
	return err
}

// Allocate allocates blocks and leaves i_size.
func (f *File) Allocate(off, n int64) error {
	return workload.Again(func() error { return unix.Fallocate(f.Buffered, unix.FALLOC_FL_KEEP_SIZE, off, n) })
}

// Punch makes a hole and leaves i_size.
func (f *File) Punch(off, n int64) error {
	err := workload.Again(func() error {
		return unix.Fallocate(f.Buffered, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	})
	if err == nil {
		f.Shadow.Punch(off, n)
	}
	return err
}

// Truncate sets i_size.
func (f *File) Truncate(size int64) error {
	err := unix.Ftruncate(f.Buffered, size)
	if err == nil {
		f.Shadow.Truncate(size)
	}
	return err
}

// WriteBuffered writes through the page cache.
func (f *File) WriteBuffered(off int64, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Pwrite(f.Buffered, data, off)
		if err != nil {
			return err
		}
		f.Shadow.Write(off, data[:n])
		data, off = data[n:], off+int64(n)
	}
	return nil
}

// Touch sets mtime and atime to the kernel's now, which a number of ours is not.
func (f *File) Touch() error {
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(f.Buffered), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// Size is i_size. A stat would make ext4's timestamps multigrain, and the NOWAIT writes
// after it fail.
func (f *File) Size() (int64, error) {
	size, err := unix.Seek(f.Buffered, 0, unix.SEEK_END)
	if err != nil {
		return 0, fmt.Errorf("read i_size: %w", err)
	}
	return size, nil
}

// ReadAt reads n bytes with O_DIRECT, fewer at the end of the file. They are valid until
// the next call that reads.
func (f *File) ReadAt(off, n int64) ([]byte, error) { return f.read(f.Direct, off, n, Direct) }

func (f *File) read(fd int, off, n int64, way Way) ([]byte, error) {
	mem, err := f.back.Bytes(n)
	if err != nil {
		return nil, err
	}
	got, err := unix.Pread(fd, mem[:n], off)
	if err != nil {
		return nil, fmt.Errorf("read back %s: %w", way, err)
	}
	return mem[:got], nil
}

// Read reads the whole file. The bytes are valid until the next call that reads.
func (f *File) Read(way Way) ([]byte, error) {
	fd := f.Direct
	if way == Cached {
		fd = f.Buffered
		if err := workload.SyncAndDrop(fd); err != nil {
			return nil, err
		}
	}
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	return f.read(fd, 0, (size/f.blockSize+1)*f.blockSize, way)
}

// ReadBack compares the file with what it has to hold: with O_DIRECT, and through the
// page cache after it was dropped. It names the differences.
func (f *File) ReadBack() ([]string, error) {
	var out []string
	for _, way := range []Way{Direct, Cached} {
		got, err := f.Read(way)
		if err != nil {
			return nil, err
		}
		if why := f.Shadow.Compare(got); why != "" {
			out = append(out, fmt.Sprintf("read %s: %s", way, why))
		}
	}
	return out, nil
}

// Verify compares the files that a run kept, in its directory name below dir, with what
// they held, once more after the caller has mounted the file system again. It tells note
// what each is the file of and why it differs, or "", and removes them.
func Verify[T any](ctx context.Context, dir, name string, kept *shadow.Kept[T], note func(of T, why string)) error {
	for _, file := range kept.Names() {
		if err := ctx.Err(); err != nil {
			return err
		}
		note(kept.Differs(filepath.Join(dir, name), file))
	}
	d, err := workload.OpenDir(dir, name)
	if err != nil {
		return err
	}
	return d.Close(false)
}

// Layout is a layout as the model takes it. With apart no extent continues the one before
// it, wherever it lies.
func Layout(exts []workload.Extent, bs int64, apart bool) model.Extents {
	var out model.Extents
	pos, next := int64(0), int64(-1)
	for _, e := range exts {
		if e.Start > pos {
			out = append(out, model.Extent{Len: uint32((e.Start - pos) / bs), State: model.Hole})
			next = -1
		}
		x := model.Extent{Len: uint32(e.Len / bs), State: model.Written, Apart: apart || e.Physical != next}
		switch e.State {
		case workload.Unwritten:
			x.State = model.Unwritten
		case workload.Delayed:
			x.State, x.Apart = model.Delayed, false
		}
		out = append(out, x)
		pos, next = e.Start+e.Len, e.Physical+e.Len
	}
	return out
}
