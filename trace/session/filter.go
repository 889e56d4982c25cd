package session

import (
	"cmp"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
)

// Filter is a filter that the kernel applies, as it is typed. Empty values let all through.
type Filter struct {
	Pid        uint32 // a process, with all its threads
	Comm       string // name of a thread
	Cgroup     string // folder or id
	Dev        string // MAJOR:MINOR, a block device, or a file or folder on it
	Ino        uint64
	Path       string // of a regular file on ext4
	MinLatency time.Duration
}

// Resolve turns what was typed into numbers. Every error is wrong usage.
func (f *Filter) Resolve() (probes.Filter, error) {
	out := probes.Filter{Pid: f.Pid, Comm: f.Comm, Ino: f.Ino, MinLatency: f.MinLatency}
	if len(f.Comm) > 15 {
		return out, hint.Usagef("--comm "+f.Comm[:15], "--comm %q is longer than the 15 bytes that the kernel keeps", f.Comm)
	}
	if f.MinLatency < 0 {
		return out, hint.Usagef("--min-latency 5ms", "--min-latency must not be negative")
	}
	var err error
	if f.Cgroup != "" {
		if out.CgroupID, err = cgroupID(f.Cgroup); err != nil {
			return out, err
		}
	}
	if f.Dev != "" {
		if out.Dev, err = deviceNumber(f.Dev); err != nil {
			return out, err
		}
	}
	if f.Path == "" {
		return out, nil
	}
	dev, ino, err := fileOnExt4(f.Path)
	switch {
	case err != nil:
		return out, err
	case f.Ino != 0 && f.Ino != ino:
		return out, hint.Usagef("leave --ino away", "--path %s is inode %d, but --ino says %d", f.Path, ino, f.Ino)
	case f.Dev != "" && out.Dev != dev:
		return out, hint.Usagef("leave --dev away", "--path %s is on device %s, but --dev says %s", f.Path, export.DevName(dev), export.DevName(out.Dev))
	}
	out.Dev, out.Ino, out.ThisGeneration = dev, ino, true
	out.Generation, err = generationOf(f.Path, dev, ino)
	return out, err
}

// cgroupID takes a cgroup's id, or its folder below the cgroup2 filesystem.
func cgroupID(s string) (uint64, error) {
	if id, err := strconv.ParseUint(s, 10, 64); err == nil && id > 0 {
		return id, nil
	}
	dir := s
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("/sys/fs/cgroup", s)
	}
	var fsInfo unix.Statfs_t
	if err := unix.Statfs(dir, &fsInfo); err != nil {
		return 0, hint.Usagef("list them with: systemd-cgls", "no cgroup %s: %v", s, err)
	}
	if fsInfo.Type != unix.CGROUP2_SUPER_MAGIC {
		return 0, hint.Usagef("name a folder below the cgroup2 mount", "%s is not a cgroup of version 2", dir)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, hint.Usagef("list them with: systemd-cgls", "no cgroup %s: %v", s, err)
	}
	return st.Ino, nil // the inode number of a cgroup's folder is its id
}

// deviceNumber takes MAJOR:MINOR, a block device, or a file or folder on it.
func deviceNumber(s string) (uint32, error) {
	if strings.Contains(s, ":") && !strings.Contains(s, "/") {
		dev, ok := export.ParseDev(s)
		if !ok {
			return 0, hint.Usagef("--dev 8:0", "--dev %q is no MAJOR:MINOR", s)
		}
		return dev, nil
	}
	var st unix.Stat_t
	if err := unix.Stat(s, &st); err != nil {
		return 0, hint.Usagef("list devices with: lsblk", "--dev %s: %v", s, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		return export.KernelDev(st.Rdev), nil
	case unix.S_IFDIR, unix.S_IFREG:
		return export.KernelDev(st.Dev), nil
	}
	return 0, hint.Usagef("list devices with: lsblk", "--dev %s is no block device", s)
}

// fileOnExt4 finds the numbers of a regular file on ext4.
func fileOnExt4(path string) (dev uint32, ino uint64, err error) {
	var fsInfo unix.Statfs_t
	var st unix.Stat_t
	if err := cmp.Or(unix.Stat(path, &st), unix.Statfs(path, &fsInfo)); err != nil {
		return 0, 0, hint.Usagef("", "--path %s: %v", path, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		return 0, 0, hint.Usagef("--dev "+path, "--path %s is a folder; only files can be named", path)
	default:
		return 0, 0, hint.Usagef("", "--path %s is no regular file, and only those go through ext4", path)
	}
	if fsInfo.Type != unix.EXT4_SUPER_MAGIC {
		return 0, 0, hint.Usagef("", "--path %s is not on ext4", path)
	}
	return export.KernelDev(st.Dev), st.Ino, nil
}
