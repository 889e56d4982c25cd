// Package shadow keeps what a file has to hold, byte by byte.
package shadow

import (
	"fmt"
	"slices"
)

// File is what a file has to hold: its bytes up to i_size. The zero value is an
// empty file.
type File struct {
	Bytes []byte
	// maybe are other values that a byte may have: those of writes that failed.
	maybe map[int64][]byte
}

// Size is i_size.
func (s *File) Size() int64 { return int64(len(s.Bytes)) }

// Write puts bytes at off; what lies between the end and off becomes zeroes.
func (s *File) Write(off int64, data []byte) {
	s.Extend(off + int64(len(data)))
	copy(s.Bytes[off:], data)
	s.certain(off, int64(len(data)))
}

// Maybe notes a write that failed: each byte inside the file may be the old or the
// new one.
func (s *File) Maybe(off int64, data []byte) {
	if s.maybe == nil {
		s.maybe = map[int64][]byte{}
	}
	for i, b := range data {
		if at := off + int64(i); at < s.Size() {
			s.maybe[at] = append(s.maybe[at], b)
		}
	}
}

// Unsure reports whether a byte may have one value or another.
func (s *File) Unsure() bool { return len(s.maybe) > 0 }

// certain forgets what might have been in a range.
func (s *File) certain(off, n int64) {
	if len(s.maybe) == 0 {
		return
	}
	for at := off; at < off+n; at++ {
		delete(s.maybe, at)
	}
}

// Extend makes the file at least so long.
func (s *File) Extend(size int64) {
	if size > s.Size() {
		s.Bytes = append(s.Bytes, make([]byte, size-s.Size())...)
	}
}

// Truncate makes the file exactly so long.
func (s *File) Truncate(size int64) {
	if size < s.Size() {
		s.certain(size, s.Size()-size)
		s.Bytes = s.Bytes[:size:size]
	}
	s.Extend(size)
}

// Punch makes zeroes; i_size stays.
func (s *File) Punch(off, n int64) {
	if off < s.Size() {
		end := min(off+n, s.Size())
		clear(s.Bytes[off:end])
		s.certain(off, end-off)
	}
}

// Settle takes over what became of a write that failed, as it was read: every byte
// may be the old or the new one. The error names the first that is neither.
func (s *File) Settle(off int64, data, got []byte) error {
	for i := range got {
		at := off + int64(i)
		if at >= s.Size() || i >= len(data) {
			break
		}
		switch got[i] {
		case s.Bytes[at]:
		case data[i]:
			s.Bytes[at] = data[i]
		default:
			return fmt.Errorf("byte %d is %#x after a write that failed; it was %#x, and %#x was to be written", at, got[i], s.Bytes[at], data[i])
		}
	}
	return nil
}

// Compare names the first difference, or nothing.
func (s *File) Compare(got []byte) string {
	if len(got) != len(s.Bytes) {
		return fmt.Sprintf("%d bytes were read, and i_size has to be %d", len(got), len(s.Bytes))
	}
	first, n := -1, 0
	for i := range got {
		if got[i] == s.Bytes[i] || slices.Contains(s.maybe[int64(i)], got[i]) {
			continue
		}
		if first < 0 {
			first = i
		}
		n++
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes differ, the first at %d: %#x instead of %#x", n, first, got[first], s.Bytes[first])
}

// Fill writes the bytes of one write: they depend on the seed, which is another one
// for each write, and on the place in the file, and none is zero.
func Fill(b []byte, seed uint64, off int64) {
	const mix = 0x9e3779b97f4a7c15
	x := seed*0xbf58476d1ce4e5b9 + uint64(off)*mix
	for j := range b {
		b[j] = byte(x>>56) | 1
		x += mix
	}
}
