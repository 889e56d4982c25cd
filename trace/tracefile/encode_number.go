package tracefile

import (
	"encoding/binary"

	"github.com/ext4dio/ext4dio-trace/record"
)

// shapeKey is what writes of one shape have in common in their records: the head without
// the fields that have columns, and the first four bytes of each step.
type shapeKey [4 + record.MaxSteps/2]uint64

// shape is what writes of one kind have in common.
type shape struct {
	key    shapeKey
	number uint64
	base   [record.MaxSteps]values // of the first write: see place.expect
}

// near has those that were there last, in front of the maps.
type near struct {
	shapes [512]*shape
	odds   [512]struct {
		odd    odd
		number uint64 // from 1
	}
}

// numbering numbers keys from 0, in order of appearance.
type numbering[K comparable] struct {
	seen map[K]uint64
	near [64]struct { // those that were there last
		key    K
		number uint64 // one more than it is, so that 0 is none
	}
}

// of returns the number of a key that hashes so, and whether it was there before.
func (n *numbering[K]) of(key *K, hash uint32) (number uint64, known bool) {
	at := &n.near[hash%uint32(len(n.near))]
	if at.number > 0 && *key == at.key {
		return at.number - 1, true
	}
	if number, known = n.seen[*key]; !known {
		number = uint64(len(n.seen))
		n.seen[*key] = number
	}
	at.key, at.number = *key, number+1
	return number, known
}

// reset forgets all keys.
func (n *numbering[K]) reset() {
	clear(n.seen)
	clear(n.near[:])
}

// golden is the golden ratio: no pattern in its bits.
const golden = 0x9e3779b97f4a7c15

// fill makes k the key of a write, and returns a hash of it whose upper bits are best.
func (k *shapeKey) fill(raw []byte, head int) (hash uint64) {
	le := binary.LittleEndian
	first := raw[:record.FirstHead]
	k[0], k[1] = le.Uint64(first[record.AtKind:]), uint64(le.Uint32(first[record.AtKiFlags:]))|uint64(le.Uint32(first[record.AtLostBefore:]))<<32
	k[2], k[3] = le.Uint64(first[record.AtNSteps:]), le.Uint64(first[record.AtNSteps+8:])
	hash = (k[0]+k[1]*5+k[2]*9)*golden ^ k[3]
	n := 4
	for steps := raw[head:]; len(steps) >= record.StepSize; n++ {
		k[n] = uint64(le.Uint32(steps))
		if steps = steps[record.StepSize:]; len(steps) >= record.StepSize {
			k[n] |= uint64(le.Uint32(steps)) << 32
			steps = steps[record.StepSize:]
		}
		hash = (hash<<7 | hash>>57 ^ k[n]) * golden
	}
	clear(k[n:])
	return hash * golden
}

// shapeOf numbers the shape of a write. When it is new it is put into its column, to
// which addSteps adds the values of the steps.
func (e *encoder) shapeOf(raw []byte, head int) (s *shape, known bool) {
	var key shapeKey
	at := &e.near.shapes[key.fill(raw, head)>>55]
	if s = *at; s != nil && s.key == key {
		e.cols[colShape].number(s.number)
		return s, true
	}
	if s, known = e.shapes[key]; !known {
		s = e.newShape()
		s.key = key
		e.shapes[key] = s
		e.cols[colShapes] = appendShape(e.cols[colShapes], raw, head)
	}
	*at = s
	e.cols[colShape].number(s.number)
	return s, known
}

func (e *encoder) newShape() *shape {
	s := new(shape)
	if n := len(e.pool); n > 0 {
		s, e.pool = e.pool[n-1], e.pool[:n-1]
	}
	s.number = uint64(len(e.shapes))
	return s
}

// appendShape adds the parts of a write that are in no other column. The size is that
// without what is behind the first bytes of the head: who knows nothing of its columns
// still reads a write.
func appendShape(dst, raw []byte, head int) []byte {
	size := len(dst) + record.AtSize
	for _, run := range shapeRuns {
		dst = append(dst, raw[run.from:run.to]...)
	}
	binary.LittleEndian.PutUint16(dst[size:], uint16(len(raw)-head+record.FirstHead))
	for at := head; at < len(raw); at += record.StepSize {
		dst = append(dst, raw[at:at+record.AtStepTUs]...)
	}
	return dst
}

// threadOf numbers the threads of a chunk.
func (e *encoder) threadOf(raw []byte) uint64 {
	key := (*[threadSize]byte)(raw[record.AtTgid:])
	n, known := e.threads.of(key, binary.LittleEndian.Uint32(raw[record.AtTid:]))
	if !known {
		e.by = append(e.by, threadLast{end: e.now})
		e.cols[colThreads] = append(e.cols[colThreads], key[:]...)
	}
	return n
}

// fileOf numbers the files of a chunk.
func (e *encoder) fileOf(raw []byte) uint64 {
	var key [fileSize]byte
	copy(key[:8], raw[record.AtIno:])
	copy(key[8:], raw[record.AtDev:])
	n, known := e.files.of(&key, binary.LittleEndian.Uint32(raw[record.AtIno:]))
	if !known {
		e.isizes = append(e.isizes, 0)
		e.cols[colFiles] = append(e.cols[colFiles], key[:]...)
	}
	return n
}
