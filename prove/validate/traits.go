package validate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Traits are properties of a file system that scenarios can require. One that is
// not in it is not known, and requirements on it are taken as met.
type Traits map[string]bool

// Names of Traits.
const (
	traitExtents  = "extents"  // new files have extents
	traitDelalloc = "delalloc" // buffered writes allocate later
	traitDirect   = "direct"   // direct writes are made as such
)

// unmet says why a requirement is not met, or "".
func (t Traits) unmet(r Requirement) string {
	has, known := t[r.Key]
	want := r.Values[0] == 1
	if !known || has == want {
		return ""
	}
	return fmt.Sprintf("needs %s=%s; the file system has %s=%s", r.Key, yesNo(want), r.Key, yesNo(has))
}

// readTraits finds out about the file system of d: from a new file, and from
// what ext4 tells of it in /proc.
func readTraits(d *workload.Dir) (Traits, error) {
	const name = "traits"
	fd, err := d.Create(name)
	if err != nil {
		return nil, err
	}
	t := Traits{traitDirect: !d.FS.NoDirect}
	var st unix.Stat_t
	flags, err := workload.InodeFlags(fd)
	if err == nil {
		t[traitExtents] = flags&workload.FlagExtents != 0
	}
	err = errors.Join(unix.Fstat(fd, &st), d.Remove(name), unix.Close(fd))
	if err != nil {
		return nil, fmt.Errorf("find out about the file system: %w", err)
	}
	disk, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))
	if err != nil {
		return t, nil
	}
	text, err := os.ReadFile(filepath.Join("/proc/fs/ext4", filepath.Base(disk), "options"))
	if err == nil {
		t.readOptions(string(text))
	}
	return t, nil
}

// readOptions reads what ext4 lists of a mounted file system, a line each.
func (t Traits) readOptions(text string) {
	lines := strings.Fields(text)
	no := slices.Contains(lines, "nodelalloc")
	if no || slices.Contains(lines, "delalloc") {
		t[traitDelalloc] = !no
	}
}

func traitNames() []string { return []string{traitExtents, traitDelalloc, traitDirect} }
