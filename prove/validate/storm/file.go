package storm

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// inlineData is FS_INLINE_DATA_FL of include/uapi/linux/fs.h: the bytes may lie in the
// inode, and writes then go through the page cache.
const inlineData = 0x10000000

// file is the file of a scene.
type file struct {
	direct   int // descriptor with O_DIRECT
	append   int // with O_DIRECT and O_APPEND
	buffered int // without both
	id       validate.FileID
	flags    uint32 // of the inode, FS_*_FL
	dir      *workload.Dir
	name     string
}

// openFile makes the file of a scene. What it returns wants close also with an error.
func openFile(dir *workload.Dir, name string, noExtents bool) (*file, error) {
	f := &file{direct: -1, append: -1, buffered: -1, dir: dir, name: name}
	var err error
	if f.direct, err = dir.Create(name); err != nil {
		return f, err
	}
	if f.append, err = dir.Open(name, unix.O_DIRECT|unix.O_APPEND); err != nil {
		return f, err
	}
	if f.buffered, err = dir.Open(name, 0); err != nil {
		return f, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(f.direct, &st); err != nil {
		return f, fmt.Errorf("find inode of %s: %w", name, err)
	}
	f.id = validate.FileID{Dev: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev), Ino: st.Ino}
	if noExtents {
		// That it is not offered shows in the flags.
		_ = workload.ChangeFlags(f.buffered, 0, workload.FlagExtents)
	}
	if f.flags, err = unix.IoctlGetUint32(f.buffered, unix.FS_IOC_GETFLAGS); err != nil {
		return f, fmt.Errorf("read inode flags of %s: %w", name, err)
	}
	return f, nil
}

// mayBuffer reports whether direct writes to the file can end in the page cache.
func (f *file) mayBuffer() bool {
	return f.flags&workload.FlagExtents == 0 || f.flags&inlineData != 0
}

func (f *file) close() error {
	if f.direct < 0 {
		return nil
	}
	errs := []error{f.dir.Remove(f.name)}
	for _, fd := range []int{f.direct, f.append, f.buffered} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

// do does an act with these bytes, which only opWritten uses.
func (f *file) do(a act, data []byte) error {
	var err error
	switch a.op {
	case opTruncate:
		err = unix.Ftruncate(f.buffered, a.off)
	case opAllocate:
		err = unix.Fallocate(f.buffered, unix.FALLOC_FL_KEEP_SIZE, a.off, a.len)
	case opPunch:
		err = unix.Fallocate(f.buffered, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, a.off, a.len)
	case opWritten:
		_, err = unix.Pwrite(f.buffered, data, a.off)
	case opStat:
		var st unix.Stat_t
		err = unix.Fstat(f.buffered, &st)
	case opTimestamp:
		now := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
		err = unix.UtimesNanoAt(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.buffered), now, 0)
	default:
		err = unix.EINVAL
	}
	if err != nil {
		return fmt.Errorf("%s %d+%d: %w", a.op, a.off, a.len, err)
	}
	return nil
}

func (o op) String() string {
	return [...]string{"truncate to", "fallocate", "punch", "lay out", "stat", "set timestamps"}[min(o, opTimestamp)]
}

// readDirect reads the whole file into the memory of b, at most size bytes and one
// block.
func (f *file) readDirect(b *workload.Buffer, size, bs int64) ([]byte, error) {
	n := (size/bs + 2) * bs
	got, err := unix.Pread(f.direct, b.Bytes()[:n], 0)
	if err != nil {
		return nil, fmt.Errorf("read back with O_DIRECT: %w", err)
	}
	return b.Bytes()[:got], nil
}

// readCached reads it through the page cache after its pages were dropped.
func (f *file) readCached(b *workload.Buffer, size, bs int64) ([]byte, error) {
	if err := workload.SyncAndDrop(f.buffered); err != nil {
		return nil, err
	}
	got, err := unix.Pread(f.buffered, b.Bytes()[:(size/bs+2)*bs], 0)
	if err != nil {
		return nil, fmt.Errorf("read back through the page cache: %w", err)
	}
	return b.Bytes()[:got], nil
}
