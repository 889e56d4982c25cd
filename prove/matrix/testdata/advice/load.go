package main

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	sector = 512
	block  = 4096
	stripe = 4 * block
	mib    = 1 << 20

	tasks = 8
	each  = 60 // writes of each task
)

// done is what a load did.
type done struct {
	Writes  int64   `json:"writes"`
	Bytes   int64   `json:"bytes"`
	Refused int64   `json:"refused"` // with RWF_NOWAIT, and done again without
	Seconds float64 `json:"seconds"`
}

// load is tasks that use one file until the last of those that count is done.
type load struct {
	path, form string
	count, all sync.WaitGroup
	over       atomic.Bool
	done
}

// before tells whether no remedy is applied.
func (l *load) before() bool { return l.form == "before" }

// work starts n tasks that the load lasts for; each makes the writes 0 to each-1.
func (l *load) work(n, each int64, write func(k, i int64)) {
	for k := range n {
		l.count.Go(func() {
			for i := range each {
				write(k, i)
			}
		})
	}
}

// beside starts n tasks that do something again and again until the load is over.
func (l *load) beside(n int64, step func(k, i int64)) {
	for k := range n {
		l.all.Go(func() {
			for i := int64(0); !l.over.Load(); i++ {
				step(k, i)
			}
		})
	}
}

// wait ends the load.
func (l *load) wait() {
	l.count.Wait()
	l.over.Store(true)
	l.all.Wait()
}

// wrote counts what was written.
func (l *load) wrote(writes, bytes int64) {
	atomic.AddInt64(&l.Writes, writes)
	atomic.AddInt64(&l.Bytes, bytes)
}

// write makes one write, and counts it.
func (l *load) write(fd int, b []byte, at int64) {
	_, err := unix.Pwrite(fd, b, at)
	check("write "+l.path, err)
	l.wrote(1, int64(len(b)))
}

// unwilling makes one with RWF_NOWAIT, and where that is refused makes it again without.
func (l *load) unwilling(fd int, b []byte, at int64) {
	_, err := unix.Pwritev2(fd, [][]byte{b}, at, unix.RWF_NOWAIT)
	if err == unix.EAGAIN {
		atomic.AddInt64(&l.Refused, 1)
		l.write(fd, b, at)
		return
	}
	check("write with RWF_NOWAIT", err)
	l.wrote(1, int64(len(b)))
}

func (l *load) direct() int { return l.open(l.path, unix.O_DIRECT) }

func (l *load) open(path string, flags int) int {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|flags, 0o644)
	check("open "+path, err)
	return fd
}

// buffer is memory that is aligned to blocks.
func buffer(n int64) []byte {
	b, err := unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	check("mmap", err)
	return b
}

// allocated lays out a file of blocks that are not written, but for the first one: that has
// the kernel look at the privileges that a write takes away, once.
func (l *load) allocated(size int64) int {
	fd := l.open(l.path, unix.O_TRUNC)
	check("fallocate", unix.Fallocate(fd, 0, 0, size))
	l.fill(fd, 0, block)
	return fd
}

// written lays out a file of blocks that are.
func (l *load) written(size int64) {
	fd := l.allocated(size)
	for at := int64(0); at < size; at += mib {
		l.fill(fd, at, min(mib, size-at))
	}
	l.settle(fd)
}

// fill writes a range through the page cache, which is fast on a slow disk.
func (l *load) fill(fd int, at, n int64) {
	_, err := unix.Pwrite(fd, make([]byte, n), at)
	check("fill", err)
}

// settle has all be on the disk, and nothing in the page cache.
func (l *load) settle(fd int) {
	check("fsync", unix.Fsync(fd))
	check("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
	check("close", unix.Close(fd))
}
