package kernelvm

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// ringHeader is the part of a ring that both sides see, 64 bytes in memory
// shared by host and guest. Positions only grow; their difference is the fill.
type ringHeader struct {
	head       atomic.Uint64 // bytes written so far, stored by the writer only
	tail       atomic.Uint64 // bytes read so far, stored by the reader only
	closed     atomic.Uint32 // 1: the writer will write no more
	broken     atomic.Uint32 // 1: the reader will read no more
	readWaits  atomic.Uint32 // 1: the reader sleeps until its bell rings
	writeWaits atomic.Uint32 // 1: the writer sleeps until its bell rings
	_          [32]byte
}

const ringHeaderSize = int(unsafe.Sizeof(ringHeader{}))

// errRingBroken is returned to a writer whose reader has gone.
var errRingBroken = errors.New("the other side reads no more")

// A ring is one direction of a byte stream in shared memory, with one writer
// and one reader. Either side of it is an end. Each end keeps its own position in mind:
// what stands in the header for it may have been changed by the other side.
type ring struct {
	hdr  *ringHeader
	data []byte
	pos  uint64 // bytes that this end has written or read
}

// newRing lays a ring over mem, which must be 8-byte aligned and zero at first.
func newRing(mem []byte) ring {
	return ring{hdr: (*ringHeader)(unsafe.Pointer(&mem[0])), data: mem[ringHeaderSize:]}
}

// errPositions says that the other side's position cannot be.
var errPositions = errors.New("the positions in a ring make no sense")

// fill is how many bytes lie between two positions.
func (r *ring) fill(head, tail uint64) (uint64, error) {
	n := head - tail
	if n > uint64(len(r.data)) {
		return 0, errPositions
	}
	return n, nil
}

// bell wakes the other side and is woken by it. Ringing too often is harmless, a lost
// ring is made up for by the owner's slow tick.
type bell struct {
	ring func() // wakes the other side

	mu   sync.Mutex
	cond *sync.Cond
	n    uint64
	err  error
}

func newBell(ring func()) *bell {
	b := &bell{ring: ring}
	b.cond = sync.NewCond(&b.mu)
	return b
}

// Count tells how often the bell was rung from the other side.
func (b *bell) Count() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// Wait returns after the next ring since seen, the value of Count before the caller
// looked at the ring. It returns the error given to kill when the other side has gone
// for good.
func (b *bell) Wait(seen uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.n == seen && b.err == nil {
		b.cond.Wait()
	}
	return b.err
}

func (b *bell) hit() {
	b.mu.Lock()
	b.n++
	b.mu.Unlock()
	b.cond.Broadcast()
}

func (b *bell) kill(err error) {
	b.mu.Lock()
	b.err = err
	b.mu.Unlock()
	b.cond.Broadcast()
}

// listen takes what is read for rings of the other side. When that ends, the tick goes on.
func (b *bell) listen(r io.Reader) {
	var buf [4096]byte
	for {
		if _, err := r.Read(buf[:]); err != nil {
			return
		}
		b.hit()
	}
}

// tick makes up for a lost ring.
func (b *bell) tick(stop <-chan struct{}) {
	t := time.NewTicker(250 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			b.hit()
		case <-stop:
			return
		}
	}
}

// ringWriter is the writing end. Only one goroutine may use it at a time.
type ringWriter struct {
	ring
	bell *bell
}

// Write copies p into the ring and blocks while it is full.
func (w *ringWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		seen := w.bell.Count()
		if w.hdr.broken.Load() != 0 {
			return done, errRingBroken
		}
		n, err := w.put(p[done:])
		if err != nil {
			return done, err
		}
		if done += n; n > 0 {
			continue
		}
		if w.hdr.writeWaits.Swap(1) == 0 {
			continue // look once more: the reader may have moved before the swap
		}
		if err := w.bell.Wait(seen); err != nil {
			return done, err
		}
	}
	return done, nil
}

// put copies as much of p into the ring as has room now, without waiting.
func (w *ringWriter) put(p []byte) (int, error) {
	fill, err := w.fill(w.pos, w.hdr.tail.Load())
	if err != nil {
		return 0, err
	}
	done := min(uint64(len(p)), uint64(len(w.data))-fill)
	at := w.pos % uint64(len(w.data))
	copy(w.data, p[copy(w.data[at:], p[:done]):done])
	w.pos += done
	w.hdr.head.Store(w.pos)
	if done > 0 && w.hdr.readWaits.Swap(0) != 0 {
		w.bell.ring()
	}
	return int(done), nil
}

// Offer writes all of p or nothing, and does not wait for the reader.
func (w *ringWriter) Offer(p []byte) bool {
	fill, err := w.fill(w.pos, w.hdr.tail.Load())
	if err != nil || uint64(len(p)) > uint64(len(w.data))-fill {
		return false
	}
	// A reader that is honest only makes room. One that is not may yet lose a part.
	n, err := w.put(p)
	return err == nil && n == len(p)
}

// Close tells the reader that no more will come.
func (w *ringWriter) Close() error {
	w.hdr.closed.Store(1)
	w.bell.ring()
	return nil
}

// ringReader is the reading end. Only one goroutine may use it at a time.
type ringReader struct {
	ring
	bell *bell
}

// Read blocks until there is something, then returns what there is. It returns
// io.EOF after the writer has closed and everything was read; when the other
// side has gone, what it had written is still returned first.
func (r *ringReader) Read(p []byte) (int, error) {
	for {
		seen := r.bell.Count()
		closed := r.hdr.closed.Load() != 0
		fill, err := r.fill(r.hdr.head.Load(), r.pos)
		if err != nil {
			return 0, err
		}
		if fill > 0 {
			at := r.pos % uint64(len(r.data))
			n := min(fill, uint64(len(r.data))-at, uint64(len(p)))
			copy(p, r.data[at:at+n])
			r.pos += n
			r.hdr.tail.Store(r.pos)
			if r.hdr.writeWaits.Swap(0) != 0 {
				r.bell.ring()
			}
			return int(n), nil
		}
		if closed {
			return 0, io.EOF
		}
		if r.hdr.readWaits.Swap(1) == 0 {
			continue
		}
		if err := r.bell.Wait(seen); err != nil {
			if r.hdr.head.Load() != r.pos {
				continue
			}
			return 0, err
		}
	}
}

// Close tells the writer that nothing will be read any more.
func (r *ringReader) Close() error {
	r.hdr.broken.Store(1)
	r.bell.ring()
	return nil
}

// link is the shared memory: one page of facts, then three rings.
type link struct {
	beat *atomic.Uint64 // counts up while the guest lives
	up   ring           // guest to host: frames
	ctl  ring           // host to guest: frames
	in   ring           // host to guest: the command's standard input, raw
}

// Sizes of the shared memory in bytes. A PCI window must be a power of two.
const (
	linkSize = 8 << 20
	linkUp   = 6 << 20
	linkCtl  = 64 << 10
	linkPage = 4096
)

// newLink lays the link over linkSize bytes of shared memory.
func newLink(mem []byte) *link {
	return &link{
		beat: (*atomic.Uint64)(unsafe.Pointer(&mem[0])),
		ctl:  newRing(mem[linkPage : linkPage+linkCtl]),
		in:   newRing(mem[linkPage+linkCtl : linkSize-linkUp]),
		up:   newRing(mem[linkSize-linkUp : linkSize]),
	}
}
