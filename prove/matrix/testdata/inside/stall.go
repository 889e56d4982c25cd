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

// asleepIn waits until a thread sleeps in a kernel function, or in what an ioctl calls. The
// scheduler and the lock itself are not on the stack that the kernel shows.
func asleepIn(tid int, function string) {
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stack", tid))
		fail("stack", err)
		stack := string(b)
		if function != "ext4_move_extents" {
			stack, _, _ = strings.Cut(stack, "\n")
		}
		if strings.Contains(stack, function) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// hang has one write sleep for its I/O under the exclusive lock, a second one wait for the
// lock, and a third one queued, until SIGTERM. Two more wait for who makes no write: for
// fallocate, which itself waits for a queued write, and for an ioctl of another file.
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
	punched, donor, moved := direct(path+"-punched"), direct(path+"-donor"), direct(path+"-moved")
	for _, fd := range []int{punched, donor, moved} {
		for i := range 4 {
			_, err := unix.Pwrite(fd, buf, int64(i*size))
			fail("write", err)
		}
	}
	// A transaction that is being committed would have the first write wait for the journal.
	fail("syncfs", unix.Syncfs(fd))
	suspend(true)
	var all sync.WaitGroup
	start := func(function string, call func() error) {
		tids := make(chan int)
		all.Go(func() {
			runtime.LockOSThread()
			tids <- unix.Gettid()
			fail(function, call())
		})
		asleepIn(<-tids, function)
	}
	write := func(fd int, at int64) func() error {
		return func() error { _, err := unix.Pwrite(fd, buf, at); return err }
	}
	start("iomap_dio_rw", write(fd, 4*size))
	start("ext4_file_write_iter", write(fd, 0))
	ctx := submit(fd2, buf)
	ctx2 := submit(punched, buf)
	start("inode_dio_wait", func() error {
		return unix.Fallocate(punched, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, size)
	})
	start("ext4_file_write_iter", write(punched, 2*size))
	start("ext4_move_extents", func() error { return moveExtents(moved, donor) })
	start("ext4_file_write_iter", write(donor, 2*size))
	fmt.Println("hanging", os.Getpid())
	<-terminated
	suspend(false)
	all.Wait()
	_, _ = ctx, ctx2
}

// moveExtents swaps the first blocks of two files, both of which it locks.
func moveExtents(fd, donor int) error {
	arg := struct {
		reserved, donor              uint32
		origStart, donorStart, count uint64
		moved                        uint64
	}{donor: uint32(donor), count: 2}
	const moveExt = 0xc028660f // EXT4_IOC_MOVE_EXT
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), moveExt, uintptr(unsafe.Pointer(&arg))); errno != 0 {
		return errno
	}
	return nil
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
