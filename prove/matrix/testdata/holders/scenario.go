package main

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// op is one thing that was done, in the words of the tracer. Tid 0 is any thread of the
// process; Pid 0, too, is a thread of the kernel with such a name.
type op struct {
	Scenario string `json:"scenario"`
	Op       string `json:"op"`
	Tid      int    `json:"tid"`
	Pid      int    `json:"pid"`
	Comm     string `json:"comm,omitempty"`
	Ino      uint64 `json:"ino"`
	Start    int64  `json:"start"` // CLOCK_MONOTONIC
	End      int64  `json:"end"`
}

const (
	block = 4096
	mib   = 1 << 20
)

// scenario is tasks that use one file until the last of those that count is done.
type scenario struct {
	name, path string
	ino        uint64
	tasks      []*task
	all, count sync.WaitGroup
	over       atomic.Bool
}

// task is a thread.
type task struct {
	*scenario
	tid int
	ops []op
}

// newScenario makes the file of a scenario, 16 MiB of written blocks that are not cached.
func newScenario(name, path string) *scenario {
	s := &scenario{name: name, path: path}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC|unix.O_DIRECT, 0o600)
	check("create "+path, err)
	defer unix.Close(fd)
	var st unix.Stat_t
	check("stat", unix.Fstat(fd, &st))
	s.ino = st.Ino
	what := "write"
	if name == "left-out" {
		what = "direct-write"
	}
	s.counted(func(t *task) {
		b := buffer(mib)
		for at := range int64(16) {
			t.do(what, func() error { _, err := unix.Pwrite(fd, b, at*mib); return err })
		}
	})
	s.count.Wait()
	check("fsync", unix.Fsync(fd))
	return s
}

// forever starts a thread that does something again and again until the scenario is over.
func (s *scenario) forever(step func(t *task, n int64)) {
	s.start(&s.all, func(t *task) {
		for n := int64(0); !s.over.Load(); n++ {
			step(t, n)
		}
	})
}

// counted starts a thread that the scenario lasts for.
func (s *scenario) counted(work func(t *task)) { s.start(&s.count, work) }

func (s *scenario) start(group *sync.WaitGroup, work func(t *task)) {
	t := &task{scenario: s}
	s.tasks = append(s.tasks, t)
	group.Go(func() {
		runtime.LockOSThread()
		t.tid = unix.Gettid()
		work(t)
	})
}

// wait ends the scenario.
func (s *scenario) wait() {
	s.count.Wait()
	s.over.Store(true)
	s.all.Wait()
}

// do writes down what f is, whose errors are not expected.
func (t *task) do(what string, f func() error) {
	start := now()
	err := f()
	t.ops = append(t.ops, op{t.name, what, t.tid, os.Getpid(), "", t.ino, start, now()})
	check(t.name+": "+what, err)
}

func (s *scenario) writeDown(out io.Writer) error {
	e := json.NewEncoder(out)
	for _, t := range s.tasks {
		for _, o := range t.ops {
			if err := e.Encode(o); err != nil {
				return err
			}
		}
	}
	return nil
}

func now() int64 {
	var ts unix.Timespec
	check("clock_gettime", unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts))
	return ts.Nano()
}

func buffer(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	check("mmap", err)
	return b
}

func (s *scenario) open(flags int) int {
	fd, err := unix.Open(s.path, unix.O_RDWR|flags, 0)
	check("open "+s.path, err)
	return fd
}

// overwriters starts threads that write over blocks near the start of the file, but not
// over the first.
func (s *scenario) overwriters(n int) {
	fd := s.open(unix.O_DIRECT)
	for k := range int64(n) {
		b := buffer(block)
		s.forever(func(t *task, n int64) {
			at := 1 + k*256 + n%256
			t.do("write", func() error { _, err := unix.Pwrite(fd, b, at*block); return err })
		})
	}
}

// appender starts the thread that appends n times.
func (s *scenario) appender(n int, what string) {
	fd := s.open(unix.O_DIRECT)
	s.counted(func(t *task) {
		b := buffer(16 * block)
		for i := range int64(n) {
			t.do(what, func() error { _, err := unix.Pwrite(fd, b, 16*mib+i*16*block); return err })
		}
	})
}

// readAll starts threads that read the file, a part of it at a time.
func (s *scenario) readAll(n int) {
	fd := s.open(unix.O_DIRECT)
	for range n {
		b := buffer(16 * block)
		s.forever(func(t *task, n int64) {
			t.do("direct-read", func() error { _, err := unix.Pread(fd, b, n%256*16*block); return err })
		})
	}
}

func setComm(name string) {
	b := append([]byte(name), 0)
	check("prctl", unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0))
}
