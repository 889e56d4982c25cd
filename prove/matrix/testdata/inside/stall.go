// Command stall makes writes that wait, in a guest whose disk is device mapper's "slow".
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	switch os.Args[1] {
	case "contend":
		contend(os.Args[2])
	case "hang":
		hang(os.Args[2], os.Args[3])
	}
}

func fail(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what, err)
		os.Exit(9)
	}
}

func buffer(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	fail("mmap", err)
	return b
}

func direct(path string) int {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_DIRECT, 0o644)
	fail("open", err)
	return fd
}

// contend has some threads append to a file, and others write over what is there.
func contend(path string) {
	const size = 64 << 10
	fd, buf := direct(path), buffer(size)
	for i := range 8 {
		_, err := unix.Pwrite(fd, buf, int64(i*size))
		fail("write", err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	end := int64(8 * size)
	for i := range 3 {
		all.Go(func() {
			for range 25 {
				mu.Lock()
				at := end
				end += size
				mu.Unlock()
				_, err := unix.Pwrite(fd, buf, at)
				fail("append", err)
			}
		})
		all.Go(func() {
			for n := range 50 {
				_, err := unix.Pwrite(fd, buf[:4096], int64((n+i)%8*size))
				fail("overwrite", err)
			}
		})
	}
	all.Wait()
}

// suspend stops or resumes the disk. The file system is not told.
func suspend(on bool) {
	var r struct {
		unix.DmIoctl
		rest [256]byte
	}
	r.Version[0] = unix.DM_VERSION_MAJOR
	r.Data_size, r.Data_start = uint32(unsafe.Sizeof(r)), unix.SizeofDmIoctl
	copy(r.Name[:], "slow")
	if on {
		r.Flags = unix.DM_SUSPEND_FLAG | unix.DM_SKIP_LOCKFS_FLAG
	}
	ctl, err := os.OpenFile("/dev/mapper/control", os.O_RDWR, 0)
	fail("device mapper", err)
	defer ctl.Close()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, ctl.Fd(), unix.DM_DEV_SUSPEND, uintptr(unsafe.Pointer(&r))); errno != 0 {
		fail("suspend", errno)
	}
}

// asleepIn waits until a thread sleeps in a kernel function. The scheduler and the lock
// itself are not on the stack that the kernel shows.
func asleepIn(tid int, function string) {
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stack", tid))
		fail("stack", err)
		if first, _, _ := strings.Cut(string(b), "\n"); strings.Contains(first, function) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// hang has one write sleep for its I/O under the exclusive lock, a second one wait for the
// lock, and a third one queued, until SIGTERM.
func hang(path, other string) {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	const size = 4096
	fd, fd2, buf := direct(path), direct(other), buffer(size)
	for i := range 4 {
		_, err := unix.Pwrite(fd, buf, int64(i*size))
		fail("write", err)
		_, err = unix.Pwrite(fd2, buf, int64(i*size))
		fail("write", err)
	}
	// A transaction that is being committed would have the first write wait for the journal.
	fail("syncfs", unix.Syncfs(fd))
	suspend(true)
	var all sync.WaitGroup
	start := func(at int64, function string) {
		tids := make(chan int)
		all.Go(func() {
			runtime.LockOSThread()
			tids <- unix.Gettid()
			_, err := unix.Pwrite(fd, buf, at)
			fail("write", err)
		})
		asleepIn(<-tids, function)
	}
	start(4*size, "iomap_dio_rw")
	start(0, "ext4_file_write_iter")
	ctx := submit(fd2, buf)
	fmt.Println("hanging", os.Getpid())
	<-terminated
	suspend(false)
	all.Wait()
	_ = ctx
}

// submit queues an asynchronous write.
func submit(fd int, buf []byte) uintptr {
	var ctx uintptr
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, 4, uintptr(unsafe.Pointer(&ctx)), 0); errno != 0 {
		fail("io_setup", errno)
	}
	cb := struct {
		data         uint64
		key, rw      uint32
		opcode, prio uint16
		fd           uint32
		buf, n       uint64
		offset       int64
		rest         [2]uint64
	}{opcode: 1, fd: uint32(fd), buf: uint64(uintptr(unsafe.Pointer(&buf[0]))), n: uint64(len(buf)), offset: 4096}
	list := &cb
	if _, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, ctx, 1, uintptr(unsafe.Pointer(&list))); errno != 0 {
		fail("io_submit", errno)
	}
	return ctx
}
