package kernelvm

import (
	"os"

	"golang.org/x/sys/unix"
)

// kvmCreateVM is KVM_CREATE_VM of linux/kvm.h.
const kvmCreateVM = 0xae01

// kvmUsable tells whether KVM can be tried. That it truly works only shows when
// a machine boots.
func kvmUsable() bool {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	fd, err := unix.IoctlRetInt(int(f.Fd()), kvmCreateVM)
	if err != nil {
		return false
	}
	_ = unix.Close(fd)
	return true
}
