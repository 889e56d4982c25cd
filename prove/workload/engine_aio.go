package workload

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The interface of include/uapi/linux/aio_abi.h.
const (
	iocbSize       = 64
	ioEventSize    = 32
	iocbCmdPwritev = 8
)

func put16(b []byte, v uint16) { binary.NativeEndian.PutUint16(b, v) }
func put32(b []byte, v uint32) { binary.NativeEndian.PutUint32(b, v) }
func put64(b []byte, v uint64) { binary.NativeEndian.PutUint64(b, v) }

// address is where b starts in memory; 0 for an empty slice.
func address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// aio is Linux native AIO, spoken without a library.
type aio struct {
	ctx   uintptr
	depth int
	ctl   *control // per entry: struct iocb, struct io_event, pointer to the iocb
	// apart gives each request an io_submit of its own: one for several holds their
	// I/O back until the last is submitted.
	apart bool
}

const aioEntry = iocbSize + ioEventSize + 8

func newAIO(depth int) (*aio, error) {
	ctl, err := newControl(depth, aioEntry)
	if err != nil {
		return nil, err
	}
	e := &aio{depth: depth, ctl: ctl}
	_, _, errno := unix.Syscall(unix.SYS_IO_SETUP, uintptr(depth), uintptr(unsafe.Pointer(&e.ctx)), 0)
	if errno != 0 {
		return nil, errors.Join(unfit("set up libaio", errno), ctl.buf.Close())
	}
	return e, nil
}

func (e *aio) Do(reqs []Request) ([]Result, error) { return inBatches(reqs, e.depth, e.batch) }

// batch submits at most depth requests with one io_submit and waits for them.
func (e *aio) batch(reqs []Request, res []Result) error {
	ptrs := e.ctl.mem[e.depth*(iocbSize+ioEventSize):]
	for i, r := range reqs {
		iov, err := e.ctl.iovecs(i, r.Segs)
		if err != nil {
			return err
		}
		cb := e.ctl.mem[i*iocbSize : (i+1)*iocbSize]
		clear(cb)
		put64(cb, uint64(i))
		put32(cb[12:], uint32(r.Flags)) // little-endian layout: aio_key, aio_rw_flags
		put16(cb[16:], iocbCmdPwritev)
		put32(cb[20:], uint32(r.Fd))
		put64(cb[24:], iov)
		put64(cb[32:], uint64(len(r.Segs)))
		put64(cb[40:], uint64(r.Pos))
		put64(ptrs[i*8:], address(cb))
	}
	queued := 0
	for done := 0; done < len(reqs); {
		count := len(reqs) - done
		if e.apart {
			count = 1
		}
		n, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, e.ctx, uintptr(count),
			uintptr(unsafe.Pointer(&ptrs[done*8])))
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			// The first of the rest was refused; it has no event.
			res[done].Err = errno
			done++
		default:
			done += int(n)
			queued += int(n)
		}
	}
	return e.wait(queued, res)
}

func (e *aio) wait(queued int, res []Result) error {
	events := e.ctl.mem[e.depth*iocbSize:]
	for queued > 0 {
		n, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, e.ctx, uintptr(queued), uintptr(queued),
			uintptr(unsafe.Pointer(&events[0])), 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return fmt.Errorf("wait for libaio: %w", errno)
		}
		for i := range int(n) {
			ev := events[i*ioEventSize:]
			setResult(&res[binary.NativeEndian.Uint64(ev)], int64(binary.NativeEndian.Uint64(ev[16:])))
		}
		queued -= int(n)
	}
	return nil
}

func (e *aio) Close() error {
	var err error
	if _, _, errno := unix.Syscall(unix.SYS_IO_DESTROY, e.ctx, 0, 0); errno != 0 {
		err = fmt.Errorf("destroy libaio context: %w", errno)
	}
	return errors.Join(err, e.ctl.buf.Close())
}

func setResult(r *Result, ret int64) {
	if ret < 0 {
		r.Err = unix.Errno(-ret)
		return
	}
	r.N = int(ret)
}
