package workload

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bufferAlign is the largest block size that ext4 can have: a Buffer starts on
// a multiple of it, so an offset into it is its alignment.
const bufferAlign = 64 << 10

// Buffer is memory that the kernel may write to or read from at any time: it
// lies outside the Go heap, and neither moves nor goes away before Close.
type Buffer struct {
	mapped []byte
	mem    []byte
}

// NewBuffer maps size bytes that start at a multiple of 64 KiB.
func NewBuffer(size int) (*Buffer, error) {
	if size <= 0 {
		return nil, fmt.Errorf("map buffer: size %d is not positive", size)
	}
	m, err := unix.Mmap(-1, 0, size+bufferAlign, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map buffer: %w", err)
	}
	skip := -uintptr(unsafe.Pointer(&m[0])) % bufferAlign
	return &Buffer{mapped: m, mem: m[skip : skip+uintptr(size)]}, nil
}

// Bytes returns the whole buffer.
func (b *Buffer) Bytes() []byte { return b.mem }

// Fill writes a pattern that follows from seed, without zero bytes, so that
// zeroed ranges can be told from written ones.
func (b *Buffer) Fill(seed uint64) {
	x := seed*0x9e3779b97f4a7c15 + 1
	for i := range b.mem {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.mem[i] = byte(x) | 1
	}
}

// Close unmaps the buffer. No write from it may be in flight.
func (b *Buffer) Close() error {
	if b.mapped == nil {
		return nil
	}
	err := unix.Munmap(b.mapped)
	b.mapped, b.mem = nil, nil
	if err != nil {
		return fmt.Errorf("unmap buffer: %w", err)
	}
	return nil
}

// leastGrowing is how much a GrowingBuffer maps at least, bytes.
const leastGrowing = 1 << 20

// GrowingBuffer is a Buffer that grows. The zero value is empty.
type GrowingBuffer struct{ buf *Buffer }

// Bytes are at least n bytes. A call that needs more than there are moves the memory, and
// what was in it is lost: no write from it may be in flight.
func (g *GrowingBuffer) Bytes(n int64) ([]byte, error) {
	if g.buf != nil && int64(len(g.buf.Bytes())) >= n {
		return g.buf.Bytes(), nil
	}
	if err := g.Close(); err != nil {
		return nil, err
	}
	var err error
	if g.buf, err = NewBuffer(int(max(2*n, leastGrowing))); err != nil {
		return nil, err
	}
	return g.buf.Bytes(), nil
}

// Close unmaps it.
func (g *GrowingBuffer) Close() error {
	if g.buf == nil {
		return nil
	}
	err := g.buf.Close()
	g.buf = nil
	return err
}
