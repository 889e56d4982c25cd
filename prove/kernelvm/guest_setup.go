package kernelvm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// systemMounts are the file systems of the guest. Those that a kernel may lack
// are optional.
var systemMounts = []struct {
	fs, dir, opts string
	optional      bool
}{
	{"proc", "/proc", "", false},
	{"sysfs", "/sys", "", false},
	{"devtmpfs", "/dev", "mode=755", false},
	{"devpts", "/dev/pts", "mode=620,ptmxmode=666", false},
	{"tmpfs", "/dev/shm", "mode=1777", true},
	{"tmpfs", "/tmp", "mode=1777", true},
	{"tmpfs", "/run", "mode=755", true},
	{"tmpfs", guestOut, "mode=755,size=75%", true},
	{"debugfs", "/sys/kernel/debug", "", true},
	{"tracefs", "/sys/kernel/tracing", "", true},
	{"bpf", "/sys/fs/bpf", "mode=700", true},
	{"cgroup2", "/sys/fs/cgroup", "", true},
	{"securityfs", "/sys/kernel/security", "", true},
	{"configfs", "/sys/kernel/config", "", true},
}

// mountSystem mounts what programs expect of a system.
func mountSystem() error {
	for _, m := range systemMounts {
		err := os.MkdirAll(m.dir, 0o755)
		if err == nil {
			err = unix.Mount(m.fs, m.dir, m.fs, 0, m.opts)
		}
		// An automounter or the kernel itself may have been faster.
		if err != nil && !m.optional && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	for name, target := range map[string]string{
		"/dev/fd": "/proc/self/fd", "/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2",
		"/etc/mtab": "/proc/self/mounts",
	} {
		if err := os.Symlink(target, name); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("link %s: %w", name, err)
		}
	}
	limit := unix.Rlimit{Cur: 1 << 16, Max: 1 << 16}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	return nil
}

// loadModules inserts modules, which are in an order that respects their
// dependencies. Some only make things faster on other machines, so a module
// that finds no device is no error.
func loadModules(names []string) error {
	for _, name := range names {
		if err := loadModule(filepath.Join(guestModules, name)); err != nil {
			return hint.Unfitf("the modules must be those of this very kernel", "load module %s: %v", name, err)
		}
	}
	return nil
}

// moduleParams are parameters that the kernel only gives to built-in code.
func moduleParams(name, cmdline string) string {
	var params []string
	for _, word := range strings.Fields(cmdline) {
		mod, param, ok := strings.Cut(word, ".")
		if ok && strings.ReplaceAll(mod, "-", "_") == name {
			params = append(params, param)
		}
	}
	return strings.Join(params, " ")
}

func loadModule(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	params := moduleParams(strings.ReplaceAll(name, "-", "_"), string(cmdline))
	err = unix.FinitModule(int(f.Fd()), params, 0)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}
