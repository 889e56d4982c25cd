package workload

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// LoopControl is the device that hands out loop devices.
const LoopControl = "/dev/loop-control"

// loopPatience is how long a free loop device is looked for.
const loopPatience = 10 * time.Second

// AttachLoop sets a free loop device up, found through the open LoopControl, and returns
// it open, with its name. With an error the name is that of the device that could not be
// set up, or "" when none was found.
func AttachLoop(control int, cfg *unix.LoopConfig) (dev int, name string, err error) {
	for end := time.Now().Add(loopPatience); ; time.Sleep(time.Millisecond) {
		n, err := unix.IoctlRetInt(control, unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return -1, "", err
		}
		name = fmt.Sprintf("/dev/loop%d", n)
		if dev, err = configure(name, cfg); err == nil {
			return dev, name, nil
		}
		// Somebody else was faster, or udev has not made the node yet.
		again := errors.Is(err, unix.EBUSY) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENXIO)
		if !again || time.Now().After(end) {
			return -1, name, err
		}
	}
}

func configure(name string, cfg *unix.LoopConfig) (dev int, err error) {
	if dev, err = unix.Open(name, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
		return -1, err
	}
	if err := unix.IoctlLoopConfigure(dev, cfg); err != nil {
		return -1, errors.Join(err, unix.Close(dev))
	}
	return dev, nil
}
