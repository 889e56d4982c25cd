package storm

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// file is the file of a scene.
type file struct {
	*trial.File
	append int    // descriptor with O_DIRECT and O_APPEND
	flags  uint32 // of the inode, FS_*_FL
	dir    *workload.Dir
	name   string
}

// openFile makes the file of a scene.
func openFile(dir *workload.Dir, name string, noExtents bool) (*file, error) {
	t, err := trial.Create(dir, name)
	if err != nil {
		return nil, err
	}
	f := &file{File: t, append: -1, dir: dir, name: name}
	if noExtents {
		// That it is not offered shows in the flags.
		_ = workload.ChangeFlags(f.Buffered, 0, workload.FlagExtents)
	}
	f.append, err = dir.Open(name, unix.O_DIRECT|unix.O_APPEND)
	if err == nil {
		f.flags, err = workload.InodeFlags(f.Buffered)
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// mayBuffer reports whether direct writes to the file can end in the page cache: those
// to a hole of a block map, and to bytes in the inode, do.
func (f *file) mayBuffer() bool {
	return f.flags&workload.FlagExtents == 0 || f.flags&workload.FlagInline != 0
}

func (f *file) close() error {
	err := errors.Join(f.dir.Remove(f.name), f.Close())
	if f.append >= 0 {
		err = errors.Join(err, unix.Close(f.append))
	}
	return err
}

// do does an act with these bytes, which only opWritten uses.
func (f *file) do(a act, data []byte) error {
	var err error
	switch a.op {
	case opTruncate:
		err = f.Truncate(a.off)
	case opAllocate:
		err = f.Allocate(a.off, a.len)
	case opPunch:
		err = f.Punch(a.off, a.len)
	case opWritten:
		err = f.WriteBuffered(a.off, data)
	case opStat:
		var st unix.Stat_t
		err = unix.Fstat(f.Buffered, &st)
	case opTimestamp:
		err = f.Touch()
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
