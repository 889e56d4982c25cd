package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
)

// filterFlags are the filters that the kernel applies, as typed.
type filterFlags struct {
	pid        uint32
	comm       string
	cgroup     string
	dev        string
	ino        uint64
	path       string
	minLatency time.Duration
}

func (f *filterFlags) register(flags *pflag.FlagSet) {
	flags.Uint32Var(&f.pid, "pid", 0, "only this process (all its threads)")
	flags.StringVar(&f.comm, "comm", "", "only threads of this name (up to 15 bytes)")
	flags.StringVar(&f.cgroup, "cgroup", "", "only this cgroup: its folder or its id")
	flags.StringVar(&f.dev, "dev", "", "only this device: MAJOR:MINOR, /dev/NAME, or a folder on it")
	flags.Uint64Var(&f.ino, "ino", 0, "only this inode number")
	flags.StringVar(&f.path, "path", "", "only this file")
	flags.DurationVar(&f.minLatency, "min-latency", 0, "only writes that took at least this long, such as 5ms")
}

// resolve turns what was typed into numbers. Every error is wrong usage.
func (f *filterFlags) resolve() (probes.Filter, error) {
	out := probes.Filter{Pid: f.pid, Comm: f.comm, Ino: f.ino, MinLatency: f.minLatency}
	if len(f.comm) > 15 {
		return out, usagef("--comm "+f.comm[:15], "--comm %q is longer than the 15 bytes that the kernel keeps", f.comm)
	}
	if f.minLatency < 0 {
		return out, usagef("--min-latency 5ms", "--min-latency must not be negative")
	}
	var err error
	if f.cgroup != "" {
		if out.CgroupID, err = cgroupID(f.cgroup); err != nil {
			return out, err
		}
	}
	if f.dev != "" {
		if out.Dev, err = deviceNumber(f.dev); err != nil {
			return out, err
		}
	}
	if f.path == "" {
		return out, nil
	}
	dev, ino, err := fileOnExt4(f.path)
	switch {
	case err != nil:
		return out, err
	case f.ino != 0 && f.ino != ino:
		return out, usagef("leave --ino away", "--path %s is inode %d, but --ino says %d", f.path, ino, f.ino)
	case f.dev != "" && out.Dev != dev:
		return out, usagef("leave --dev away", "--path %s is on device %s, but --dev says %s", f.path, export.DevName(dev), export.DevName(out.Dev))
	}
	out.Dev, out.Ino = dev, ino
	return out, nil
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
		return 0, usagef("list them with: systemd-cgls", "no cgroup %s: %v", s, err)
	}
	if fsInfo.Type != unix.CGROUP2_SUPER_MAGIC {
		return 0, usagef("name a folder below the cgroup2 mount", "%s is not a cgroup of version 2", dir)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, usagef("list them with: systemd-cgls", "no cgroup %s: %v", s, err)
	}
	return st.Ino, nil // the inode number of a cgroup's folder is its id
}

// deviceNumber takes MAJOR:MINOR, a block device, or a file or folder on it.
func deviceNumber(s string) (uint32, error) {
	if major, minor, ok := strings.Cut(s, ":"); ok && !strings.Contains(s, "/") {
		a, err1 := strconv.ParseUint(major, 10, 12)
		b, err2 := strconv.ParseUint(minor, 10, 20)
		if err1 != nil || err2 != nil {
			return 0, usagef("--dev 8:0", "--dev %q is no MAJOR:MINOR", s)
		}
		return uint32(a<<20 | b), nil
	}
	var st unix.Stat_t
	if err := unix.Stat(s, &st); err != nil {
		return 0, usagef("list devices with: lsblk", "--dev %s: %v", s, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		return export.KernelDev(st.Rdev), nil
	case unix.S_IFDIR, unix.S_IFREG:
		return export.KernelDev(st.Dev), nil
	}
	return 0, usagef("list devices with: lsblk", "--dev %s is no block device", s)
}

// fileOnExt4 finds the numbers of a regular file on ext4.
func fileOnExt4(path string) (dev uint32, ino uint64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return 0, 0, usagef("", "--path %s: %v", path, err)
	}
	switch {
	case info.IsDir():
		return 0, 0, usagef("--dev "+path, "--path %s is a folder; only files can be named", path)
	case !info.Mode().IsRegular():
		return 0, 0, usagef("", "--path %s is no regular file, and only those go through ext4", path)
	}
	var fsInfo unix.Statfs_t
	var st unix.Stat_t
	if err := errors.Join(unix.Statfs(path, &fsInfo), unix.Stat(path, &st)); err != nil {
		return 0, 0, usagef("", "--path %s: %v", path, err)
	}
	if fsInfo.Type != unix.EXT4_SUPER_MAGIC {
		return 0, 0, usagef("", "--path %s is not on ext4", path)
	}
	return export.KernelDev(st.Dev), st.Ino, nil
}

// parseSize takes a size of 1 byte to 2 GiB, with an optional unit.
func parseSize(s string) (int, error) {
	n, err := kernelvm.ParseSize(s)
	if err != nil || n == 0 || n > 2<<30 {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return int(n), nil
}
