package target

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
)

// mounts refuses what is mounted in any mount namespace that can be seen.
func (i *inspector) mounts() error {
	own, err := fs.ReadFile(i.root, "proc/self/mountinfo")
	if err != nil {
		return refusef("", "%s: it cannot be found out what is mounted: %v", i.d.Path, err)
	}
	if at := i.mountedAt(string(own)); at != "" {
		return refusef("umount "+at, "%s is mounted on %s", i.d.Path, at)
	}
	entries, err := fs.ReadDir(i.root, "proc")
	if err != nil {
		return refusef("", "%s: it cannot be found out what is mounted: %v", i.d.Path, err)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		ns, err := fs.ReadLink(i.root, "proc/"+e.Name()+"/ns/mnt")
		if err == nil && seen[ns] {
			continue
		}
		seen[ns] = err == nil
		// A process that has just ended, or one of somebody else, tells nothing;
		// claiming the disk shows what only that one knew.
		text, err := fs.ReadFile(i.root, "proc/"+e.Name()+"/mountinfo")
		if err != nil {
			continue
		}
		if at := i.mountedAt(string(text)); at != "" {
			return refusef("", "%s is mounted on %s in the mount namespace of process %s", i.d.Path, at, e.Name())
		}
	}
	return nil
}

// mountedAt finds the first mount of the device in a mountinfo: by the number
// of the file system's device, or by its source, which is all that is told for
// a file system over several devices.
func (i *inspector) mountedAt(mountinfo string) string {
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		head, tail := strings.Fields(before), strings.Fields(after)
		if len(head) < 5 || len(tail) < 2 {
			continue
		}
		if slices.Contains(i.devs, head[2]) || i.isOurs(ext4fs.Unescape(tail[1])) {
			return ext4fs.Unescape(head[4])
		}
	}
	return ""
}

// isOurs reports whether a path names the device or, for a partition, its disk.
func (i *inspector) isOurs(name string) bool {
	if !strings.HasPrefix(name, "/") {
		return false
	}
	if name == i.d.Path {
		return true
	}
	st, err := fs.Stat(i.root, rel(name))
	if err != nil || !isBlock(st.Mode()) {
		return false
	}
	_, _, dev := number(st)
	return slices.Contains(i.devs, dev)
}

// swaps refuses what the kernel swaps to.
func (i *inspector) swaps() error {
	text, err := fs.ReadFile(i.root, "proc/swaps")
	if err != nil {
		return nil // a kernel without swap
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) > 0 && i.isOurs(ext4fs.Unescape(words[0])) {
			return refusef("swapoff "+i.d.Path, "%s is swap", i.d.Path)
		}
	}
	return nil
}
