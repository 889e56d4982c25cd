package workload

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	loopSector = 512 // bytes, of the loop device
	// loopMost is the largest write that a loop device passes on in one piece, bytes:
	// 128 segments of a page.
	loopMost = 512 << 10
)

// loop writes to a loop device with direct I/O over the file: a task of the kernel
// then writes to the file, always without flags. The device is there only during Do.
type loop struct{ ctl int }

func newLoop() (Engine, error) {
	ctl, err := unix.Open(LoopControl, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("needs a loop device: %w: open %s: %w", ErrUnfit, LoopControl, err)
	}
	return &loop{ctl}, nil
}

func (l *loop) Close() error {
	if err := unix.Close(l.ctl); err != nil {
		return fmt.Errorf("close %s: %w", LoopControl, err)
	}
	return nil
}

func (l *loop) Do(reqs []Request) ([]Result, error) {
	for _, r := range reqs {
		if err := checkLoop(r); err != nil {
			return nil, err
		}
	}
	return inTurn(reqs, l.write)
}

// checkLoop finds what cannot be passed on as it is. The loop device is as long as
// the file was when it was set up.
func checkLoop(r Request) error {
	var st unix.Stat_t
	if err := unix.Fstat(r.Fd, &st); err != nil {
		return fmt.Errorf("find the length of a file: %w", err)
	}
	n := int64(r.Len())
	if r.Flags != 0 || n == 0 || n > loopMost || (r.Pos|n)%loopSector != 0 || r.Pos+n > st.Size/loopSector*loopSector {
		return fmt.Errorf("write %d bytes at %d with flags %#x by a loop device over %d bytes: %w",
			n, r.Pos, r.Flags, st.Size, ErrRequest)
	}
	return nil
}

func (l *loop) write(r Request) (res Result, err error) {
	dev, err := l.attach(r.Fd)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, detach(dev)) }()
	direct, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", dev), unix.O_RDWR|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return res, fmt.Errorf("open the loop device: %w", err)
	}
	defer func() { err = errors.Join(err, unix.Close(direct)) }()
	return ended(unix.Pwritev(direct, r.Segs, r.Pos)), nil
}

// attach puts a free loop device with direct I/O over the file. It goes away with its
// last user, so also when this process is killed.
func (l *loop) attach(file int) (dev int, err error) {
	cfg := &unix.LoopConfig{Fd: uint32(file), Size: loopSector}
	cfg.Info.Flags = unix.LO_FLAGS_DIRECT_IO | unix.LO_FLAGS_AUTOCLEAR
	copy(cfg.Info.File_name[:], "ext4dio-trace")
	dev, name, err := AttachLoop(l.ctl, cfg)
	switch {
	case err != nil && name == "":
		return -1, fmt.Errorf("needs a loop device: %w: find a free one: %w", ErrUnfit, err)
	case err == nil:
		err = checkDirect(dev)
	}
	if err != nil {
		return -1, fmt.Errorf("needs a loop device: %w: set up %s: %w", ErrUnfit, name, err)
	}
	return dev, nil
}

// checkDirect makes sure that a loop device uses direct I/O, and detaches it otherwise:
// the kernel goes on without where it thinks that it is not possible.
func checkDirect(dev int) error {
	info, err := unix.IoctlLoopGetStatus64(dev)
	if err == nil && info.Flags&unix.LO_FLAGS_DIRECT_IO == 0 {
		err = errors.New("the kernel uses no direct I/O for it")
	}
	if err != nil {
		return errors.Join(err, detach(dev))
	}
	return nil
}

// detach takes the file from a loop device, at the latest when nobody has the
// device open any more.
func detach(dev int) error {
	_, err := unix.IoctlRetInt(dev, unix.LOOP_CLR_FD)
	if err != nil {
		err = fmt.Errorf("detach the loop device: %w", err)
	}
	return errors.Join(err, unix.Close(dev))
}
