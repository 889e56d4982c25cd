package session

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
)

// place is what a path means to ext4: a file, or folders below which files lie.
type place struct {
	file    probes.Folder
	path    string          // of the file
	folders []probes.Folder // nil for a file
}

// touches reports whether one of the folders is on a device.
func (p *place) touches(dev uint32) bool {
	return slices.ContainsFunc(p.folders, func(f probes.Folder) bool { return f.Dev == dev })
}

// stated is what the kernel says of a path.
type stated struct {
	unix.Stat_t
	fs unix.Statfs_t
}

func stat(flag, path string) (s stated, err error) {
	if err := cmp.Or(unix.Stat(path, &s.Stat_t), unix.Statfs(path, &s.fs)); err != nil {
		return s, hint.Usagef("", "%s %s: %v", flag, path, err)
	}
	return s, nil
}

func (s *stated) kind() uint32    { return s.Mode & unix.S_IFMT }
func (s *stated) onExt4() bool    { return s.fs.Type == unix.EXT4_SUPER_MAGIC }
func (s *stated) onOverlay() bool { return s.fs.Type == unix.OVERLAYFS_SUPER_MAGIC }
func (s *stated) id() probes.Folder {
	return probes.Folder{Dev: export.KernelDev(s.Dev), Ino: s.Ino}
}

// findPlace finds what --path means. A file of an overlay is its upper one, and a loop
// device the file behind it.
func findPlace(path string) (place, error) {
	st, err := stat("--path", path)
	if err != nil {
		return place{}, err
	}
	switch st.kind() {
	case unix.S_IFREG:
		return filePlace(path, &st)
	case unix.S_IFDIR:
		return folderPlace(path, &st)
	case unix.S_IFBLK:
		return loopPlace(path)
	}
	return place{}, hint.Usagef("", "--path %s is no regular file and no folder, and only those go through ext4", path)
}

func filePlace(path string, st *stated) (place, error) {
	if st.onOverlay() {
		upper, err := upperOf("--path", path)
		if err != nil {
			return place{}, err
		}
		return findPlace(upper)
	}
	if !st.onExt4() {
		return place{}, hint.Usagef("", "--path %s is not on ext4", path)
	}
	return place{file: st.id(), path: path}, nil
}

// folderPlace is a folder, and the roots of what is mounted below it.
func folderPlace(path string, st *stated) (place, error) {
	p := place{folders: []probes.Folder{}}
	switch {
	case st.onExt4():
		p.folders = append(p.folders, st.id())
	case st.onOverlay():
		upper, err := upperOf("--path", path)
		if err != nil {
			return p, err
		}
		if st, err := stat("--path", upper); err == nil && st.onExt4() {
			p.folders = append(p.folders, st.id())
		}
	}
	real, points, err := mountsAt("--path", path)
	if err != nil {
		return p, err
	}
	for i := range points {
		m := &points[i]
		if !m.IsExt4() || !within(m.Point, real) || m.Point == real {
			continue
		}
		if st, err := stat("--path", m.Point); err == nil && st.onExt4() && !slices.Contains(p.folders, st.id()) {
			p.folders = append(p.folders, st.id())
		}
	}
	if len(p.folders) == 0 {
		return p, hint.Usagef("", "--path %s is not on ext4, and no ext4 is mounted below it", path)
	}
	return p, nil
}

// within reports whether a clean absolute path is a folder or lies below it.
func within(path, folder string) bool {
	return path == folder || folder == "/" || strings.HasPrefix(path, folder+"/")
}

// mountsAt is a path without links, and what is mounted.
func mountsAt(flag, path string) (real string, points []ext4fs.Point, err error) {
	if real, err = filepath.Abs(path); err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	if err == nil {
		points, err = ext4fs.Points()
	}
	if err != nil {
		return "", nil, hint.Usagef("", "%s %s: %v", flag, path, err)
	}
	return real, points, nil
}

