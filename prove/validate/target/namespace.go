package target

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// EnterNamespace puts the calling thread into a mount namespace of its own and
// keeps the goroutine on it. What is mounted there goes with the last process in
// it, however that ends; what the system unmounts is unmounted there too. The
// caller executes itself again, so that all its threads are in it.
func EnterNamespace() error {
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, "")
	}
	if err != nil {
		return &UnfitError{Msg: "make a mount namespace", Hint: "run it as root", Err: err}
	}
	return nil
}
