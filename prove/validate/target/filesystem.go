package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// umountPatience is how long a file system may be busy after the last file of
// ours is closed.
const umountPatience = 10 * time.Second

// Fsck is what e2fsck -fn said of a file system.
type Fsck struct {
	Clean  bool   `json:"clean"`
	Output string `json:"output,omitempty"` // when it is not clean
}

// Use makes a file system of a configuration, mounts it in a directory of its
// own, calls work with that directory, unmounts it, and checks it with e2fsck.
// Then, unless verify is nil or work returned an error, it mounts it once more and
// calls verify. The errors of work and verify are returned as they are, after all
// that. A *NotPossibleError says why the configuration cannot be made here; work was
// not called then.
//
// The caller has to be in a mount namespace of its own, so that nothing stays
// mounted when the process is killed.
func (dev *Device) Use(ctx context.Context, c Config, work, verify func(dir string) error) (*Fsck, error) {
	if err := dev.make(ctx, c); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ext4dio-validate-")
	if err != nil {
		return nil, fmt.Errorf("make a mount point: %w", err)
	}
	defer os.Remove(dir)
	workErr, err := dev.mounted(dir, c, func(dir string) error {
		if err := tryFile(dir); err != nil {
			return err
		}
		return work(dir)
	})
	if err != nil {
		return nil, errors.Join(workErr, err)
	}
	fsck, err := dev.fsck()
	if verify != nil && workErr == nil && err == nil {
		workErr, err = dev.mounted(dir, c, verify)
	}
	return fsck, errors.Join(workErr, err, dev.take())
}

// mounted calls use while the file system is mounted in dir. Its error is apart from
// those of mounting.
func (dev *Device) mounted(dir string, c Config, use func(dir string) error) (useErr, err error) {
	if err := dev.mount(dir, c); err != nil {
		return nil, err
	}
	useErr = use(dir)
	return useErr, unmount(dir)
}

// tryFile makes and removes a directory with a file. The kernel finds out only then
// that it has no cipher for an encrypted one.
func tryFile(dir string) error {
	try, err := os.MkdirTemp(dir, "ext4dio-try-")
	if err == nil {
		err = os.WriteFile(filepath.Join(try, "file"), nil, 0o600)
		err = errors.Join(err, os.RemoveAll(try))
	}
	switch {
	case errors.Is(err, unix.ENOPKG):
		return &NotPossibleError{"the kernel has no cipher for encrypted files; it needs the modules xts and cts"}
	case err != nil:
		return fmt.Errorf("make a first file: %w", err)
	}
	return nil
}

// make makes the file system.
func (dev *Device) make(ctx context.Context, c Config) error {
	if err := dev.mkfs(ctx, c); err != nil {
		return err
	}
	if len(c.Tune) == 0 {
		return nil
	}
	if _, err := findProgram("tune2fs"); err != nil {
		return &NotPossibleError{err.Error()}
	}
	return dev.program(ctx, "tune2fs", append(slices.Clone(c.Tune), "/proc/self/fd/3"))
}

// mkfs makes it as mkfs.ext4 does.
func (dev *Device) mkfs(ctx context.Context, c Config) error {
	size := min(dev.Disk.Size, max(mostUsed, dev.Room)) >> 10
	args := []string{"-q", "-F", "-L", label, "-E", "nodiscard,lazy_itable_init=0"}
	if !slices.Contains(c.Mkfs, "-t") {
		args = append(args, "-t", "ext4")
	}
	args = append(args, c.Mkfs...)
	return dev.program(ctx, "mkfs.ext4", append(args, "/proc/self/fd/3", strconv.FormatInt(size, 10)+"k"))
}

// program runs a program that makes the file system, or a part of it. What it does
// not like is a *NotPossibleError.
func (dev *Device) program(ctx context.Context, name string, args []string) error {
	out, err := dev.runWith(ctx, name, args)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		return &NotPossibleError{name + " refuses it: " + complaint(out)}
	}
	return err
}