// upperOf is the path of the upper file of one on overlayfs: that is the one which is
// written to.
func upperOf(flag, path string) (string, error) {
	real, points, err := mountsAt(flag, path)
	if err != nil {
		return "", err
	}
	var at *ext4fs.Point // the last of the longest: it lies on top
	for i := range points {
		if p := &points[i]; within(real, p.Point) && (at == nil || len(p.Point) >= len(at.Point)) {
			at = p
		}
	}
	if at == nil || at.Type != "overlay" {
		return "", hint.Usagef("", "%s %s: its overlay is not among the mounts", flag, path)
	}
	upper := upperFolder(at.SuperOptions)
	switch {
	case upper == "":
		return "", hint.Usagef("", "%s %s is on an overlay without an upper folder, so nothing is written to it", flag, path)
	case !filepath.IsAbs(upper):
		return "", hint.Usagef(flag+" the path of its upper file", "%s %s: the upper folder of its overlay is named %s, and it is not known below what", flag, path, upper)
	}
	rel, err := filepath.Rel(at.Point, real)
	if err != nil {
		return "", hint.Usagef("", "%s %s: %v", flag, path, err)
	}
	file := filepath.Join(upper, rel)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if _, err := os.Stat(upper); err != nil {
		return "", hint.Usagef("run it outside the container", "%s %s: the upper folder of its overlay, %s, is not to be seen from here", flag, path, upper)
	}
	return "", hint.Usagef("--path "+upper, "%s %s is in a lower folder of its overlay only: its first writer copies it up, to %s", flag, path, file)
}

// upperFolder takes the upper folder out of the options of an overlay, in which a comma
// that is part of a name has a backslash before it.
func upperFolder(options string) string {
	_, rest, ok := strings.Cut(","+options, ",upperdir=")
	if !ok {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(rest) && rest[i] != ','; i++ {
		if rest[i] == '\\' && i+1 < len(rest) {
			i++
		}
		b.WriteByte(rest[i])
	}
	return b.String()
}

// loopPlace is the file behind a loop device.
func loopPlace(path string) (place, error) {
	info, err := loopInfo(path)
	if err != nil {
		return place{}, hint.Usagef("--dev "+path, "--path %s is a device and no loop device; files on it are named by --dev", path)
	}
	// Its path may lead to another file by now, or to none.
	if file := backingFile(path); file != "" {
		if st, err := stat("--path", file); err == nil && st.Ino == info.Inode && st.Dev == info.Device {
			return filePlace(file, &st)
		}
	}
	dev := export.KernelDev(info.Device)
	points, err := ext4fs.Points()
	if err != nil {
		return place{}, hint.Usagef("", "--path %s: %v", path, err)
	}
	if !isMounted(points, dev) {
		return place{}, hint.Usagef("", "--path %s: the file behind it is not on an ext4 that is mounted here", path)
	}
	return place{file: probes.Folder{Dev: dev, Ino: info.Inode}}, nil
}

func loopInfo(path string) (*unix.LoopInfo64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return unix.IoctlLoopGetStatus64(int(f.Fd()))
}

// backingFile is the path of the file behind a loop device or a partition of one; empty
// when it is not known.
func backingFile(path string) string {
	st, err := stat("", path)
	if err != nil {
		return ""
	}
	dir := "/sys/dev/block/" + export.DevName(export.KernelDev(st.Rdev))
	for _, at := range []string{"/loop/backing_file", "/../loop/backing_file"} {
		if b, err := os.ReadFile(dir + at); err == nil {
			return strings.TrimSuffix(string(b), "\n")
		}
	}
	return ""
}

func isMounted(points []ext4fs.Point, dev uint32) bool {
	return slices.ContainsFunc(points, func(p ext4fs.Point) bool { return p.IsExt4() && p.Dev == export.DevName(dev) })
}

// deviceNumber takes MAJOR:MINOR, a block device, or a file or folder on one.
func deviceNumber(s string) (uint32, error) {
	if strings.Contains(s, ":") && !strings.Contains(s, "/") {
		dev, ok := export.ParseDev(s)
		if !ok {
			return 0, hint.Usagef("--dev 8:0", "--dev %q is no MAJOR:MINOR", s)
		}
		return dev, nil
	}
	st, err := stat("--dev", s)
	if err != nil {
		return 0, err
	}
	switch kind := st.kind(); {
	case kind == unix.S_IFBLK:
		return export.KernelDev(st.Rdev), nil
	case kind != unix.S_IFDIR && kind != unix.S_IFREG:
		return 0, hint.Usagef("list devices with: lsblk", "--dev %s is no block device", s)
	case st.onOverlay():
		upper, err := upperOf("--dev", s)
		if err != nil {
			return 0, err
		}
		return deviceNumber(upper)
	case !st.onExt4():
		return 0, hint.Usagef("list them with: findmnt -t ext4", "--dev %s is on no ext4, so that no write there is traced", s)
	}
	return export.KernelDev(st.Dev), nil
}

// unmounted says that no ext4 is mounted from a device; it may be later.
func unmounted(name string, dev uint32) string {
	points, err := ext4fs.Points()
	if err != nil || isMounted(points, dev) {
		return ""
	}
	text := "no ext4 is mounted here from --dev " + name + " now"
	if file := backingFile(name); file != "" {
		text += "; the writes to its backing file " + export.Safe(file) + " are shown by --path " + name
	}
	return text
}
