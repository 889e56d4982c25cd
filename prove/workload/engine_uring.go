package workload

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The interface of include/uapi/linux/io_uring.h, as far as it is used here.
const (
	uringParamsSize  = 120
	uringSQESize     = 64
	uringCQESize     = 16
	uringOpReadv     = 1
	uringOpWritev    = 2
	uringOpFixed     = 5 // IORING_OP_WRITE_FIXED
	uringSetupIOPoll = 1 << 0
	uringSetupSQPoll = 1 << 1
	uringRegBuffers  = 0 // opcodes of io_uring_register
	uringUnregister  = 1
	uringGetEvents   = 1 << 0
	uringSQWakeup    = 1 << 1
	uringNeedWakeup  = 1 << 0
	uringOffSQRing   = 0
	uringOffCQRing   = 0x8000000
	uringOffSQEs     = 0x10000000
	uringIdleMs      = 2
)

// uringMode says how a ring is used.
type uringMode struct {
	sqPoll bool // a thread of the kernel takes the entries
	fixed  bool // the memory of each write is registered before it
	ioPoll bool // completions are polled for
}

// uring is io_uring, spoken without a library.
type uring struct {
	uringMode
	fd     int
	depth  int
	polled map[uint64]error // by device: why it is not polled; only with ioPoll
	sq, cq []byte           // the two rings
	sqes   []byte
	ctl    *control

	sqTail, sqFlags, cqHead, cqTail *uint32
	sqMask, cqMask                  uint32
	sqArray, cqes                   int // offsets in sq and cq
}

func newURing(depth int, mode uringMode) (Engine, error) {
	var p [uringParamsSize]byte
	flags := uint32(0)
	if mode.sqPoll {
		flags |= uringSetupSQPoll
		put32(p[16:], uringIdleMs)
	}
	if mode.ioPoll {
		flags |= uringSetupIOPoll
	}
	put32(p[8:], flags)
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(depth), uintptr(unsafe.Pointer(&p[0])), 0)
	if errno != 0 {
		return nil, unfit("set up io_uring", errno)
	}
	u := &uring{uringMode: mode, fd: int(fd), depth: depth, polled: map[uint64]error{}}
	if err := u.mapRings(&p); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// mapRings maps the two rings and the entries at the places the kernel gave.
func (u *uring) mapRings(p *[uringParamsSize]byte) error {
	get := func(off int) uint32 { return binary.NativeEndian.Uint32(p[off:]) }
	const sqOff, cqOff = 40, 80 // struct io_sqring_offsets, io_cqring_offsets
	sqN, cqN := get(0), get(4)
	var err error
	if u.ctl, err = newControl(u.depth, 0); err != nil {
		return err
	}
	prot, flags := unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE
	u.sqArray, u.cqes = int(get(sqOff+24)), int(get(cqOff+20))
	if u.sq, err = unix.Mmap(u.fd, uringOffSQRing, u.sqArray+int(sqN)*4, prot, flags); err != nil {
		return fmt.Errorf("map io_uring submission ring: %w", err)
	}
	if u.cq, err = unix.Mmap(u.fd, uringOffCQRing, u.cqes+int(cqN)*uringCQESize, prot, flags); err != nil {
		return fmt.Errorf("map io_uring completion ring: %w", err)
	}
	if u.sqes, err = unix.Mmap(u.fd, uringOffSQEs, int(sqN)*uringSQESize, prot, flags); err != nil {
		return fmt.Errorf("map io_uring entries: %w", err)
	}
	at := func(ring []byte, off int) *uint32 { return (*uint32)(unsafe.Pointer(&ring[get(off)])) }
	u.sqTail, u.sqMask, u.sqFlags = at(u.sq, sqOff+4), *at(u.sq, sqOff+8), at(u.sq, sqOff+16)
	u.cqHead, u.cqTail, u.cqMask = at(u.cq, cqOff), at(u.cq, cqOff+4), *at(u.cq, cqOff+8)
	return nil
}

func (u *uring) Do(reqs []Request) ([]Result, error) {
	for _, r := range reqs {
		if err := u.check(r); err != nil {
			return nil, err
		}
	}
	return inBatches(reqs, u.depth, u.batch)
}

// check finds what this ring cannot do, before anything is submitted.
func (u *uring) check(r Request) error {
	switch {
	case len(r.Segs) > MaxSegs:
		return fmt.Errorf("write %d segments: %w: at most %d", len(r.Segs), ErrRequest, MaxSegs)
	case u.fixed && (len(r.Segs) != 1 || len(r.Segs[0]) == 0):
		return fmt.Errorf("write from a registered buffer: %w: %d segments, %d bytes", ErrRequest, len(r.Segs), r.Len())
	case u.ioPoll:
		return u.checkPoll(r.Fd)
	}
	return nil
}

