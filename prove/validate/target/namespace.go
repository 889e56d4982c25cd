package target

import (
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
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
		return hint.Unfitf("run it as root", "make a mount namespace: %w", err)
	}
	return nil
}