// runWith runs a program with the device as its descriptor 3, unclaimed so that
// the program can claim it. The device's name stands for that in its output.
func (dev *Device) runWith(ctx context.Context, name string, args []string) (string, error) {
	prog, err := findProgram(name)
	if err != nil {
		return "", err
	}
	if err := dev.give(); err != nil {
		return "", fmt.Errorf("let go of %s: %w", dev.Disk.Path, err)
	}
	cmd := exec.CommandContext(ctx, prog, args...)
	cmd.ExtraFiles = []*os.File{dev.id}
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = program.OwnGroup()
	out, err := cmd.CombinedOutput()
	text := strings.ReplaceAll(string(out), "/proc/self/fd/3", dev.Disk.Path)
	return text, errors.Join(err, dev.take())
}

// complaint is the first thing that a program of e2fsprogs said besides its
// version.
func complaint(out string) string {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "mke2fs ") || strings.HasPrefix(line, "tune2fs ") || strings.HasPrefix(line, "Warning:") {
			continue
		}
		return strings.TrimPrefix(strings.TrimPrefix(line, "mkfs.ext4: "), "tune2fs: ")
	}
	return "it said nothing"
}

// findProgram finds one of e2fsprogs.
func findProgram(name string) (string, error) {
	file, err := program.Find(name)
	if err != nil {
		return "", hint.Unfitf("apt-get install e2fsprogs", "%s is not there", name)
	}
	return file, nil
}

// mount mounts the device and makes sure that it is the one. The kernel claims
// it for the time that it is mounted.
func (dev *Device) mount(dir string, c Config) error {
	if err := dev.give(); err != nil {
		return fmt.Errorf("let go of %s: %w", dev.Disk.Path, err)
	}
	err := unix.Mount(dev.path(), dir, "ext4", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, c.Mount)
	if err != nil {
		return errors.Join(mountError(err, c), dev.take())
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return errors.Join(fmt.Errorf("look at the mounted file system: %w", err), unmount(dir))
	}
	if unix.Major(st.Dev) != dev.Disk.Major || unix.Minor(st.Dev) != dev.Disk.Minor {
		return errors.Join(fmt.Errorf("mount %s: the file system has device %d:%d", dev.Disk.Path, unix.Major(st.Dev), unix.Minor(st.Dev)), unmount(dir))
	}
	return nil
}

// mountError tells what the kernel cannot do from what went wrong.
func mountError(err error, c Config) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return hint.Unfitf("run it as root", "mount needs root: %w", err)
	case errors.Is(err, unix.ENODEV):
		return hint.Unfitf("", "this kernel has no ext4: %w", err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("mount: somebody else took the disk: %w", err)
	case errors.Is(err, unix.ENOENT) && strings.Contains(c.Mount, "encryption"):
		// The hash function of the key is looked for when it is mounted.
		return &NotPossibleError{"the kernel finds no hash function for encryption; it needs " + c.Needs}
	}
	options := ""
	if c.Mount != "" {
		options = " with -o " + c.Mount
	}
	reason := fmt.Sprintf("the kernel refuses to mount it%s: %v", options, err)
	if c.Needs != "" {
		reason += "; it needs " + c.Needs
	}
	return &NotPossibleError{reason}
}

// unmount waits for a moment when somebody still looks at the file system.
func unmount(dir string) error {
	for end := time.Now().Add(umountPatience); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Unmount(dir, unix.UMOUNT_NOFOLLOW)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(end) {
			return fmt.Errorf("unmount %s: %w", dir, err)
		}
	}
}

// fsck checks the unmounted file system without changing it. A context that has
// ended does not stop it, as it tells whether the run did harm.
func (dev *Device) fsck() (*Fsck, error) {
	out, err := dev.runWith(context.Background(), "e2fsck", []string{"-f", "-n", "/proc/self/fd/3"})
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if err != nil {
		return &Fsck{Output: out}, nil
	}
	return &Fsck{Clean: true}, nil
}

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
