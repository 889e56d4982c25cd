package workload

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What x/sys does not have of userfaultfd(2).
const (
	uffdAPI      = 0xaa
	uffdioAPI    = 0xc018aa3f // _IOWR(UFFDIO, 0x3f, struct uffdio_api)
	uffdRegister = 0xc020aa00 // _IOWR(UFFDIO, 0, struct uffdio_register)
	uffdCopy     = 0xc028aa03 // _IOWR(UFFDIO, 3, struct uffdio_copy)
	uffdMissing  = 1          // UFFDIO_REGISTER_MODE_MISSING
	uffdMsgSize  = 32         // struct uffd_msg
)

// Holder is a buffered write that holds i_rwsem of a file for as long as it is wanted:
// ext4_buffered_write_iter takes the lock and then reads the memory, of which userfaultfd(2) holds
// back the page. So the lock is held without any luck.
type Holder struct {
	uffd int
	mem  []byte // what the write reads, not there yet
	page []byte // what comes to be there
	done chan error
	once sync.Once
	err  error
}

// Hold begins a write of data at pos through the page cache, and returns when it holds the lock. It
// has to be released. The error wraps ErrUnfit where this kernel cannot do it.
func Hold(fd int, pos int64, data []byte, limit time.Duration) (_ *Holder, err error) {
	size := (len(data) + os.Getpagesize() - 1) &^ (os.Getpagesize() - 1)
	h := &Holder{uffd: -1, page: make([]byte, size), done: make(chan error, 1)}
	copy(h.page, data)
	defer func() {
		if err != nil {
			err = errors.Join(err, h.free())
		}
	}()
	if h.mem, err = unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS); err != nil {
		return nil, fmt.Errorf("map memory: %w", err)
	}
	if err := h.register(); err != nil {
		return nil, err
	}
	go func() {
		n, err := unix.Pwrite(fd, h.mem[:len(data)], pos)
		if err == nil && n != len(data) {
			err = fmt.Errorf("%d of %d bytes were written", n, len(data))
		}
		h.done <- err
	}()
	if err := h.faulted(limit); err != nil {
		return nil, errors.Join(err, h.Release())
	}
	return h, nil
}

// register has the kernel ask for the pages of the memory.
func (h *Holder) register() error {
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK, 0, 0)
	if errno != 0 {
		return unfit("hold a lock by userfaultfd", errno)
	}
	h.uffd = int(fd)
	api := struct{ api, features, ioctls uint64 }{api: uffdAPI}
	if err := h.ioctl(uffdioAPI, unsafe.Pointer(&api)); err != nil {
		return unfit("hold a lock by userfaultfd", err)
	}
	reg := struct{ start, len, mode, ioctls uint64 }{h.start(), uint64(len(h.mem)), uffdMissing, 0}
	if err := h.ioctl(uffdRegister, unsafe.Pointer(&reg)); err != nil {
		return unfit("register memory with userfaultfd", err)
	}
	return nil
}

func (h *Holder) start() uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(h.mem)))) }

func (h *Holder) ioctl(req uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(h.uffd), req, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// faulted waits until the write asks for its memory.
func (h *Holder) faulted(limit time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(h.uffd), Events: unix.POLLIN}}
	n := 0
	err := Again(func() (err error) {
		n, err = unix.Poll(fds, int(limit.Milliseconds()))
		return err
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("it did not read its memory within %s", limit)
	}
	if err == nil {
		_, err = unix.Read(h.uffd, make([]byte, uffdMsgSize))
	}
	if err != nil {
		return fmt.Errorf("wait for a buffered write to hold the lock: %w", err)
	}
	return nil
}

// Release lets the write go on, and returns when it is over. Calls after the first return what
// that one did.
func (h *Holder) Release() error {
	h.once.Do(func() {
		src := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(h.page))))
		arg := struct {
			dst, src, len, mode uint64
			copied              int64
		}{dst: h.start(), src: src, len: uint64(len(h.page))}
		if err := h.ioctl(uffdCopy, unsafe.Pointer(&arg)); err != nil {
			h.err = fmt.Errorf("fill memory by userfaultfd: %w", err)
			return // the write never ends: its memory stays
		}
		h.err = errors.Join(<-h.done, h.free())
	})
	return h.err
}

func (h *Holder) free() error {
	var err error
	if h.uffd >= 0 {
		err = unix.Close(h.uffd)
		h.uffd = -1
	}
	if h.mem != nil {
		err = errors.Join(err, unix.Munmap(h.mem))
		h.mem = nil
	}
	return err
}