// batch submits at most depth requests with one call and waits for them.
func (u *uring) batch(reqs []Request, res []Result) (err error) {
	if !u.fixed {
		return u.submit(uringOpWritev, reqs, res)
	}
	if err := u.register(reqs); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, u.unregister()) }()
	return u.submit(uringOpFixed, reqs, res)
}

func (u *uring) submit(op byte, reqs []Request, res []Result) error {
	tail := atomic.LoadUint32(u.sqTail)
	for i, r := range reqs {
		slot := tail & u.sqMask
		e := u.sqes[slot*uringSQESize : (slot+1)*uringSQESize]
		if err := u.entry(e, op, i, r); err != nil {
			return err
		}
		put32(u.sq[u.sqArray+int(slot)*4:], slot)
		tail++
	}
	atomic.StoreUint32(u.sqTail, tail)
	return u.wait(len(reqs), res)
}

// entry fills in the submission entry of request i.
func (u *uring) entry(e []byte, op byte, i int, r Request) error {
	clear(e)
	e[0] = op
	put32(e[4:], uint32(r.Fd))
	put64(e[8:], uint64(r.Pos))
	put32(e[28:], uint32(r.Flags))
	put64(e[32:], uint64(i))
	if op == uringOpFixed {
		put64(e[16:], address(r.Segs[0]))
		put32(e[24:], uint32(len(r.Segs[0])))
		put16(e[40:], uint16(i)) // buf_index
		return nil
	}
	iov, err := u.ctl.iovecs(i, r.Segs)
	if err != nil {
		return err
	}
	put64(e[16:], iov)
	put32(e[24:], uint32(len(r.Segs)))
	return nil
}

// register makes the memory of request i the ring's buffer i. A buffer that starts
// where the write does has in the kernel the same offset into its page as here.
func (u *uring) register(reqs []Request) error {
	iovs := make([]byte, len(reqs)*iovecSize)
	for i, r := range reqs {
		put64(iovs[i*iovecSize:], address(r.Segs[0]))
		put64(iovs[i*iovecSize+8:], uint64(len(r.Segs[0])))
	}
	err := Again(func() error {
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(u.fd), uringRegBuffers,
			uintptr(unsafe.Pointer(&iovs[0])), uintptr(len(reqs)), 0, 0)
		return errnoOf(errno)
	})
	if err != nil {
		return unfit("register buffers with io_uring", err)
	}
	return nil
}

// unregister waits, on 6.1 until the kernel has put away the last use of the buffers
// (io_rsrc_ref_quiesce), and a signal to the thread ends that.
func (u *uring) unregister() error {
	err := Again(func() error {
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(u.fd), uringUnregister, 0, 0, 0, 0)
		return errnoOf(errno)
	})
	if err != nil {
		return fmt.Errorf("unregister buffers of io_uring: %w", err)
	}
	return nil
}

// wait submits n entries and takes their n completions.
func (u *uring) wait(n int, res []Result) error {
	submit := n
	for n > 0 {
		flags := uintptr(uringGetEvents)
		if u.sqPoll {
			submit = 0
			if atomic.LoadUint32(u.sqFlags)&uringNeedWakeup != 0 {
				flags |= uringSQWakeup
			}
		}
		done, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(u.fd), uintptr(submit), uintptr(n), flags, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return fmt.Errorf("enter io_uring: %w", errno)
		}
		if errno == 0 {
			submit -= min(int(done), submit)
		}
		head := atomic.LoadUint32(u.cqHead)
		for ; head != atomic.LoadUint32(u.cqTail); head++ {
			c := u.cq[u.cqes+int(head&u.cqMask)*uringCQESize:]
			setResult(&res[binary.NativeEndian.Uint64(c)], int64(int32(binary.NativeEndian.Uint32(c[8:]))))
			n--
		}
		atomic.StoreUint32(u.cqHead, head)
	}
	return nil
}

func (u *uring) Close() error {
	var errs []error
	for _, m := range [][]byte{u.sqes, u.cq, u.sq} {
		if m != nil {
			errs = append(errs, unix.Munmap(m))
		}
	}
	if u.ctl != nil {
		errs = append(errs, u.ctl.buf.Close())
	}
	if err := errors.Join(append(errs, unix.Close(u.fd))...); err != nil {
		return fmt.Errorf("close io_uring: %w", err)
	}
	return nil
}
