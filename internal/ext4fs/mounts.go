package ext4fs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Mount is one mounted file system of the ext4 driver. Traces hold it as JSON.
type Mount struct {
	Dev          string   `json:"dev"`                  // MAJOR:MINOR
	Source       string   `json:"source"`               // as given to mount(2)
	Point        string   `json:"mount"`                // where its first mount is; empty when that could not be seen
	Options      string   `json:"options"`              // of that mount
	SuperOptions string   `json:"super_options"`        // of the file system
	BlockSize    int      `json:"block_size,omitempty"` // bytes; 0 when not known
	Features     []string `json:"features,omitempty"`   // as mkfs.ext4 names them; nil when not known
	// Since is when it was seen first, ns of CLOCK_MONOTONIC, of one that was mounted while
	// it was traced.
	Since uint64 `json:"since_ns,omitempty"`

	instance string // see superInstance
}

// Same tells whether two mounts that were read by this process are of one file system that
// stayed mounted in between.
func (m *Mount) Same(o *Mount) bool {
	if m.Dev != o.Dev || m.instance != "" && o.instance != "" {
		return m.Dev == o.Dev && m.instance == o.instance
	}
	return m.Source == o.Source && m.Point == o.Point && m.SuperOptions == o.SuperOptions
}

// Facts lists the known facts about the file system, and the unknown ones; sep stands between
// its features.
func (m *Mount) Facts(sep string) string {
	if m.Point == "" {
		return "not known: mounted while it was traced, and not where the tracer could see it"
	}
	blocks, features := "block size not known", "features not known"
	if m.BlockSize > 0 {
		blocks = fmt.Sprintf("blocks of %d bytes", m.BlockSize)
	}
	if m.Features != nil {
		features = "features " + strings.Join(m.Features, sep)
	}
	text := fmt.Sprintf("%s, options %s; %s", blocks, m.SuperOptions, features)
	if m.Since > 0 {
		text += "; mounted while it was traced"
	}
	return text
}

// Mounted lists those of this mount namespace, each once. Super blocks are read from
// their devices where that is allowed.
func Mounted() ([]Mount, error) {
	t, err := ReadTable()
	if err != nil {
		return nil, err
	}
	var out []Mount
	seen := map[string]bool{}
	for i := range t.mounts {
		if dev := t.mounts[i].Dev; !seen[dev] {
			seen[dev] = true
			m, _ := t.Mount(dev)
			out = append(out, m)
		}
	}
	return out, nil
}

// Mount is the file system of a device, with what its super block says; ok is false when
// it is not mounted where this process sees it.
func (t *Table) Mount(dev string) (m Mount, ok bool) {
	for i := range t.mounts {
		if t.mounts[i].Dev == dev {
			m = t.mounts[i].Mount
			m.readSuper()
			return m, true
		}
	}
	return m, false
}

// readSuper looks at the super block on the device, by any name that the device has. The
// size of blocks is told by the file system, too.
func (m *Mount) readSuper() {
	b, err := anySuper(m.Dev, "/dev/block/"+m.Dev, devPath(m.Dev), m.Source)
	if err == nil {
		if m.BlockSize, m.Features, err = parseSuper(b); err == nil {
			m.instance = superInstance(b)
			return
		}
	}
	m.BlockSize, m.Features = blockSizeAt(m.Point, m.Dev), nil
}

// anySuper reads the super block of a device by the first of its names that leads to it.
func anySuper(dev string, names ...string) (b []byte, err error) {
	for _, path := range names {
		b, err = readSuper(path, dev)
		if err == nil || errors.Is(err, errHangs) { // which it does by any other name, too
			break
		}
	}
	return b, err
}

// devPath is the name that the kernel gives a device: without udev it is the only one in
// /dev, where the root file system's source is called /dev/root.
func devPath(dev string) string {
	b, _ := os.ReadFile("/sys/dev/block/" + dev + "/uevent") // without it the other names are left
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "DEVNAME="); ok {
			return "/dev/" + strings.TrimSpace(name)
		}
	}
	return ""
}

// isDev tells whether a number as stat(2) gives it is MAJOR:MINOR.
func isDev(n uint64, dev string) bool {
	return fmt.Sprintf("%d:%d", n>>8&0xfff|n>>32&^0xfff, n&0xff|n>>12&^0xff) == dev
}

// answerWithin bounds how long a device may take to say what is on it. One that hangs is
// traced all the same.
const answerWithin = 2 * time.Second

var errHangs = errors.New("the device does not answer")

// readSuper reads the super block of a device by one of its names.
func readSuper(path, dev string) ([]byte, error) {
	type answer struct {
		super []byte
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		b, err := readSuperOf(path, dev)
		answered <- answer{b, err}
	}()
	select {
	case a := <-answered:
		return a.super, a.err
	case <-time.After(answerWithin):
		return nil, fmt.Errorf("read super block of %s: %w", path, errHangs)
	}
}

