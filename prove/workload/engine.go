package workload

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// EngineName names a submission path.
type EngineName string

// The submission paths.
const (
	Pwrite        EngineName = "pwrite"
	Pwritev2      EngineName = "pwritev2"
	Libaio        EngineName = "libaio"
	IOUring       EngineName = "io_uring"
	IOUringSQThr  EngineName = "io_uring-sqpoll" // a kernel thread submits
	IOUringFixed  EngineName = "io_uring-fixed"  // from registered buffers
	IOUringIOPoll EngineName = "io_uring-iopoll" // completions are polled for
	Loop          EngineName = "loop"            // through a loop device over the file
	Pool          EngineName = "pool"            // RWF_NOWAIT, then by another thread; of workloads only
)

// Engines lists the submission paths.
func Engines() []EngineName {
	return []EngineName{Pwrite, Pwritev2, Libaio, IOUring, IOUringSQThr, IOUringFixed, IOUringIOPoll, Loop}
}

// Async reports whether the path's writes may be queued, to complete later.
func (e EngineName) Async() bool { return e != Pwrite && e != Pwritev2 }

// Retries reports whether the path may try a write without waiting first, and then
// again in a task of the kernel. That task can still hold i_rwsem when the write is
// complete.
func (e EngineName) Retries() bool { return e.Async() && e != Libaio }

// OneSegment reports whether the path's writes have only one segment.
func (e EngineName) OneSegment() bool { return e == Pwrite || e == IOUringFixed }

// NoFlags reports whether the path's writes have no RWF_* flags.
func (e EngineName) NoFlags() bool { return e == Pwrite || e == Loop }

// MaxSegs is how many segments one Request may have.
const MaxSegs = 16

// ErrRequest is wrapped by errors about a Request that its engine cannot express.
var ErrRequest = errors.New("request not possible with this engine")

// Request is one write.
type Request struct {
	Fd  int
	Pos int64 // bytes
	// Segs is the memory to write from. It must lie in a Buffer.
	Segs  [][]byte
	Flags int // RWF_*
}

// Len is the number of bytes asked for.
func (r Request) Len() int {
	n := 0
	for _, s := range r.Segs {
		n += len(s)
	}
	return n
}

// Cut is memory cut into segments of these lengths, for Request.Segs.
func Cut(mem []byte, lens []int) [][]byte {
	var out [][]byte
	for _, n := range lens {
		out = append(out, mem[:n:n])
		mem = mem[n:]
	}
	return out
}

// Result is the outcome of one write: N bytes, or Err, which is a unix.Errno.
type Result struct {
	N   int
	Err error
}

// Ret is the result as the kernel gives it: bytes, or a negative errno.
func (r Result) Ret() int64 {
	var e unix.Errno
	if errors.As(r.Err, &e) {
		return -int64(e)
	}
	return int64(r.N)
}

// Engine submits writes by one path. It is for one goroutine at a time. A task
// that must be known by its thread id locks the goroutine to its thread.
type Engine interface {
	// Do submits the requests together where the path can, else one after the
	// other, and waits for all. The error is about the path itself (it wraps
	// ErrRequest where a request cannot be expressed); what became of a write
	// is in its Result.
	Do(reqs []Request) ([]Result, error)
	// Close releases what the kernel holds for the engine.
	Close() error
}

// NewEngine opens a submission path for up to depth writes at a time. The error
// wraps ErrUnfit when this kernel does not offer the path; so does that of Do, where
// only the file or its disk tells.
func NewEngine(name EngineName, depth int) (Engine, error) {
	if depth < 1 {
		return nil, fmt.Errorf("open engine %s: depth %d is below 1", name, depth)
	}
	e, err := newEngine(name, depth)
	if err != nil {
		return nil, err
	}
	return atomicGate{e}, nil
}

func newEngine(name EngineName, depth int) (Engine, error) {
	switch name {
	case Pwrite:
		return syncEngine{plain: true}, nil
	case Pwritev2:
		return syncEngine{}, nil
	case Libaio:
		return newAIO(depth)
	case IOUring:
		return newURing(depth, uringMode{})
	case IOUringSQThr:
		return newURing(depth, uringMode{sqPoll: true})
	case IOUringFixed:
		return newURing(depth, uringMode{fixed: true})
	case IOUringIOPoll:
		return newURing(depth, uringMode{ioPoll: true})
	case Loop:
		return newLoop()
	case Pool:
		return newPool(), nil
	}
	return nil, fmt.Errorf("open engine %q: %w", string(name), ErrUsage)
}

// syncEngine is pwrite, or pwritev2 when plain is not set.
type syncEngine struct{ plain bool }

func (e syncEngine) Do(reqs []Request) ([]Result, error) { return inTurn(reqs, e.write) }

func (e syncEngine) write(r Request) (Result, error) {
	switch {
	case !e.plain:
		return ended(unix.Pwritev2(r.Fd, r.Segs, r.Pos, r.Flags)), nil
	case r.Flags != 0 || len(r.Segs) != 1:
		return Result{}, fmt.Errorf("write by pwrite: flags %#x, %d segments: %w", r.Flags, len(r.Segs), ErrRequest)
	}
	return ended(unix.Pwrite(r.Fd, r.Segs[0], r.Pos)), nil
}

// ended is the result of a system call, which may give -1 bytes beside its error.
func ended(n int, err error) Result {
	if err != nil {
		n = 0
	}
	return Result{n, err}
}

func (syncEngine) Close() error { return nil }

// inTurn makes one write after the other.
func inTurn(reqs []Request, write func(Request) (Result, error)) (res []Result, err error) {
	for _, r := range reqs {
		one, err := write(r)
		if err != nil {
			return nil, err
		}
		res = append(res, one)
	}
	return res, nil
}

// inBatches submits requests, at most depth at a time.
func inBatches(reqs []Request, depth int, submit func([]Request, []Result) error) ([]Result, error) {
	res := make([]Result, len(reqs))
	for from := 0; from < len(reqs); from += depth {
		to := min(from+depth, len(reqs))
		if err := submit(reqs[from:to], res[from:to]); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// control is memory shared with the kernel that holds iovecs beside the
// requests of an asynchronous engine.
type control struct {
	buf  *Buffer
	mem  []byte
	segs int // offset of the iovecs
}

// newControl maps room for depth entries of entry bytes and their iovecs.
func newControl(depth, entry int) (*control, error) {
	buf, err := NewBuffer(depth * (entry + MaxSegs*iovecSize))
	if err != nil {
		return nil, err
	}
	return &control{buf, buf.Bytes(), depth * entry}, nil
}

const iovecSize = 16

// iovecs writes the segments of request i and returns their address.
func (c *control) iovecs(i int, segs [][]byte) (uint64, error) {
	if len(segs) > MaxSegs {
		return 0, fmt.Errorf("write %d segments: %w: at most %d", len(segs), ErrRequest, MaxSegs)
	}
	off := c.segs + i*MaxSegs*iovecSize
	for j, s := range segs {
		put64(c.mem[off+j*iovecSize:], address(s))
		put64(c.mem[off+j*iovecSize+8:], uint64(len(s)))
	}
	return address(c.mem[off:]), nil
}
