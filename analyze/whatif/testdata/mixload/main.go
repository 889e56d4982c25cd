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
)

var (
	path    = flag.String("file", "", "the file to make")
	over    = flag.Int("over", 0, "tasks that write whole stripes")
	extend  = flag.Int("append", 0, "tasks that append")
	zero    = flag.Int("zero", 0, "tasks that write a part of unwritten blocks")
	read    = flag.Int("read", 0, "tasks that read")
	each    = flag.Int("each", 600, "stripes of a task")
	lasting = flag.Duration("for", time.Second, "how long")
)

func main() {
	flag.Parse()
	tasks := *over + *extend + *zero + *read
	runtime.GOMAXPROCS(tasks + 2) // a task that comes back from the kernel goes on at once
	must(layout())
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
				must(io(i, fd, buf, (int64(i)*int64(*each)+n)*stripe))
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
	switch k := kind(i); k {
	case "over":
		_, err = syscall.Pwrite(fd, buf[:stripe], at)
	case "append":
		_, err = syscall.Write(fd, buf[:block])
	case "zero":
		_, err = syscall.Pwrite(fd, buf[:block], at+512)
	default:
		_, err = syscall.Pread(fd, buf[:stripe], at)
	}
	return err
}

func kind(i int) string {
	switch {
	case i < *over:
		return "over"
	case i < *over+*zero:
		return "zero"
	case i < *over+*zero+*read:
		return "read"
	}
	return "append"
}

func open(i int) int {
	flags := syscall.O_RDWR | syscall.O_DIRECT
	if kind(i) == "append" {
		flags |= syscall.O_APPEND
	}
	fd, err := syscall.Open(*path, flags, 0)
	must(err)
	return fd
}

// layout makes stripes W U where whole ones are written or read, unwritten ones elsewhere.
func layout() error {
	fd, err := syscall.Open(*path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_TRUNC, 0o644)
	must(err)
	places := int64(*over+*zero+*read) * int64(*each)
	buf := make([]byte, block)
	if places == 0 {
		_, err := syscall.Write(fd, buf)
		must(err)
	} else {
		must(syscall.Fallocate(fd, 0, 0, places*stripe))
	}
	for n := range places {
		if kind(int(n/int64(*each))) == "zero" {
			continue
		}
		if _, err := syscall.Pwrite(fd, buf, n*stripe); err != nil {
			return err
		}
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
	b := make([]byte, stripe+block)
	return b[block-int(uintptr(unsafe.Pointer(&b[0]))%block):]
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
