package workload

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Inode flags for ChangeFlags (FS_*_FL of include/uapi/linux/fs.h).
const (
	FlagImmutable = 0x10
	FlagJournal   = 0x4000     // data goes through the journal: chattr +j
	FlagExtents   = 0x80000    // clear: the inode has a block map
	FlagInline    = 0x10000000 // the bytes may lie in the inode
)

// InodeFlags are the flags of an inode, as lsattr shows them.
func InodeFlags(fd int) (uint32, error) {
	flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
	if err != nil {
		return 0, fmt.Errorf("read inode flags: %w", err)
	}
	return flags, nil
}

// ChangeFlags sets and clears inode flags, as chattr does.
func ChangeFlags(fd int, set, unset int) error {
	flags, err := InodeFlags(fd)
	if err != nil {
		return err
	}
	flags = flags&^uint32(unset) | uint32(set)
	if err := unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(int32(flags))); err != nil {
		return fmt.Errorf("set inode flags %#x: %w", flags, err)
	}
	return nil
}

// WriteBuffered writes n bytes at off through the page cache of fd, which must
// not be opened with O_DIRECT.
func WriteBuffered(fd int, off, n int64) error {
	chunk := make([]byte, min(n, 1<<20))
	for i := range chunk {
		chunk[i] = byte(i) | 1
	}
	for n > 0 {
		w, err := unix.Pwrite(fd, chunk[:min(n, int64(len(chunk)))], off)
		if err != nil {
			return fmt.Errorf("write %d bytes at %d: %w", n, off, err)
		}
		off, n = off+int64(w), n-int64(w)
	}
	return nil
}

// SyncAndDrop writes a file back and drops its pages from the cache.
func SyncAndDrop(fd int) error {
	if err := unix.Fsync(fd); err != nil {
		return fmt.Errorf("sync file: %w", err)
	}
	if err := unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("drop cached pages: %w", err)
	}
	return nil
}

// BlockState is how a block of a file is mapped on disk.
type BlockState byte

// States of a block.
const (
	Hole      BlockState = 'H'
	Written   BlockState = 'W'
	Unwritten BlockState = 'U'
	Delayed   BlockState = 'D' // in the page cache, not yet allocated
)

// Extent is a run of blocks of one state, as FIEMAP reports it.
type Extent struct {
	Start, Len int64 // bytes in the file
	Physical   int64 // bytes on the device; 0 when not allocated
	State      BlockState
}

// The interface of include/uapi/linux/fiemap.h.
const (
	iocFiemap       = 0xc020660b
	fiemapLast      = 0x1
	fiemapDelalloc  = 0x4
	fiemapUnwritten = 0x800
	fiemapBatch     = 64
)

type fiemapExtent struct {
	logical, physical, length uint64
	_                         [2]uint64
	flags                     uint32
	_                         [3]uint32
}

type fiemap struct {
	start, length                  uint64
	flags, mapped, count, reserved uint32
	extents                        [fiemapBatch]fiemapExtent
}

// Extents lists the extents of a file in order, without its holes. It does not
// write anything back.
func Extents(fd int) ([]Extent, error) {
	var out []Extent
	for start := uint64(0); ; {
		fm := fiemap{start: start, length: ^uint64(0) - start, count: fiemapBatch}
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), iocFiemap, uintptr(unsafe.Pointer(&fm)))
		if e != 0 {
			return nil, fmt.Errorf("read extents: %w", e)
		}
		for _, x := range fm.extents[:min(fm.mapped, fiemapBatch)] {
			ext := Extent{Start: int64(x.logical), Len: int64(x.length), Physical: int64(x.physical), State: Written}
			switch {
			case x.flags&fiemapDelalloc != 0:
				ext.State, ext.Physical = Delayed, 0
			case x.flags&fiemapUnwritten != 0:
				ext.State = Unwritten
			}
			out = append(out, ext)
			start = x.logical + x.length
			if x.flags&fiemapLast != 0 {
				return out, nil
			}
		}
		if fm.mapped == 0 {
			return out, nil
		}
	}
}

// makeFile creates the file of a spec with its layout, through the page cache,
// so that nothing but the workload itself writes directly.
func makeFile(d *Dir, spec FileSpec) (fd int, err error) {
	if fd, err = d.Create(spec.Name); err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("lay out file %s: %w", spec.Name, err)
			_ = unix.Close(fd)
			fd = -1
		}
	}()
	buffered, err := d.Open(spec.Name, 0)
	if err != nil {
		return fd, err
	}
	defer func() { err = errors.Join(err, unix.Close(buffered)) }()
	if spec.Allocate > 0 {
		if err := Again(func() error { return unix.Fallocate(buffered, 0, 0, spec.Allocate) }); err != nil {
			return fd, fmt.Errorf("fallocate %d bytes: %w", spec.Allocate, err)
		}
	}
	for _, r := range spec.Written {
		if err := WriteBuffered(buffered, r.Off, r.Len); err != nil {
			return fd, err
		}
	}
	if spec.Size > 0 {
		if err := unix.Ftruncate(buffered, spec.Size); err != nil {
			return fd, fmt.Errorf("truncate to %d bytes: %w", spec.Size, err)
		}
	}
	return fd, SyncAndDrop(buffered)
}
