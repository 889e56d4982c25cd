package session

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Names knows the names of files that the kernel's side has told of, and where their file
// systems are mounted. It looks for nothing by itself: without names that come it costs
// one question a batch, whether something was mounted. It belongs to one goroutine.
type Names struct {
	mu     sync.Mutex // of paths: a list of what is inside is made beside the trace
	paths  recent
	mounts mountLog
	fd     int    // of mountinfo, -1 without: the kernel says there that it has changed
	epoch  uint64 // of mounts
}

// NewNames reads what is mounted.
func NewNames() *Names {
	n := &Names{fd: -1}
	if fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		n.fd = fd
	}
	n.read()
	return n
}

// Close gives back what Names holds of the system. What it knows stays known.
func (n *Names) Close() {
	if n.fd >= 0 {
		unix.Close(n.fd)
		n.fd = -1
	}
}

// Look reads again what is mounted, when that has changed.
func (n *Names) Look() {
	p := []unix.PollFd{{Fd: int32(n.fd), Events: unix.POLLPRI}}
	if n.fd < 0 {
		return
	}
	now := clock.Monotonic()
	if _, err := unix.Poll(p, 0); err != nil {
		return
	}
	if p[0].Revents&(unix.POLLPRI|unix.POLLERR) != 0 {
		n.read()
	} else {
		n.mounts.still(now)
	}
}

// read keeps what was known when it cannot be read.
func (n *Names) read() {
	now := clock.Monotonic()
	if t, err := ext4fs.ReadTable(); err == nil {
		n.mounts.add(t, now)
		n.epoch++
	}
}

// Path implements export.Names.
func (n *Names) Path(id record.NameID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.paths.get(id)
}

// Learn takes a raw name record, and nothing of other records. A name that is known already
// is looked at again, as its file system may be mounted elsewhere now.
func (n *Names) Learn(raw []byte) (id record.NameID, path string, ok bool) {
	if !record.IsName(raw) {
		return id, "", false
	}
	var r record.Name
	parts, err := record.ParseName(raw, &r)
	if err != nil {
		return id, "", false
	}
	id, path = r.ID(), n.place(&r, parts)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paths.get(id) != path {
		n.paths.put(id, path)
	}
	n.paths.put(record.NameID{FileID: id.FileID}, path)
	return id, path, true
}

// place puts a path together. One of a file system that is not mounted where we see it
// begins with its device.
func (n *Names) place(r *record.Name, parts []byte) string {
	dev := export.DevName(r.Dev)
	inside := turned(string(parts))
	path, ok := "", false
	if r.Flags&record.NameCut != 0 {
		inside = "/..." + inside
	} else if path, ok = n.mounts.path(dev, inside, r.T); !ok {
		n.Look() // it may have been mounted a moment ago
		path, ok = n.mounts.path(dev, inside, r.T)
	}
	switch {
	case r.Flags&record.NameCut != 0:
		path = inside[1:]
	case !ok:
		path = "[" + dev + "]" + inside
	}
	if r.Flags&record.NameDeleted != 0 {
		path += " (deleted)"
	}
	return path
}

// turned makes /folder/file of file/folder/.
func turned(parts string) string {
	list := strings.Split(strings.TrimSuffix(parts, "/"), "/")
	slices.Reverse(list)
	return "/" + strings.Join(list, "/")
}

// maxRecent bounds the names in each half of recent.
const maxRecent = 65536

// recent keeps names that were asked for lately: as many as one half has room for, and at
// most twice as many.
type recent struct {
	young, old map[record.NameID]string
	last       record.NameID // and its path, which is most often asked for again
	lastPath   string
}

func (r *recent) get(id record.NameID) string {
	if id == r.last {
		return r.lastPath
	}
	path, ok := r.young[id]
	if !ok {
		if path, ok = r.old[id]; !ok {
			return ""
		}
		r.put(id, path)
	}
	r.last, r.lastPath = id, path
	return path
}

func (r *recent) put(id record.NameID, path string) {
	if len(r.young) >= maxRecent || r.young == nil {
		r.old, r.young = r.young, make(map[record.NameID]string)
	}
	r.young[id] = path
	if id == r.last {
		r.lastPath = path
	}
}

// each calls f with every name.
func (r *recent) each(f func(record.NameID, string)) {
	for id, path := range r.old {
		if _, ok := r.young[id]; !ok {
			f(id, path)
		}
	}
	for id, path := range r.young {
		f(id, path)
	}
}

// fileNames writes into a recording what the files are called that are written to, and what
// is known of file systems that were mounted after it began.
type fileNames struct {
	names   *Names
	written recent
	last    record.NameID
	epoch   uint64           // of the mounts, when devs was emptied
	devs    map[uint32]bool  // whose facts are in the recording
	later   func(dev string) // see Recorder.mounted
}

func newFileNames(names *Names, later func(dev string)) *fileNames {
	return &fileNames{names: names, later: later, devs: map[uint32]bool{}}
}

// see looks at a raw record, before it is written. It reports whether it is one of a name,
// which is not written as a record.
func (n *fileNames) see(raw []byte, w *tracefile.Writer) (isName bool) {
	if id, path, ok := n.names.Learn(raw); ok {
		n.write(id, path, w)
		return true
	}
	id, ok := record.FileOf(raw)
	if !ok || id == n.last && n.epoch == n.names.epoch {
		return false
	}
	n.last = id
	if n.epoch != n.names.epoch {
		n.epoch = n.names.epoch
		clear(n.devs)
	}
	if !n.devs[id.Dev] {
		n.devs[id.Dev] = true
		n.later(export.DevName(id.Dev))
	}
	if id.Name != 0 { // one that was told of before the recording began
		if path := n.names.Path(id); path != "" {
			n.write(id, path, w)
		}
	}
	return false
}

// write writes a name once.
func (n *fileNames) write(id record.NameID, path string, w *tracefile.Writer) {
	if n.written.get(id) != path {
		n.written.put(id, path)
		w.Name(id, path)
	}
}

// again writes all names to a new file.
func (n *fileNames) again(w *tracefile.Writer) {
	n.written.each(w.Name)
}

// mounted adds the facts of a file system that is written to, when they are not those that
// the recording has of its device.
func (r *Recorder) mounted(dev string) {
	m, visible := r.names.names.mounts.now().Mount(dev)
	for _, last := range slices.Backward(r.info.FileSystems) {
		if last.Dev == dev {
			if !visible || last.Same(&m) {
				return
			}
			break
		}
	}
	m.Dev, m.Since = dev, clock.Monotonic()
	r.info.FileSystems = append(r.info.FileSystems, m)
	r.later = append(r.later, m)
}
