// Command stall makes writes that wait, in a guest whose disk is device mapper's "slow".
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The first thread stays with main. The kernel gives it every signal to the process, also
// while it sleeps in a write, where it does not take one: SIGTERM would not be heard before
// the disk is resumed, which SIGTERM is to do.
func init() { runtime.LockOSThread() }

func main() {
	switch os.Args[1] {
	case "contend":
		contend(os.Args[2])
	case "hang":
		hang(os.Args[2], os.Args[3])
	case "stuck":
		stuck(os.Args[2])
	case "resume":
		suspend(false)
	case "await":
		await(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	case "gone":
		gone(os.Args[2])
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

// quiet has no transaction be committed for an hour: on a disk that is suspended that never
// ends, and writes wait for the journal in place of their I/O (do_get_write_access). By itself
// the kernel commits what is five seconds old.
func quiet(fd int, path string) {
	fail("remount", unix.Mount("", filepath.Dir(path), "", unix.MS_REMOUNT, "commit=3600"))
	fail("syncfs", unix.Syncfs(fd))
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
	late := soon()
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
		late.pause("thread %d to sleep in %s", tid, function)
	}
}

// await waits until a file has a text in so many lines while a process is there.
func await(pid, file, text, count string) {
	for late := soon(); ; {
		over := ended(pid)
		b, _ := os.ReadFile(file) // it may not be there yet
		if strconv.Itoa(strings.Count(string(b), text)) == count {
			return
		}
		if over {
			fail("wait for "+text, fmt.Errorf("process %s has ended; %s has:\n%s", pid, file, b))
		}
		late.pause("%q %s times in %s, which has:\n%s", text, count, file, b)
	}
}

// gone waits until a process has ended.
func gone(pid string) {
	for late := soon(); !ended(pid); {
		late.pause("process %s to end", pid)
	}
}

// ended tells whether no thread of a process is left but the first one, and that has ended.
func ended(pid string) bool {
	tasks, _ := os.ReadDir("/proc/" + pid + "/task")
	return len(tasks) == 0 || len(tasks) == 1 && state(pid) == "Z"
}

// state is the letter of a thread's state, empty when it is not there.
func state(pid string) string {
	b, _ := os.ReadFile("/proc/" + pid + "/stat")
	if _, after, ok := strings.Cut(string(b), ") "); ok {
		return after[:1]
	}
	return ""
}

// patience is how long any step may take, on a machine that does nothing else as on one that
// emulates several others.
const patience = 2 * time.Minute

// deadline ends a wait that would last for ever.
type deadline struct{ end time.Time }

func soon() deadline { return deadline{time.Now().Add(patience)} }

// pause lets others run; at the end it tells what was waited for, and which threads sleep in
// the kernel and cannot be woken.
func (d deadline) pause(what string, args ...any) {
	if time.Now().Before(d.end) {
		time.Sleep(time.Millisecond)
		return
	}
	defer os.Exit(9)
	defer fmt.Fprintf(os.Stderr, "stall: waited for "+what+"\n", args...) // below the stacks, where a log is cut last
	disks, _ := filepath.Glob("/sys/block/*/inflight")
	for _, disk := range disks {
		n, _ := os.ReadFile(disk)
		fmt.Fprintf(os.Stderr, "%s: %s\n", disk, strings.Join(strings.Fields(string(n)), " "))
	}
	tasks, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	for _, task := range tasks {
		tid := filepath.Base(task)
		if state(tid) != "D" {
			continue
		}
		comm, _ := os.ReadFile(task + "/comm")
		stack, _ := os.ReadFile(task + "/stack")
		fmt.Fprintf(os.Stderr, "%s %s sleeps:\n%s", tid, strings.TrimSpace(string(comm)), stack)
	}
}

const size = 4096

// written is a file with four blocks.
func written(path string, buf []byte) int {
	fd := direct(path)
	for i := range 4 {
		_, err := unix.Pwrite(fd, buf, int64(i*size))
		fail("write", err)
	}
	return fd
}

// asleep starts a call, and waits until it sleeps in a kernel function.
func asleep(all *sync.WaitGroup, function string, call func() error) {
	tids := make(chan int)
	all.Go(func() {
		runtime.LockOSThread()
		tids <- unix.Gettid()
		fail(function, call())
	})
	asleepIn(<-tids, function)
}

// write is one write.
func write(fd int, buf []byte, at int64) func() error {
	return func() error { _, err := unix.Pwrite(fd, buf, at); return err }
}

// hang has one write sleep for its I/O under the exclusive lock, a second one wait for the
// lock, and a third one queued, until SIGTERM. Two more wait for who makes no write: for
// fallocate, which itself waits for a queued write, and for an ioctl of another file.
func hang(path, other string) {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	buf := buffer(size)
	fd, fd2 := written(path, buf), written(other, buf)
	punched, donor, moved := written(path+"-punched", buf), written(path+"-donor", buf), written(path+"-moved", buf)
	quiet(fd, path)
	suspend(true)
	var all sync.WaitGroup
	asleep(&all, "iomap_dio_rw", write(fd, buf, 4*size))
	asleep(&all, "ext4_file_write_iter", write(fd, buf, 0))
	ctx := submit(fd2, buf)
	ctx2 := submit(punched, buf)
	asleep(&all, "inode_dio_wait", func() error {
		return unix.Fallocate(punched, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, size)
	})
	asleep(&all, "ext4_file_write_iter", write(punched, buf, 2*size))
	asleep(&all, "ext4_move_extents", func() error { return moveExtents(moved, donor) })
	asleep(&all, "ext4_file_write_iter", write(donor, buf, 2*size))
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

// stuck has a write sleep for its I/O, and does not end before the disk is resumed.
func stuck(path string) {
	signal.Ignore(syscall.SIGTERM)
	buf := buffer(size)
	fd := written(path, buf)
	quiet(fd, path)
	suspend(true)
	var all sync.WaitGroup
	asleep(&all, "iomap_dio_rw", write(fd, buf, 4*size))
	fmt.Println("hanging", os.Getpid())
	all.Wait()
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
