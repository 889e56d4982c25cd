package random

import (
	"fmt"
	"hash/maphash"
)

// shadow is what a file has to hold: its bytes up to i_size.
type shadow struct {
	b []byte
}

// write puts bytes at off; what lies between the end and off becomes zeroes.
func (s *shadow) write(off int64, data []byte) {
	s.extend(off + int64(len(data)))
	copy(s.b[off:], data)
}

func (s *shadow) extend(size int64) {
	if size > int64(len(s.b)) {
		s.b = append(s.b, make([]byte, size-int64(len(s.b)))...)
	}
}

func (s *shadow) truncate(size int64) {
	if size < int64(len(s.b)) {
		s.b = s.b[:size:size]
	}
	s.extend(size)
}

// punch makes zeroes; i_size stays.
func (s *shadow) punch(off, n int64) {
	if size := int64(len(s.b)); off < size {
		clear(s.b[off:min(off+n, size)])
	}
}

// settle takes over what became of a write that failed: every byte may be the old
// or the new one. It names the first that is neither.
func (s *shadow) settle(off int64, data, got []byte) error {
	for i := range got {
		at := off + int64(i)
		if at >= int64(len(s.b)) || i >= len(data) {
			break
		}
		switch got[i] {
		case s.b[at]:
		case data[i]:
			s.b[at] = data[i]
		default:
			return fmt.Errorf("byte %d is %#x after a write that failed; it was %#x, and %#x was to be written", at, got[i], s.b[at], data[i])
		}
	}
	return nil
}

// compare names the first difference, or nothing.
func (s *shadow) compare(got []byte) string {
	if len(got) != len(s.b) {
		return fmt.Sprintf("%d bytes were read, and i_size has to be %d", len(got), len(s.b))
	}
	first, n := -1, 0
	for i := range got {
		if got[i] != s.b[i] {
			if first < 0 {
				first = i
			}
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes differ, the first at %d: %#x instead of %#x", n, first, got[first], s.b[first])
}

// sumBlock is the length of what one sum of a digest covers, bytes.
const sumBlock = 4096

// digest is a shadow that is kept for later: its length, and a sum of each piece.
type digest struct {
	size int64
	sums []uint64
}

// digestOf reads like a shadow. The sums depend on the seed.
func digestOf(seed maphash.Seed, b []byte) digest {
	d := digest{size: int64(len(b))}
	for len(b) > 0 {
		n := min(len(b), sumBlock)
		d.sums = append(d.sums, maphash.Bytes(seed, b[:n]))
		b = b[n:]
	}
	return d
}

// differs names the first difference, or nothing.
func (d digest) differs(o digest) string {
	if d.size != o.size {
		return fmt.Sprintf("i_size is %d, and has to be %d", o.size, d.size)
	}
	for i := range d.sums {
		if d.sums[i] != o.sums[i] {
			return fmt.Sprintf("the bytes from %d to %d differ", i*sumBlock, min(int64(i+1)*sumBlock, d.size)-1)
		}
	}
	return ""
}
