package main

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is as much of io_uring as it takes to have writes in flight while something else is
// done: see include/uapi/linux/io_uring.h.
type ring struct {
	fd               int
	sq, cq, sqes     []byte
	sqTail, cqHead   *uint32
	cqTail           *uint32
	mask, cqMask     uint32
	array, cqes      int
	pending, flights uint32
}

func newRing(depth uint32) *ring {
	var p [120]byte
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(depth), uintptr(unsafe.Pointer(&p[0])), 0)
	if errno != 0 {
		check("io_uring_setup", errno)
	}
	get := func(off int) uint32 { return binary.NativeEndian.Uint32(p[off:]) }
	const sqOff, cqOff = 40, 80
	r := &ring{fd: int(fd), array: int(get(sqOff + 24)), cqes: int(get(cqOff + 20))}
	r.sq = r.mapped(0, r.array+int(get(0))*4)
	r.cq = r.mapped(0x8000000, r.cqes+int(get(4))*16)
	r.sqes = r.mapped(0x10000000, int(get(0))*64)
	at := func(b []byte, off int) *uint32 { return (*uint32)(unsafe.Pointer(&b[get(off)])) }
	r.sqTail, r.mask = at(r.sq, sqOff+4), *at(r.sq, sqOff+8)
	r.cqHead, r.cqTail, r.cqMask = at(r.cq, cqOff), at(r.cq, cqOff+4), *at(r.cq, cqOff+8)
	return r
}

func (r *ring) mapped(at int64, size int) []byte {
	b, err := unix.Mmap(r.fd, at, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	check("map io_uring", err)
	return b
}

// write prepares one write.
func (r *ring) write(fd int, b []byte, at int64) {
	slot := (atomic.LoadUint32(r.sqTail) + r.pending) & r.mask
	e := r.sqes[slot*64 : (slot+1)*64]
	clear(e)
	e[0] = 23 // IORING_OP_WRITE
	binary.NativeEndian.PutUint32(e[4:], uint32(fd))
	binary.NativeEndian.PutUint64(e[8:], uint64(at))
	binary.NativeEndian.PutUint64(e[16:], uint64(uintptr(unsafe.Pointer(&b[0]))))
	binary.NativeEndian.PutUint32(e[24:], uint32(len(b)))
	binary.NativeEndian.PutUint32(r.sq[r.array+int(slot)*4:], slot)
	r.pending++
}

// submit starts what is prepared, and waits for none of it.
func (r *ring) submit() {
	n := r.pending
	atomic.StoreUint32(r.sqTail, atomic.LoadUint32(r.sqTail)+n)
	for left := n; left > 0; {
		done, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(left), 0, 0, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			check("io_uring_enter", errno)
		}
		if errno == 0 {
			left -= uint32(done)
		}
	}
	r.flights, r.pending = r.flights+n, 0
}

// reap waits for all of it.
func (r *ring) reap() error {
	for r.flights > 0 {
		const getEvents = 1
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 1, getEvents, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return errno
		}
		head := atomic.LoadUint32(r.cqHead)
		for ; head != atomic.LoadUint32(r.cqTail); head++ {
			c := r.cq[r.cqes+int(head&r.cqMask)*16:]
			if res := int32(binary.NativeEndian.Uint32(c[8:])); res != block {
				return fmt.Errorf("one returned %d", res)
			}
			r.flights--
		}
		atomic.StoreUint32(r.cqHead, head)
	}
	return nil
}
