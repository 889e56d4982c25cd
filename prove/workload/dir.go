package workload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Names of what a Dir holds. A file without filePrefix is never removed.
const (
	markerName = ".ext4dio-trace"
	markerText = "made by ext4dio-trace; everything here may be removed\n"
	filePrefix = "e4d-"
)

// FSInfo is what matters of a file system to one who writes to it directly.
type FSInfo struct {
	BlockSize int // bytes, of the file system
	Sector    int // bytes: positions and lengths of direct writes are multiples of it
	// NoDirect says that ext4 makes direct writes through the page cache here, as with
	// data=journal, or with encryption that it cannot leave to the block layer.
	NoDirect bool
}

// Dir is a directory of our own on an ext4. Its files are ours alone.
type Dir struct {
	Path string
	FS   FSInfo

	fd     int
	marker int
}

// OpenDir makes the directory name below parent, or takes over one that an
// earlier run left there, and removes that run's files. Errors wrap ErrNotOurs
// when something else has the name, ErrBusy when a run is still using it, and
// ErrUnfit when parent is not on an ext4.
func OpenDir(parent, name string) (*Dir, error) {
	if err := checkExt4(parent); err != nil {
		return nil, err
	}
	d := &Dir{Path: filepath.Join(parent, name), fd: -1, marker: -1}
	err := unix.Mkdir(d.Path, 0o700)
	fresh := err == nil
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make directory %s: %w", d.Path, err)
	}
	if d.fd, err = unix.Open(d.Path, unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open directory %s: %w: %w", d.Path, ErrNotOurs, err)
	}
	if err := d.own(fresh); err != nil {
		d.closeFds()
		return nil, err
	}
	return d, nil
}

// own makes or checks the marker, locks it, and clears what was left.
func (d *Dir) own(fresh bool) error {
	// The directory itself could be a mount point of something else.
	if err := checkExt4(fmt.Sprintf("/proc/self/fd/%d", d.fd)); err != nil {
		return err
	}
	if !fresh {
		left, err := d.entries()
		if err != nil {
			return err
		}
		fresh = len(left) == 0 // a run that was ended before it made the marker
	}
	flags := unix.O_RDWR | unix.O_NOFOLLOW | unix.O_CLOEXEC
	if fresh {
		flags |= unix.O_CREAT | unix.O_EXCL
	}
	var err error
	if d.marker, err = unix.Openat(d.fd, markerName, flags, 0o600); err != nil {
		return fmt.Errorf("open directory %s: it exists and holds no %s: %w", d.Path, markerName, ErrNotOurs)
	}
	if err := unix.Flock(d.marker, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock directory %s: %w", d.Path, ErrBusy)
	}
	if !fresh {
		if fresh, err = d.checkMarker(); err != nil {
			return err
		}
	}
	if fresh {
		err = d.writeMarker()
	} else {
		err = d.clear()
	}
	if err != nil {
		return err
	}
	return d.readFS()
}

// writeMarker makes sure that the marker is on the disk before any file of ours: so
// a power cut leaves no files without it.
func (d *Dir) writeMarker() error {
	_, err := unix.Pwrite(d.marker, []byte(markerText), 0)
	if err == nil {
		err = errors.Join(unix.Fsync(d.marker), unix.Fsync(d.fd))
	}
	if err != nil {
		return fmt.Errorf("write marker in %s: %w", d.Path, err)
	}
	return nil
}

// checkMarker makes sure that the marker is ours. It is empty, and alone, when the
// run that made it was ended before it was on the disk.
func (d *Dir) checkMarker() (empty bool, err error) {
	text := make([]byte, len(markerText)+1)
	n, err := unix.Pread(d.marker, text, 0)
	if err == nil && n == 0 {
		left, err := d.entries()
		if err != nil || len(left) == 1 {
			return true, err
		}
	}
	if err != nil || string(text[:n]) != markerText {
		return false, fmt.Errorf("open directory %s: its %s is not ours: %w", d.Path, markerName, ErrNotOurs)
	}
	return false, nil
}

// entries lists what is in the directory.
func (d *Dir) entries() ([]os.DirEntry, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/self/fd/%d", d.fd))
	if err != nil {
		return nil, fmt.Errorf("list directory %s: %w", d.Path, err)
	}
	return entries, nil
}

