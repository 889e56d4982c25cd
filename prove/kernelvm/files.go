package kernelvm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// tempFile makes a file that has no name, so that it goes with its last user
// however that ends.
func tempFile() (*os.File, error) {
	dir := os.TempDir()
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), dir+"/(unnamed)"), nil
	}
	f, err := os.CreateTemp(dir, "ext4dio-vm-")
	if err != nil {
		return nil, unfitf("point TMPDIR to a folder that can be written", "make a temporary file: %w", err)
	}
	return f, os.Remove(f.Name())
}

// memoryFile makes a file in memory.
func memoryFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, unfitf("", "make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// firstExtra is the number that the first extra file of a child process has there.
const firstExtra = 3

// childPath names an open file of a child process.
func childPath(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// mkfs makes an ext4 of size bytes in an unnamed sparse file.
func mkfs(size int64, opts []string) (*os.File, error) {
	prog, err := program.Find("mkfs.ext4")
	if err != nil {
		return nil, unfitf("apt-get install e2fsprogs", "mkfs.ext4 is not there: %w", err)
	}
	f, err := tempFile()
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, unfitf("give a smaller --disk", "make a disk of %d bytes: %w", size, err)
	}
	cmd := exec.Command(prog, append(append([]string{"-q", "-F"}, opts...), childPath(firstExtra))...)
	cmd.ExtraFiles = []*os.File{f}
	cmd.SysProcAttr = program.OwnGroup()
	out, err := cmd.CombinedOutput()
	if err == nil {
		return f, nil
	}
	f.Close()
	if saysDiskFull(string(out)) {
		return nil, unfitf("", "make the file system: %w", unix.ENOSPC)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return nil, unfitf("", "run %s: %w", prog, err)
	}
	return nil, fmt.Errorf("mkfs.ext4: %s", mkfsComplaint(string(out)))
}

// mkfsComplaint is the first thing that mkfs.ext4 said besides its version.
func mkfsComplaint(out string) string {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "mke2fs ") {
			return strings.TrimPrefix(line, "mkfs.ext4: ")
		}
	}
	return "it failed and said nothing"
}

// tempFull tells whether no more can be written to temporary files.
func tempFull() bool {
	var st unix.Statfs_t
	return unix.Statfs(os.TempDir(), &st) == nil && st.Bavail*uint64(st.Bsize) < 1<<20
}

// saysDiskFull tells whether a program complained about a full disk.
func saysDiskFull(text string) bool {
	return strings.Contains(text, "No space left on device") || strings.Contains(text, "enough free space")
}
