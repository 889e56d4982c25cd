package bench

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// fileName is the one file that is written to.
const fileName = "bench"

// chunk is how much of the file is laid out, or read back, with one call, bytes.
const chunk = 1 << 20

// layoutByte fills the written blocks of one round. Blocks of an earlier round's
// file, seen where they must not be, hold another one.
func layoutByte(round int) byte { return byte(1 + round%250) }

// build makes the file of a round: size bytes of stripes, each laid out as the test
// wants it, nothing of it in the page cache. It returns the descriptor for direct
// writes, which the caller closes.
func (t Test) build(d *workload.Dir, size int64, round int) (fd int, err error) {
	if fd, err = d.Create(fileName); err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("lay out a file of %d bytes: %w", size, err), unix.Close(fd), d.Remove(fileName))
			fd = -1
		}
	}()
	cached, err := d.Open(fileName, 0)
	if err != nil {
		return fd, err
	}
	defer func() { err = errors.Join(err, unix.Close(cached)) }()
	// An allocation that fails takes all that is left until it is given back.
	var fs unix.Statfs_t
	if err := unix.Fstatfs(cached, &fs); err != nil {
		return fd, fmt.Errorf("read free space: %w", err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); uint64(size) > free {
		return fd, fmt.Errorf("allocate it: %w: %d bytes are free: %w", workload.ErrUnfit, free, unix.ENOSPC)
	}
	// One allocation keeps the file in one piece; what is written afterwards is
	// split off from it.
	if err := unix.Fallocate(cached, 0, 0, size); err != nil {
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSPC) {
			return fd, fmt.Errorf("allocate it: %w: %w", workload.ErrUnfit, err)
		}
		return fd, fmt.Errorf("allocate it: %w", err)
	}
	if err := t.writeLayout(cached, size, layoutByte(round)); err != nil {
		return fd, err
	}
	if err := workload.SyncAndDrop(cached); err != nil {
		return fd, err
	}
	return fd, t.verifyLayout(cached, size)
}

// writeLayout writes the blocks that have to be written, through the page cache.
func (t Test) writeLayout(fd int, size int64, fill byte) error {
	run := make([]byte, 2*t.quarter)
	for i := range run {
		run[i] = fill
	}
	for off := int64(0); off < size; {
		n := int64(0)
		for off+n < size && n < int64(len(run)) && t.state(off+n) == workload.Written {
			n += t.quarter
		}
		if n > 0 {
			if _, err := unix.Pwrite(fd, run[:n], off); err != nil {
				return fmt.Errorf("write %d bytes at %d: %w", n, off, err)
			}
		}
		off += max(n, t.quarter)
	}
	return nil
}

// verifyLayout compares what FIEMAP says with what was wanted: the file system may
// write zeroes to small unwritten extents instead of splitting them, and then the
// test would not be the test.
func (t Test) verifyLayout(fd int, size int64) error {
	extents, err := workload.Extents(fd)
	if err != nil {
		return err
	}
	return t.compareLayout(extents, size)
}

// compareLayout compares extents with the layout. Where they are torn apart on disk
// does not matter: with blocks of 1 KiB that may be within a quarter.
func (t Test) compareLayout(extents []workload.Extent, size int64) error {
	pos := int64(0)
	for _, x := range extents {
		if x.Start > pos {
			break
		}
		for end := min(x.Start+x.Len, size); pos < end; pos = min(end, pos-pos%t.quarter+t.quarter) {
			if x.State != t.state(pos) {
				return fmt.Errorf("verify its extents: %w: at %d it is %c and has to be %c", workload.ErrUnfit, pos, x.State, t.state(pos))
			}
		}
	}
	if pos < size {
		return fmt.Errorf("verify its extents: %w: nothing allocated at %d", workload.ErrUnfit, pos)
	}
	return nil
}
