package session

import (
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Bounds of fileNames.
const (
	maxFileNames = 65536
	maxUnnamed   = 256                    // files whose name is looked for again
	tryAgain     = 900 * time.Millisecond // and after which time
	maxAsking    = 200 * time.Millisecond // spent on names in that time; the ring fills meanwhile
)

// fileKey names an inode.
type fileKey struct {
	dev uint32
	ino uint64
}

// fileNames finds the paths of the files in a recording.
type fileNames struct {
	resolver *export.Resolver
	last     fileKey
	known    map[fileKey]string // "" while it is not known
	unnamed  map[fileKey]uint32 // by a process that writes to it
	tried    time.Time
	asking   time.Duration // since then
}

func newFileNames(r *export.Resolver) *fileNames {
	return &fileNames{resolver: r, known: map[fileKey]string{}, unnamed: map[fileKey]uint32{}}
}

// see looks at a raw record, and writes the name of its file when it is a new one.
func (n *fileNames) see(raw []byte, w *tracefile.Writer) {
	dev, ino, pid, ok := record.FileOf(raw)
	key := fileKey{dev, ino}
	if !ok || key == n.last {
		return
	}
	n.last = key
	if _, ok := n.known[key]; ok || len(n.known) >= maxFileNames {
		return
	}
	n.known[key] = ""
	n.ask(key, pid, w)
}

// ask writes the name of a file, or remembers that it is not known.
func (n *fileNames) ask(key fileKey, pid uint32, w *tracefile.Writer) {
	path := ""
	if n.asking < maxAsking {
		began := time.Now()
		path = n.resolver.Path(key.dev, key.ino, pid)
		n.asking += time.Since(began)
	}
	if path == "" {
		if len(n.unnamed) < maxUnnamed {
			n.unnamed[key] = pid
		}
		return
	}
	delete(n.unnamed, key)
	n.known[key] = path
	w.Name(key.dev, key.ino, path)
}

// retry looks once more for those without a name.
func (n *fileNames) retry(w *tracefile.Writer) {
	now := time.Now()
	if now.Sub(n.tried) < tryAgain {
		return
	}
	n.tried, n.asking = now, 0
	for key, pid := range n.unnamed {
		n.ask(key, pid, w)
	}
}

// again writes all names to a new file.
func (n *fileNames) again(w *tracefile.Writer) {
	for key, path := range n.known {
		if path != "" {
			w.Name(key.dev, key.ino, path)
		}
	}
}