func readSuperOf(path, dev string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read super block: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read super block: %w", err)
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); !ok || st.Mode()&os.ModeDevice == 0 || !isDev(sys.Rdev, dev) {
		return nil, fmt.Errorf("read super block of %s: it is not device %s", path, dev)
	}
	b := make([]byte, superSize)
	if _, err := io.ReadFull(io.NewSectionReader(f, SuperOffset, superSize), b); err != nil {
		return nil, fmt.Errorf("read super block of %s: %w", path, err)
	}
	return b, nil
}

// blockSizeAt asks the file system of a device that is mounted at point for the size of
// its blocks; 0 when another one lies there.
func blockSizeAt(point, dev string) int {
	var st syscall.Stat_t
	var fs syscall.Statfs_t
	if syscall.Stat(point, &st) != nil || !isDev(st.Dev, dev) || syscall.Statfs(point, &fs) != nil {
		return 0
	}
	return int(fs.Bsize)
}

// Table is what is mounted of ext4, in the order of mountinfo.
type Table struct{ mounts []tableMount }

// tableMount is one mount of an ext4: one file system can have several.
type tableMount struct {
	Mount
	root   string // folder of the file system that is mounted
	hidden bool   // by what is mounted over it
}

// Point is a place where a file system of any type is mounted. Its Mount has no block size
// and no features.
type Point struct {
	Mount
	Type       string
	id, parent string // of mounts
	root       string // folder of the file system that is mounted
}

// IsExt4 reports whether the file system is one of the ext4 driver, as that names them.
func (p *Point) IsExt4() bool { return p.Type == "ext4" || p.Type == "ext3" || p.Type == "ext2" }

// ReadTable reads what is mounted in this mount namespace.
func ReadTable() (*Table, error) {
	text, err := readMountinfo()
	if err != nil {
		return nil, err
	}
	return ParseTable(text), nil
}

func readMountinfo() (string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", fmt.Errorf("list mounts: %w", err)
	}
	return string(b), nil
}

// ParseTable reads the text of mountinfo.
func ParseTable(text string) *Table {
	t, all := &Table{}, points(parsePoints(text))
	for i := range all {
		if p := &all[i]; p.IsExt4() {
			t.mounts = append(t.mounts, tableMount{Mount: p.Mount, root: p.root, hidden: all.hides(p, nil, 0)})
		}
	}
	return t
}

// Points lists all of this mount namespace, in the order in which they were mounted.
func Points() ([]Point, error) {
	text, err := readMountinfo()
	return parsePoints(text), err
}

// parsePoints reads the text of mountinfo, see proc_pid_mountinfo(5).
func parsePoints(text string) []Point {
	var out []Point
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 {
			continue
		}
		out = append(out, Point{
			Type: right[0], id: left[0], parent: left[1], root: Unescape(left[3]),
			Mount: Mount{Dev: left[2], Source: Unescape(right[1]), Point: Unescape(left[4]), Options: left[5], SuperOptions: Unescape(right[2])},
		})
	}
	return out
}

// points are all of a mount namespace: one may hide another.
type points []Point

// maxNested bounds how many mounts one lies below.
const maxNested = 64

// hides tells whether what lies at p cannot be reached by its path: another file system is
// mounted on its root, but for the one that is above it on the way there, or later than p
// itself on a folder above it.
func (all points) hides(p, above *Point, depth int) bool {
	var parent *Point
	for i := range all {
		q := &all[i]
		switch {
		case q == p || q == above || q.id == q.parent:
		case q.parent == p.id && q.Point == p.Point:
			return true
		case q.parent == p.parent && q.Point != p.Point && below(p.Point, q.Point):
			return true
		case q.id == p.parent:
			parent = q
		}
	}
	return parent != nil && depth < maxNested && all.hides(parent, p, depth+1)
}

// below tells whether a path is a folder or in it.
func below(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(folder, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

// Path is where a path inside the file system of a device, which begins with a slash, can
// be found; ok is false when that is nowhere. A mount of the whole file system goes before
// one of a folder of it.
func (t *Table) Path(dev, inside string) (path string, ok bool) {
	var best *tableMount
	for i := range t.mounts {
		m := &t.mounts[i]
		if m.Dev == dev && !m.hidden && below(inside, m.root) && (best == nil || len(m.root) < len(best.root)) {
			best = m
		}
	}
	if best == nil {
		return "", false
	}
	rest := inside[len(strings.TrimSuffix(best.root, "/")):]
	if path = strings.TrimSuffix(best.Point, "/") + rest; path == "" {
		path = "/"
	}
	return path, true
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
