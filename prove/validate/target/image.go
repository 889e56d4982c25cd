package target

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// An image is followed by a trailer with this text, which mkfs never touches: a
// file without it is not ours.
const (
	imageSize   = 512 << 20
	trailerSize = 4096
	imageMarker = "image made by ext4dio-trace; it may be overwritten and removed\n"
)

// OpenImage makes an image file, or takes over one that an earlier run made, and
// puts a loop device over it. An error that is a *RefusedError says why a file
// that exists is left alone. Remove it with RemoveImage.
func OpenImage(name string) (*Device, error) {
	file, err := imageFile(name)
	if err != nil {
		return nil, err
	}
	dev := &Device{Disk: &Disk{Size: imageSize, Model: "image " + name}, file: file}
	if err = dev.attach(); err == nil {
		err = dev.take()
	}
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return dev, nil
}

// imageFile opens or makes the file with its marker, locked, and full size.
func imageFile(name string) (_ *os.File, err error) {
	const flags = unix.O_RDWR | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK
	fresh := true
	fd, err := unix.Open(name, flags|unix.O_CREAT|unix.O_EXCL, 0o600)
	if errors.Is(err, unix.EEXIST) {
		fresh = false
		fd, err = unix.Open(name, flags, 0)
	}
	if err != nil {
		return nil, refusef("--image FILE", "the image %s cannot be opened: %v", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	defer func() {
		if err == nil {
			return
		}
		if fresh {
			err = errors.Join(err, os.Remove(name))
		}
		err = errors.Join(err, f.Close())
	}()
	if !fresh && !marked(f) {
		return f, refusef("name a file that does not exist yet", "%s exists and was not made by this program", name)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return f, refusef("name another file", "%s is in use by another run", name)
	}
	if err := f.Truncate(imageSize + trailerSize); err != nil {
		return f, fmt.Errorf("make the image: %w", err)
	}
	if _, err := f.WriteAt([]byte(imageMarker), imageSize); err != nil {
		return f, fmt.Errorf("make the image: %w", err)
	}
	// A full disk is found here and not by a write that is judged.
	err = workload.Again(func() error { return unix.Fallocate(fd, 0, 0, imageSize) })
	if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return f, fmt.Errorf("make an image of %s: %w", sizeText(imageSize), err)
	}
	return f, nil
}

// marked reports whether an open file is an image of ours.
func marked(f *os.File) bool {
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() != imageSize+trailerSize {
		return false
	}
	text := make([]byte, len(imageMarker))
	_, err = f.ReadAt(text, imageSize)
	return err == nil && string(text) == imageMarker
}

// attach puts a free loop device over the file. It goes with its last user.
func (dev *Device) attach() error {
	ctl, err := unix.Open(workload.LoopControl, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return hint.Unfitf("run it as root; modprobe loop", "open %s: %w", workload.LoopControl, err)
	}
	defer unix.Close(ctl)
	cfg := &unix.LoopConfig{Fd: uint32(dev.file.Fd()), Size: 512}
	cfg.Info.Sizelimit = imageSize
	cfg.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	copy(cfg.Info.File_name[:], dev.file.Name())
	fd, name, err := workload.AttachLoop(ctl, cfg)
	switch {
	case err != nil && name == "":
		return hint.Unfitf("", "find a free loop device: %w", err)
	case err != nil:
		return hint.Unfitf("", "set up %s: %w", name, err)
	}
	dev.id = os.NewFile(uintptr(fd), name)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return hint.Unfitf("", "set up %s: %w", name, err)
	}
	dev.Disk.Path, dev.Disk.Major, dev.Disk.Minor = name, unix.Major(st.Rdev), unix.Minor(st.Rdev)
	return nil
}

// RemoveImage removes the image behind the device, which must not be in use by
// anybody else any more.
func (dev *Device) RemoveImage() error {
	var here, there unix.Stat_t
	if err := unix.Fstat(int(dev.file.Fd()), &here); err != nil {
		return fmt.Errorf("remove the image: %w", err)
	}
	// Whatever has its name by now stays.
	if err := unix.Lstat(dev.file.Name(), &there); err != nil || here.Dev != there.Dev || here.Ino != there.Ino {
		return nil
	}
	if err := os.Remove(dev.file.Name()); err != nil {
		return fmt.Errorf("remove the image: %w", err)
	}
	return nil
}
