package export

import (
	"sync"
	"time"
)

// Bounds of a Resolver.
const (
	maxPaths    = 16384                  // paths kept
	resolveWait = 20 * time.Millisecond  // how long Path waits for a new answer
	retryAfter  = 500 * time.Millisecond // before an unknown inode is looked for again
)

// FileID names an inode.
type FileID struct {
	Dev uint32 // kernel's dev_t
	Ino uint64
}

// openFile is a file that a process has open.
type openFile struct {
	id   FileID
	path string
}

// question asks for the files of one process.
type question struct {
	pid      uint32
	answered chan struct{} // closed with the answer
}

// Resolver finds paths of inodes among the open files of the processes that
// write to them. Looking at another process' files can hang (a dead network
// filesystem), so it is done by a goroutine of its own; Path waits for it for
// a moment at most, and not at all while it hangs. Close ends it.
type Resolver struct {
	scan func(pid uint32) []openFile
	asks chan question
	done chan struct{}

	mu    sync.Mutex
	paths map[FileID]string
	tried map[FileID]time.Time // when an unknown inode was last looked for
	busy  bool
}

// NewResolver starts a Resolver.
func NewResolver() *Resolver { return newResolver(scanOpenFiles) }

func newResolver(scan func(pid uint32) []openFile) *Resolver {
	s := &Resolver{
		scan: scan, asks: make(chan question, 1), done: make(chan struct{}),
		paths: make(map[FileID]string), tried: make(map[FileID]time.Time),
	}
	go s.run()
	return s
}

// Close ends the Resolver. What it found stays known.
func (s *Resolver) Close() { close(s.done) }

// Learn tells the path of an inode.
func (s *Resolver) Learn(dev uint32, ino uint64, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.learn(openFile{FileID{dev, ino}, path})
}

// learn adds a path. A full table is emptied: what is still in use comes back.
func (s *Resolver) learn(f openFile) {
	if len(s.paths) >= maxPaths {
		clear(s.paths)
	}
	s.paths[f.id] = f.path
	delete(s.tried, f.id)
}

// Path returns the path of an inode, or "" when it is not known (yet). pid is
// the process that writes to it.
func (s *Resolver) Path(dev uint32, ino uint64, pid uint32) string {
	id := FileID{dev, ino}
	s.mu.Lock()
	defer s.mu.Unlock()
	if path, ok := s.paths[id]; ok {
		return path
	}
	now := time.Now()
	if s.busy || now.Sub(s.tried[id]) < retryAfter {
		return ""
	}
	if len(s.tried) >= maxPaths {
		clear(s.tried)
	}
	s.tried[id] = now
	s.busy = true
	q := question{pid, make(chan struct{})}
	s.asks <- q // room: busy was false
	s.mu.Unlock()
	select {
	case <-q.answered:
	case <-time.After(resolveWait):
	}
	s.mu.Lock()
	return s.paths[id]
}

func (s *Resolver) run() {
	for {
		select {
		case <-s.done:
			return
		case q := <-s.asks:
			files := s.scan(q.pid)
			s.mu.Lock()
			for _, f := range files {
				s.learn(f)
			}
			s.busy = false
			s.mu.Unlock()
			close(q.answered)
		}
	}
}
