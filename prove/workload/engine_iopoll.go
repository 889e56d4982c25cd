package workload

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// checkPoll says why writes to the file behind fd cannot be polled for. A disk
// without queues for polling refuses them since Linux 6.12, and only when they come
// to it. So a read tells, of a file of no name beside this one: whoever traces
// direct writes does not see it.
func (u *uring) checkPoll(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil // the write itself will tell
	}
	if why, known := u.polled[st.Dev]; known {
		return why
	}
	why := u.tryPoll(fd, 2*int(st.Blksize))
	if why == nil || errors.Is(why, ErrUnfit) {
		u.polled[st.Dev] = why
	}
	return why
}

func (u *uring) tryPoll(fd, size int) (err error) {
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return fmt.Errorf("find the directory of a file: %w", err)
	}
	try, err := unix.Open(filepath.Dir(name), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("make a file to try polling: %w: %w", ErrUnfit, err)
	}
	defer func() { err = errors.Join(err, unix.Close(try)) }()
	if err := errors.Join(WriteBuffered(try, 0, int64(size)), SyncAndDrop(try)); err != nil {
		return fmt.Errorf("write a file to try polling: %w", err)
	}
	direct, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", try), unix.O_RDONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a file to try polling: %w", err)
	}
	defer func() { err = errors.Join(err, unix.Close(direct)) }()
	return u.readPolled(direct, size)
}

// readPolled reads size bytes through the ring; the error wraps ErrUnfit when that is
// refused.
func (u *uring) readPolled(fd, size int) (err error) {
	buf, err := NewBuffer(size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, buf.Close()) }()
	var res [1]Result
	if err := u.submit(uringOpReadv, []Request{{Fd: fd, Segs: [][]byte{buf.Bytes()}}}, res[:]); err != nil {
		return err
	}
	var errno unix.Errno
	if errors.As(res[0].Err, &errno) {
		return unfit("poll this disk for io_uring", errno)
	}
	return nil
}
