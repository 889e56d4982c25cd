package storm

import (
	"encoding/binary"
	"fmt"
)

// tag is what the bytes of a write follow from: no two writes of a run have the same.
type tag uint64

// tagOf names piece i of a writer in a round of a scene; writer -1 is the layout.
func tagOf(seed uint64, scene string, round, writer, i int) tag {
	x := seed
	for _, c := range []byte(scene) {
		x = (x ^ uint64(c)) * 0x100000001b3
	}
	for _, n := range []int{round, writer, i} {
		x = (x ^ uint64(n+2)) * 0xbf58476d1ce4e5b9
		x ^= x >> 29
	}
	return tag(x)
}

// fill writes the bytes of a write that starts at off: none is zero, and they depend
// on the place.
func (t tag) fill(b []byte, off int64) {
	const mix = 0x9e3779b97f4a7c15
	x := uint64(t) + uint64(off)*mix
	for i := range b {
		b[i] = byte(x>>56) | 1
		x += mix
	}
}

// headLen is how many bytes at the start of a record name it.
const headLen = 8

// fillRecord writes a record: its number in the round, then bytes that follow from
// the tag, wherever it will lie.
func (t tag) fillRecord(b []byte, number int) {
	t.fill(b, 0)
	binary.LittleEndian.PutUint64(b, uint64(t)&^0xffff|uint64(number))
}

// unsettled is a write that failed or fell short: each of its bytes may be there or
// not.
type unsettled struct {
	off  int64
	data []byte
}

// shadow is what a file has to hold: its bytes up to i_size.
type shadow struct {
	b       []byte
	before  []byte // as it was before the round, to tell what a wrong byte is
	pending []unsettled
}

func (s *shadow) resize(size int64) {
	if size < int64(len(s.b)) {
		s.b = s.b[:size:size]
	}
	if size > int64(len(s.b)) {
		s.b = append(s.b, make([]byte, size-int64(len(s.b)))...)
	}
}

// write puts bytes at off; what lies between the end and off becomes zeroes.
func (s *shadow) write(off int64, data []byte) {
	if end := off + int64(len(data)); end > int64(len(s.b)) {
		s.resize(end)
	}
	copy(s.b[off:], data)
}

func (s *shadow) punch(off, n int64) {
	if size := int64(len(s.b)); off < size {
		clear(s.b[off:min(off+n, size)])
	}
}

// settle takes over from what was read which bytes of the writes that failed are
// there.
func (s *shadow) settle(got []byte) {
	for _, u := range s.pending {
		for i, c := range u.data {
			at := u.off + int64(i)
			if at < int64(len(got)) && at < int64(len(s.b)) && got[at] == c {
				s.b[at] = c
			}
		}
	}
	s.pending = nil
}

// difference is where what was read is not what has to be there.
type difference struct {
	at   int64 // the first byte; -1 when only i_size is wrong
	text string
}

// compare names what is different, or nothing.
func (s *shadow) compare(got []byte) *difference {
	if len(got) != len(s.b) {
		return &difference{-1, fmt.Sprintf("i_size is %d, and has to be %d", len(got), len(s.b))}
	}
	first, n, zero, old := -1, 0, 0, 0
	for i := range got {
		if got[i] == s.b[i] {
			continue
		}
		if first < 0 {
			first = i
		}
		n++
		switch {
		case i < len(s.before) && got[i] == s.before[i]:
			old++
		case got[i] == 0:
			zero++
		}
	}
	if n == 0 {
		return nil
	}
	return &difference{int64(first), fmt.Sprintf(
		"%d bytes are lost, the first at %d: %#x instead of %#x; %d of them are as before the round, %d are zeroes",
		n, first, got[first], s.b[first], old, zero)}
}
