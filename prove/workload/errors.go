package workload

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Sentinels, wrapped by the errors of this package.
var (
	// ErrUsage: something that the caller asked for does not exist or makes no sense.
	ErrUsage = errors.New("wrong usage")
	// ErrUnfit: this machine, kernel or file system cannot do it.
	ErrUnfit = errors.New("not possible here")
	// ErrNotOurs: there is something in the way that this package did not make.
	ErrNotOurs = errors.New("not made by this program")
	// ErrBusy: another run is using the directory.
	ErrBusy = errors.New("in use by another run")
)

// unfit tells apart a path that this kernel does not offer from other failures.
func unfit(verb string, errno error) error {
	switch errno {
	case unix.ENOSYS, unix.EPERM, unix.EOPNOTSUPP, unix.ENOMEM, unix.EINVAL:
		return fmt.Errorf("%s: %w: %w", verb, ErrUnfit, errno)
	}
	return fmt.Errorf("%s: %w", verb, errno)
}

// Again calls a system call until no signal has ended it: the runtime of Go sends its
// threads some of its own, at any time.
func Again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func errnoOf(errno unix.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
