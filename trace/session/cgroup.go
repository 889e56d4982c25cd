package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

const cgroupHint = "list them with: systemd-cgls"

// findCgroup finds the folder of a cgroup of version 2 by a path, by a name or by its id.
func findCgroup(s string) (string, error) {
	root, err := cgroupRoot()
	if err != nil {
		return "", err
	}
	if strings.Contains(s, "/") || s == "." {
		return cgroupFolder(s, root)
	}
	var found []string
	id, _ := strconv.ParseUint(s, 10, 64)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root:
			return err
		case err != nil || !d.IsDir():
			return nil // it is gone
		case id > 0 && cgroupID(path) == id || calledSo(d.Name(), s) && path != root:
			found = append(found, path)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", hint.Usagef(cgroupHint, "--cgroup %s: look through %s: %v", s, root, err)
	case len(found) == 0:
		return "", hint.Usagef(cgroupHint, "--cgroup %s: no cgroup has this name or id below %s", s, root)
	case len(found) > 1:
		return "", hint.Usagef("--cgroup "+found[0], "--cgroup %s: %d cgroups are called so: %s", s, len(found), someOf(found))
	}
	return found[0], nil
}

// cgroupRoot is where the cgroups of version 2 are mounted.
func cgroupRoot() (string, error) {
	const usual = "/sys/fs/cgroup"
	points, err := ext4fs.Points()
	if err != nil {
		return usual, nil // a look at the folder tells
	}
	old := false
	for _, p := range slices.Backward(points) {
		switch p.Type {
		case "cgroup2":
			return p.Point, nil
		case "cgroup":
			old = true
		}
	}
	if old {
		return "", hint.Usagef("boot with: systemd.unified_cgroup_hierarchy=1", "--cgroup needs cgroups of version 2, and this system has those of version 1 only")
	}
	return "", hint.Usagef("mount -t cgroup2 none "+usual, "--cgroup: no cgroups are mounted here")
}

// cgroupFolder is the folder that a path names: from the root of all files, or from that of
// the cgroups as /proc/PID/cgroup has it.
func cgroupFolder(s, root string) (string, error) {
	var gone error
	for _, dir := range []string{s, filepath.Join(root, s)} {
		var st unix.Statfs_t
		err := unix.Statfs(dir, &st)
		switch {
		case !filepath.IsAbs(dir) || errors.Is(err, fs.ErrNotExist):
			gone = err
		case err != nil:
			return "", hint.Usagef(cgroupHint, "--cgroup %s: %v", s, err)
		case st.Type == unix.CGROUP_SUPER_MAGIC || st.Type == unix.TMPFS_MAGIC && within(dir, "/sys/fs/cgroup"):
			return "", hint.Usagef("--cgroup with a folder below "+root, "--cgroup %s is a cgroup of version 1, and only those of version 2 can be traced", s)
		case st.Type != unix.CGROUP2_SUPER_MAGIC:
			return "", hint.Usagef("--cgroup with a folder below "+root, "--cgroup %s is no cgroup of version 2", s)
		default:
			return dir, nil
		}
	}
	return "", hint.Usagef(cgroupHint, "--cgroup %s: there is no such cgroup below %s: %v", s, root, gone)
}

// cgroupID is the id of a cgroup, the inode number of its folder; 0 when it is gone.
func cgroupID(dir string) uint64 {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return 0
	}
	return st.Ino
}

// minContainer is how much of a container's id names it, as docker and podman print it.
const minContainer = 12

// calledSo reports whether the folder of a cgroup may be called by a name: by its own, by
// that of the systemd unit without .service and the like, or by the id of the container.
func calledSo(folder, name string) bool {
	unit := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(folder, ".service"), ".scope"), ".slice")
	if folder == name || unit == name {
		return true
	}
	isID := len(name) >= minContainer && strings.Trim(name, "0123456789abcdef") == ""
	return isID && (strings.HasPrefix(unit, name) || strings.Contains(unit, "-"+name))
}

// someOf lists the first of many.
func someOf(all []string) string {
	const most = 8
	text := export.Safe(strings.Join(all[:min(len(all), most)], " "))
	if len(all) > most {
		text += fmt.Sprintf(" and %d more", len(all)-most)
	}
	return text
}

// emptyCgroup says that no process is in a cgroup, nor in one below it; there may be later.
func emptyCgroup(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
	if err == nil && strings.Contains(string(b), "populated 0") {
		return "no process is in the cgroup " + export.Safe(dir) + " now, nor in one below it"
	}
	return ""
}