func (d *Dir) readFS() error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(d.fd, &st); err != nil {
		return fmt.Errorf("read file system of %s: %w", d.Path, err)
	}
	d.FS = FSInfo{BlockSize: int(st.Bsize), Sector: 512}
	// The marker's few bytes may lie in its inode, which takes no direct I/O; an
	// empty file answers for those to come.
	fd, err := unix.Openat(d.fd, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("make a file in %s: %w", d.Path, err)
	}
	defer unix.Close(fd)
	var sx unix.Statx_t
	err = unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &sx)
	if err == nil && sx.Mask&unix.STATX_DIOALIGN != 0 {
		// The answer is for this one file; an encrypted directory gives the block size.
		if d.FS.NoDirect = sx.Dio_offset_align == 0; !d.FS.NoDirect {
			d.FS.Sector = int(sx.Dio_offset_align)
		}
	}
	return nil
}

// FileName is the name that a file has in the directory.
func FileName(name string) string { return filePrefix + name }

// Create makes a new file with O_DIRECT and returns its descriptor, which the
// caller closes.
func (d *Dir) Create(name string) (int, error) {
	fd, err := unix.Openat(d.fd, filePrefix+name,
		unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_DIRECT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.EINVAL) {
		return -1, fmt.Errorf("create file %s: %w: no O_DIRECT", name, ErrUnfit)
	}
	if err != nil {
		return -1, fmt.Errorf("create file %s: %w", name, err)
	}
	return fd, nil
}

// Open opens a file that Create made once more, with flags beside O_RDWR.
func (d *Dir) Open(name string, flags int) (int, error) {
	fd, err := unix.Openat(d.fd, filePrefix+name, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return -1, fmt.Errorf("open file %s: %w", name, err)
	}
	return fd, nil
}

// Remove removes a file that Create made.
func (d *Dir) Remove(name string) error {
	if err := unix.Unlinkat(d.fd, filePrefix+name, 0); err != nil {
		return fmt.Errorf("remove file %s: %w", name, err)
	}
	return nil
}

// clear removes our files, and nothing else.
func (d *Dir) clear() error {
	entries, err := d.entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filePrefix) || !e.Type().IsRegular() && e.Type() != fs.ModeSymlink {
			continue
		}
		err := unix.Unlinkat(d.fd, e.Name(), 0)
		if errors.Is(err, unix.EPERM) {
			err = d.unlinkImmutable(e.Name())
		}
		if err != nil {
			return fmt.Errorf("remove file %s: %w", e.Name(), err)
		}
	}
	return nil
}

// unlinkImmutable removes a file that was left with the immutable flag.
func (d *Dir) unlinkImmutable(name string) error {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := ChangeFlags(fd, 0, FlagImmutable); err != nil {
		return err
	}
	return unix.Unlinkat(d.fd, name, 0)
}

// Close removes our files and the directory unless keep is set. Files that are
// not ours make it stay, which is an error that wraps ErrNotOurs.
func (d *Dir) Close(keep bool) error {
	defer d.closeFds()
	if keep {
		return nil
	}
	if err := d.clear(); err != nil {
		return err
	}
	entries, err := d.entries()
	if err != nil {
		return err
	}
	if len(entries) > 1 {
		return fmt.Errorf("remove directory %s: it holds files %w", d.Path, ErrNotOurs)
	}
	if err := unix.Unlinkat(d.fd, markerName, 0); err != nil {
		return fmt.Errorf("remove marker in %s: %w", d.Path, err)
	}
	if err := unix.Rmdir(d.Path); err != nil {
		return fmt.Errorf("remove directory %s: %w", d.Path, err)
	}
	return nil
}

func (d *Dir) closeFds() {
	for _, fd := range []int{d.marker, d.fd} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	d.marker, d.fd = -1, -1
}

func checkExt4(path string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return fmt.Errorf("find file system of %s: %w: %w", path, ErrUsage, err)
	}
	if int64(st.Type) != unix.EXT4_SUPER_MAGIC {
		return fmt.Errorf("use directory %s: %w: not on an ext4 (statfs magic %#x)", path, ErrUnfit, int64(st.Type))
	}
	return nil
}
