package session

import (
	"errors"
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
	Cgroup     string // folder, name or id
	Dev        string // MAJOR:MINOR, a block device, or a file or folder on it
	Ino        uint64
	Path       string // a regular file, a folder with all below it, or a loop device
	MinLatency time.Duration
}

// Resolve turns what was typed into what the kernel compares with. Every error is wrong
// usage: what can match nothing is one where that is certain. Where it may only be so for
// now, doubts say that.
func (f *Filter) Resolve() (out probes.Filter, doubts []string, err error) {
	out = probes.Filter{Pid: f.Pid, Comm: f.Comm, Ino: f.Ino, MinLatency: f.MinLatency}
	if len(f.Comm) > 15 {
		return out, nil, hint.Usagef("--comm "+f.Comm[:15], "--comm %q is longer than the 15 bytes that the kernel keeps", f.Comm)
	}
	if f.MinLatency < 0 {
		return out, nil, hint.Usagef("--min-latency 5ms", "--min-latency must not be negative")
	}
	doubt := func(text string) {
		if text != "" {
			doubts = append(doubts, text)
		}
	}
	if f.Pid != 0 {
		if err := checkPid(f.Pid); err != nil {
			return out, nil, err
		}
	}
	if f.Cgroup != "" {
		if out.Cgroup, err = findCgroup(f.Cgroup); err != nil {
			return out, nil, err
		}
		doubt(emptyCgroup(out.Cgroup))
	}
	if f.Dev != "" {
		if out.Dev, err = deviceNumber(f.Dev); err != nil {
			return out, nil, err
		}
		doubt(unmounted(f.Dev, out.Dev))
	}
	if f.Path != "" {
		if err := f.addPath(&out); err != nil {
			return out, nil, err
		}
	}
	return out, doubts, nil
}

// addPath adds what --path names.
func (f *Filter) addPath(out *probes.Filter) error {
	at, err := findPlace(f.Path)
	if err != nil {
		return err
	}
	if at.folders != nil {
		out.Folders = at.folders
		if out.Dev != 0 && !at.touches(out.Dev) {
			return hint.Usagef("leave --dev away", "nothing below --path %s is on the device that --dev names, %s", f.Path, export.DevName(out.Dev))
		}
		return nil
	}
	switch {
	case f.Ino != 0 && f.Ino != at.file.Ino:
		return hint.Usagef("leave --ino away", "--path %s is inode %d, but --ino says %d", f.Path, at.file.Ino, f.Ino)
	case f.Dev != "" && out.Dev != at.file.Dev:
		return hint.Usagef("leave --dev away", "--path %s is on device %s, but --dev says %s", f.Path, export.DevName(at.file.Dev), export.DevName(out.Dev))
	}
	out.Dev, out.Ino, out.ByPath, out.ThisGeneration = at.file.Dev, at.file.Ino, true, true
	out.Generation, err = generationOf(at.path, out.Dev, out.Ino)
	return err
}

// checkPid refuses the number of what is no process, as we see it from our pid namespace.
// No other process gets a number that is in use, but it would be one that is not meant.
func checkPid(pid uint32) error {
	fd, err := unix.PidfdOpen(int(pid), 0)
	switch {
	case err == nil:
		_ = unix.Close(fd) // nothing was written
		return nil
	case !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT):
		return nil // it cannot be told
	case unix.Kill(int(pid), 0) == nil:
		return hint.Usagef("give the number of the process, see: ps -eLf", "--pid %d is a thread and no process", pid)
	}
	return hint.Usagef("find it with: pgrep NAME", "--pid %d: there is no such process", pid)
}
