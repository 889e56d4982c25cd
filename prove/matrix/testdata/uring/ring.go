// Package uring is as much of io_uring as it takes to have writes in flight while something
// else is done: see include/uapi/linux/io_uring.h.
package uring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Async has a worker thread make a write from the start (IOSQE_ASYNC).
const Async = 1 << 4

// Ring is one io_uring, for one thread.
type Ring struct {
	fd                int
	sq, cq, sqes      []byte
	sqTail, cqHead    *uint32
	cqTail            *uint32
	mask, cqMask      uint32
	array, cqes, size int
	pending, flights  uint32
}

// New makes a ring for so many writes, each of size bytes.
func New(depth uint32, size int) (*Ring, error) {
	var p [120]byte
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(depth), uintptr(unsafe.Pointer(&p[0])), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	get := func(off int) uint32 { return binary.NativeEndian.Uint32(p[off:]) }
	const sqOff, cqOff = 40, 80
	r := &Ring{fd: int(fd), array: int(get(sqOff + 24)), cqes: int(get(cqOff + 20)), size: size}
	var errs [3]error
	r.sq, errs[0] = r.mapped(0, r.array+int(get(0))*4)
	r.cq, errs[1] = r.mapped(0x8000000, r.cqes+int(get(4))*16)
	r.sqes, errs[2] = r.mapped(0x10000000, int(get(0))*64)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("map io_uring: %w", err)
	}
	at := func(b []byte, off int) *uint32 { return (*uint32)(unsafe.Pointer(&b[get(off)])) }
	r.sqTail, r.mask = at(r.sq, sqOff+4), *at(r.sq, sqOff+8)
	r.cqHead, r.cqTail, r.cqMask = at(r.cq, cqOff), at(r.cq, cqOff+4), *at(r.cq, cqOff+8)
	return r, nil
}

func (r *Ring) mapped(at int64, size int) ([]byte, error) {
	return unix.Mmap(r.fd, at, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
}

// Write prepares one write, with flags of io_uring.
func (r *Ring) Write(fd int, b []byte, at int64, flags byte) {
	slot := (atomic.LoadUint32(r.sqTail) + r.pending) & r.mask
	e := r.sqes[slot*64 : (slot+1)*64]
	clear(e)
	e[0], e[1] = 23, flags // IORING_OP_WRITE
	binary.NativeEndian.PutUint32(e[4:], uint32(fd))
	binary.NativeEndian.PutUint64(e[8:], uint64(at))
	binary.NativeEndian.PutUint64(e[16:], uint64(uintptr(unsafe.Pointer(&b[0]))))
	binary.NativeEndian.PutUint32(e[24:], uint32(len(b)))
	binary.NativeEndian.PutUint32(r.sq[r.array+int(slot)*4:], slot)
	r.pending++
}

// Submit starts what is prepared, and waits for none of it.
func (r *Ring) Submit() error {
	n := r.pending
	atomic.StoreUint32(r.sqTail, atomic.LoadUint32(r.sqTail)+n)
	for left := n; left > 0; {
		done, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(left), 0, 0, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return fmt.Errorf("io_uring_enter: %w", errno)
		}
		if errno == 0 {
			left -= uint32(done)
		}
	}
	r.flights, r.pending = r.flights+n, 0
	return nil
}

// InFlight is how many were started and not seen to end.
func (r *Ring) InFlight() int { return int(r.flights) }

// Reap waits until at most left writes are in flight.
func (r *Ring) Reap(left int) error {
	for r.flights > uint32(left) {
		const getEvents = 1
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 1, getEvents, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return fmt.Errorf("io_uring_enter: %w", errno)
		}
		head := atomic.LoadUint32(r.cqHead)
		for ; head != atomic.LoadUint32(r.cqTail); head++ {
			c := r.cq[r.cqes+int(head&r.cqMask)*16:]
			if res := int32(binary.NativeEndian.Uint32(c[8:])); int(res) != r.size {
				return fmt.Errorf("a write of io_uring returned %d", res)
			}
			r.flights--
		}
		atomic.StoreUint32(r.cqHead, head)
	}
	return nil
}
