package cost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Other is a directory on a file system that is no ext4.
type Other struct {
	FS  string // its name, as mount says it
	dir string
}

var fsNames = map[int64]string{
	unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.F2FS_SUPER_MAGIC: "f2fs", unix.TMPFS_MAGIC: "tmpfs",
}

// OpenOther makes a directory below parent. The error wraps workload.ErrUsage when parent
// is on an ext4 or cannot be looked at.
func OpenOther(parent string) (*Other, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(parent, &st); err != nil {
		return nil, fmt.Errorf("find file system of %s: %w: %w", parent, workload.ErrUsage, err)
	}
	if st.Type == unix.EXT4_SUPER_MAGIC {
		return nil, fmt.Errorf("use %s as another file system: %w: it is on an ext4", parent, workload.ErrUsage)
	}
	name, ok := fsNames[st.Type]
	if !ok {
		name = fmt.Sprintf("a file system of type %#x", st.Type)
	}
	dir, err := os.MkdirTemp(parent, DirName+"-")
	if err != nil {
		return nil, fmt.Errorf("make directory in %s: %w", parent, err)
	}
	return &Other{FS: name, dir: dir}, nil
}

// Create makes a file for direct I/O.
func (o *Other) Create(name string) (int, error) {
	return o.open(name, unix.O_CREAT|unix.O_EXCL|unix.O_DIRECT)
}

// Open opens a file once more, with flags beside O_RDWR.
func (o *Other) Open(name string, flags int) (int, error) { return o.open(name, flags) }

func (o *Other) open(name string, flags int) (int, error) {
	fd, err := unix.Open(filepath.Join(o.dir, name), unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC|flags, 0o600)
	if errors.Is(err, unix.EINVAL) {
		return -1, fmt.Errorf("open file %s: %w: no O_DIRECT on %s", name, workload.ErrUnfit, o.FS)
	}
	if err != nil {
		return -1, fmt.Errorf("open file %s: %w", name, err)
	}
	return fd, nil
}

// Close removes the directory and its files.
func (o *Other) Close() error { return os.RemoveAll(o.dir) }
