// Command mixload makes direct writes of several kinds to one file at the same time, for
// the comparison of predictions with what other kernels do: scripts/whatif-series.sh.
package main

import (
	"flag"
	"log"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	block  = 4096
	stripe = 2 * block // a written and an unwritten block
	place  = 2 * stripe
)

var (
	path    = flag.String("file", "", "the file to make")
	setup   = flag.Int("setup", 0, "writes that one task makes before, one after the other")
	loaders = flag.Int("loaders", 1, "tasks that make the writes before")
	over    = flag.Int("over", 0, "tasks that write whole stripes")
	inner   = flag.Int("inner", 0, "tasks that write a part of a written block, an unwritten one, and a part of a written one")
	rewrite = flag.Int("rewrite", 0, "tasks that overwrite written blocks")
	pause   = flag.Duration("pause", 0, "how long those that overwrite pause after each write")
	extend  = flag.Int("append", 0, "tasks that append")
	zero    = flag.Int("zero", 0, "tasks that write a part of unwritten blocks")
	read    = flag.Int("read", 0, "tasks that read")
	aligned = flag.Bool("aligned", false, "all write whole blocks")
	prewrit = flag.Bool("prewritten", false, "all blocks are written before")
	ahead   = flag.Bool("ahead", false, "those that append write at positions inside the file instead")
	nowait  = flag.Bool("nowait", false, "with RWF_NOWAIT first")
	suid    = flag.Bool("suid", false, "the file has the suid bit")
	each    = flag.Int("each", 600, "stripes of a task")
	lasting = flag.Duration("for", time.Second, "how long")
)

func main() {
	flag.Parse()
	tasks := *over + *inner + *rewrite + *zero + *read + *extend
	runtime.GOMAXPROCS(tasks + *loaders + 2) // a task that comes back from the kernel goes on at once
	must(layout())
	load()
	var stop atomic.Bool
	var ready, ended sync.WaitGroup
	start := make(chan struct{})
	for i := range tasks {
		ready.Add(1)
		ended.Go(func() {
			runtime.LockOSThread()
			fd, buf, n := open(i), buffer(), int64(0)
			ready.Done()
			<-start
			for ; !stop.Load() && n < int64(*each); n++ {
				must(io(i, fd, buf, (int64(i)*int64(*each)+n)*place))
			}
			if n == int64(*each) {
				stop.Store(true) // the others would have the disk for themselves
			}
		})
	}
	ready.Wait()
	time.AfterFunc(*lasting, func() { stop.Store(true) })
	close(start)
	ended.Wait()
}

// io makes one write or read of a task at its place.
func io(i, fd int, buf []byte, at int64) (err error) {
	switch kind(i) {
	case "over":
		return write(fd, buf[:stripe], at)
	case "inner":
		if *aligned {
			return write(fd, buf[:3*block], at)
		}
		return write(fd, buf[:3*block-1024], at+512)
	case "rewrite":
		err = write(fd, buf[:stripe], at)
		time.Sleep(*pause)
	case "append":
		if *ahead {
			return write(fd, buf[:block], at)
		}
		_, err = syscall.Write(fd, buf[:block])
	case "zero":
		if *aligned {
			return write(fd, buf[:stripe], at)
		}
		return write(fd, buf[:block], at+512)
	default:
		_, err = syscall.Pread(fd, buf[:stripe], at)
	}
	return err
}

// write writes at a place, with NOWAIT first where that is asked for.
func write(fd int, buf []byte, at int64) error {
	const (
		pwritev2  = 328 // of amd64
		rwfNowait = 8
	)
	if *nowait {
		iov := syscall.Iovec{Base: &buf[0], Len: uint64(len(buf))}
		_, _, e := syscall.Syscall6(pwritev2, uintptr(fd), uintptr(unsafe.Pointer(&iov)), 1, uintptr(at), 0, rwfNowait)
		if e != syscall.EAGAIN {
			if e != 0 {
				return e
			}
			return nil
		}
	}
	_, err := syscall.Pwrite(fd, buf, at)
	return err
}

func kind(i int) string {
	for _, k := range [...]struct {
		name string
		n    int
	}{{"over", *over}, {"zero", *zero}, {"read", *read}, {"inner", *inner}, {"rewrite", *rewrite}} {
		if i < k.n {
			return k.name
		}
		i -= k.n
	}
	return "append"
}

// tasksWithPlaces is how many tasks have places of their own in the file.
func tasksWithPlaces() int64 {
	n := *over + *zero + *read + *inner + *rewrite
	if *ahead {
		n += *extend
	}
	return int64(n)
}

// load makes the writes before the others, behind their places.
func load() {
	var ended sync.WaitGroup
	places := tasksWithPlaces() * int64(*each) * place
	for i := range *loaders {
		ended.Go(func() {
			fd, buf := open(0), buffer()
			for n := i; n < *setup; n += *loaders {
				_, err := syscall.Pwrite(fd, buf[:block], places+int64(n)*block)
				must(err)
			}
		})
	}
	ended.Wait()
}

func open(i int) int {
	flags := syscall.O_RDWR | syscall.O_DIRECT
	if kind(i) == "append" && !*ahead {
		flags |= syscall.O_APPEND
	}
	fd, err := syscall.Open(*path, flags, 0)
	must(err)
	return fd
}

// written are the blocks of a place that are written before; the others are allocated.
var written = map[string][]int64{"over": {0}, "read": {0}, "inner": {0, 2}, "rewrite": {0, 1}}

// layout makes the places of all tasks.
func layout() error {
	fd, err := syscall.Open(*path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_TRUNC, 0o644)
	must(err)
	places := tasksWithPlaces() * int64(*each)
	buf := make([]byte, block)
	if places == 0 {
		_, err := syscall.Write(fd, buf)
		must(err)
	} else {
		must(syscall.Fallocate(fd, 0, 0, places*place+int64(*setup)*block))
	}
	for n := range places {
		blocks := written[kind(int(n/int64(*each)))]
		if *prewrit {
			blocks = []int64{0, 1, 2, 3}
		}
		for _, b := range blocks {
			if _, err := syscall.Pwrite(fd, buf, n*place+b*block); err != nil {
				return err
			}
		}
	}
	if *suid {
		must(syscall.Fchmod(fd, syscall.S_ISUID|0o755))
	}
	must(syscall.Fsync(fd))
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	if _, _, e := syscall.Syscall6(syscall.SYS_FADVISE64, uintptr(fd), 0, 0, dontNeed, 0, 0); e != 0 {
		return e
	}
	return syscall.Close(fd)
}

// buffer is memory that begins at a page.
func buffer() []byte {
	b := make([]byte, place+block)
	return b[block-int(uintptr(unsafe.Pointer(&b[0]))%block):]
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
