package target

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// lockPatience is how long another process may hold the lock of a disk. udev
// holds it for a moment when it looks at a disk.
const lockPatience = 5 * time.Second

// mostUsed is how much of a disk is used, bytes, unless Room asks for more. Making
// a file system on all of a large disk would only take longer.
const mostUsed = 1 << 30

// Device is a disk that may be written to.
type Device struct {
	// Disk is what the kernel tells of it.
	Disk *Disk
	// Content is what was on it when it was claimed.
	Content Content
	// Room is how large the file system has to be at least, bytes, as far as the disk
	// is that large. It is 1 GiB when that is more.
	Room int64

	// id keeps the device number from being given to another disk, and is what
	// programs and mount are given instead of a name. It holds the lock that keeps
	// udev from looking at the disk meanwhile.
	id    *os.File
	claim *os.File // opened with O_EXCL; nil while somebody else needs the claim
	file  *os.File // the image behind it, nil for a disk
}

// Claim opens a disk that Inspect let through, for this process alone, and reads
// what is on it. Nothing is written. An error that is a *RefusedError says what
// uses it.
func Claim(d *Disk) (*Device, error) {
	dev := &Device{Disk: d}
	if err := dev.open(); err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return dev, nil
}

func (dev *Device) open() error {
	d := dev.Disk
	fd, err := unix.Open(d.Path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return openError(d.Path, err)
	}
	dev.id = os.NewFile(uintptr(fd), d.Path)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("look at %s: %w", d.Path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK || unix.Major(st.Rdev) != d.Major || unix.Minor(st.Rdev) != d.Minor {
		return refusef("", "%s is no longer the device that it was", d.Path)
	}
	if err := dev.take(); err != nil {
		return err
	}
	if err := lockDisk(fd); err != nil {
		return refusef("", "%s is locked by another process", d.Path)
	}
	size, err := dev.id.Seek(0, io.SeekEnd)
	if err != nil || size != d.Size {
		return refusef("", "%s: it has %d bytes, and sysfs says %d", d.Path, size, d.Size)
	}
	dev.Content, err = readContent(dev.id, size)
	return err
}

// openError words why a disk cannot be opened.
func openError(name string, err error) error {
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return hint.Unfitf("run it as root", "open %s: %w", name, err)
	case errors.Is(err, unix.EBUSY):
		return refusef("", "%s is in use: the kernel does not give it away exclusively", name)
	case errors.Is(err, unix.EROFS):
		return refusef("blockdev --setrw "+name, "%s is read-only", name)
	}
	return refusef("", "%s cannot be opened: %v", name, err)
}

// lockDisk takes the lock by which programs keep udev away from a disk.
func lockDisk(fd int) error {
	for end := time.Now().Add(lockPatience); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(end) {
			return err
		}
	}
}

// path names the device for as long as it is claimed, whatever becomes of its
// name.
func (dev *Device) path() string { return fmt.Sprintf("/proc/self/fd/%d", dev.id.Fd()) }

// take claims the device exclusively. The kernel refuses that while it is
// mounted, held or claimed by anybody.
func (dev *Device) take() error {
	if dev.claim != nil {
		return nil
	}
	fd, err := unix.Open(dev.path(), unix.O_RDWR|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return openError(dev.Disk.Path, err)
	}
	dev.claim = os.NewFile(uintptr(fd), dev.Disk.Path)
	return nil
}

// give lets go of the claim, so that mkfs or mount can take it for themselves:
// the kernel knows only one holder.
func (dev *Device) give() error {
	if dev.claim == nil {
		return nil
	}
	err := dev.claim.Close()
	dev.claim = nil
	return err
}

// Close lets go of the disk. It does not remove what was written.
func (dev *Device) Close() error {
	err := dev.give()
	for _, f := range []*os.File{dev.id, dev.file} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	dev.id, dev.file = nil, nil
	return err
}

// Describe says in a few lines what the disk is and what is on it.
func (dev *Device) Describe() string {
	d := dev.Disk
	or := func(s string) string { return cmp.Or(s, "not known") }
	return fmt.Sprintf("device   %s (%d:%d)\nmodel    %s\nvendor   %s\nserial   %s\nsize     %s\nholds    %s\n",
		d.Path, d.Major, d.Minor, or(d.Model), or(d.Vendor), or(d.Serial), sizeText(d.Size), dev.Content.Text)
}
