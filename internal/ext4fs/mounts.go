package ext4fs

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Mount is one mounted file system of the ext4 driver. Traces hold it as JSON.
type Mount struct {
	Dev          string   `json:"dev"`                  // MAJOR:MINOR
	Source       string   `json:"source"`               // as given to mount(2)
	Point        string   `json:"mount"`                // where its first mount is
	Options      string   `json:"options"`              // of that mount
	SuperOptions string   `json:"super_options"`        // of the file system
	BlockSize    int      `json:"block_size,omitempty"` // bytes; 0 when the super block could not be read
	Features     []string `json:"features,omitempty"`   // as mkfs.ext4 names them; nil when not known
}

// Mounted lists those of this mount namespace, each once. Super blocks are read from
// their devices where that is allowed.
func Mounted() ([]Mount, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	mounts := parseMounts(string(b))
	for i := range mounts {
		m := &mounts[i]
		for _, path := range []string{"/dev/block/" + m.Dev, m.Source} {
			if m.BlockSize, m.Features, err = readSuper(path); err == nil {
				break
			}
		}
	}
	return mounts, nil
}

// readSuper reads what a device says about its file system.
func readSuper(path string) (int, []string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, fmt.Errorf("read super block: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeDevice == 0 {
		return 0, nil, fmt.Errorf("read super block of %s: no device", path)
	}
	b := make([]byte, superSize)
	if _, err := io.ReadFull(io.NewSectionReader(f, SuperOffset, superSize), b); err != nil {
		return 0, nil, fmt.Errorf("read super block of %s: %w", path, err)
	}
	return parseSuper(b)
}

// parseMounts takes those of ext4 out of the text of mountinfo.
func parseMounts(text string) []Mount {
	var out []Mount
	seen := map[string]bool{}
	for _, p := range parsePoints(text) {
		if p.IsExt4() && !seen[p.Dev] {
			seen[p.Dev] = true
			out = append(out, p.Mount)
		}
	}
	return out
}

// Point is a place where a file system of any type is mounted. Its Mount has no block size
// and no features.
type Point struct {
	Mount
	Type string
}

// IsExt4 reports whether the file system is one of the ext4 driver, as that names them.
func (p *Point) IsExt4() bool { return p.Type == "ext4" || p.Type == "ext3" || p.Type == "ext2" }

// Points lists all of this mount namespace, in the order in which they were mounted.
func Points() ([]Point, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	return parsePoints(string(b)), nil
}

// parsePoints reads the text of mountinfo, see proc_pid_mountinfo(5).
func parsePoints(text string) []Point {
	var out []Point
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if ok && len(left) >= 6 && len(right) >= 3 {
			out = append(out, Point{Type: right[0], Mount: Mount{
				Dev: left[2], Source: Unescape(right[1]), Point: Unescape(left[4]), Options: left[5], SuperOptions: Unescape(right[2]),
			}})
		}
	}
	return out
}

// Unescape turns \040 and the like, as in /proc/self/mountinfo and /proc/swaps, back into
// the bytes they stand for. What is no escape stays as it is.
func Unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
