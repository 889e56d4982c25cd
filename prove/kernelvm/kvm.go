package kernelvm

import (
	"os"
	"path/filepath"

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

// kvmNote is the file that remembers that machines with KVM hang here. It holds
// the host's boot id, so a restarted host is tried again.
const kvmNote = "kvm-hangs"

func bootID() string { return sysfsString("/proc/sys/kernel/random", "boot_id") }

// kvmHangs tells whether a machine with KVM hung since the host's start.
func kvmHangs() bool {
	dir, err := cacheDir()
	return err == nil && sysfsString(dir, kvmNote) == bootID()
}

// noteKVMHangs remembers it, as each try costs seconds.
func noteKVMHangs() {
	dir, err := cacheDir()
	if err == nil && os.MkdirAll(dir, 0o755) == nil {
		_ = os.WriteFile(filepath.Join(dir, kvmNote), []byte(bootID()), 0o644)
	}
}
