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
	// maybe are writes that failed: each of their bytes is in the file or is not.
	maybe []piece
}

// piece is a part of a file, bytes from off on.
type piece struct {
	off  int64
	data []byte
}

// cut is what lies of the piece from one place in the file to another.
func (p piece) cut(from, to int64) piece {
	from, to = max(from, p.off), min(to, p.end())
	return piece{from, p.data[from-p.off : max(to, from)-p.off]}
}

func (p piece) end() int64 { return p.off + int64(len(p.data)) }

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
	if p := (piece{off, data}); off < s.Size() && len(data) > 0 {
		s.maybe = append(s.maybe, piece{off, slices.Clone(p.cut(off, s.Size()).data)})
	}
}

// Unsure reports whether a byte may have one value or another.
func (s *File) Unsure() bool { return len(s.maybe) > 0 }

// certain forgets what might have been in a range.
func (s *File) certain(off, n int64) {
	var left []piece
	for _, p := range s.maybe {
		if p.off < off {
			left = append(left, p.cut(p.off, off))
		}
		if p.end() > off+n {
			left = append(left, p.cut(off+n, p.end()))
		}
	}
	s.maybe = left
}

// may reports whether a byte that is not the one that it has to be comes from a write
// that failed.
func (s *File) may(at int64, b byte) bool {
	return slices.ContainsFunc(s.maybe, func(p piece) bool { return at >= p.off && at < p.end() && p.data[at-p.off] == b })
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

// Settle takes over what became of the writes that failed from what was read at off: of
// each byte, the old or the new one is right. The error names the first that is neither.
func (s *File) Settle(off int64, got []byte) error {
	var wrong error
	end := min(off+int64(len(got)), s.Size())
	for _, p := range s.maybe {
		for at := max(p.off, off); at < min(p.end(), end); at++ {
			switch is, to := got[at-off], p.data[at-p.off]; is {
			case s.Bytes[at]:
			case to:
				s.Bytes[at] = to
			default:
				if wrong == nil {
					wrong = fmt.Errorf("byte %d is %#x after a write that failed; it was %#x, and %#x was to be written", at, is, s.Bytes[at], to)
				}
			}
		}
	}
	s.maybe = nil
	return wrong
}

// Compare names the first difference, or nothing.
func (s *File) Compare(got []byte) string {
	if len(got) != len(s.Bytes) {
		return fmt.Sprintf("%d bytes were read, and i_size has to be %d", len(got), len(s.Bytes))
	}
	wrong := s.Differing(got)
	if len(wrong) == 0 {
		return ""
	}
	first := wrong[0]
	return fmt.Sprintf("%d bytes differ, the first at %d: %#x instead of %#x", len(wrong), first, got[first], s.Bytes[first])
}

// Differing lists where bytes that were read, as many as there have to be, are wrong.
func (s *File) Differing(got []byte) []int {
	var wrong []int
	for at := range got {
		if got[at] != s.Bytes[at] && !s.may(int64(at), got[at]) {
			wrong = append(wrong, at)
		}
	}
	return wrong
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
