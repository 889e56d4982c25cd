package tracefile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
)

// errNoPlaces is about what comes on a pipe.
var errNoPlaces = errors.New("seek in trace: it is not a regular file")

// Places is the number of chunks in all parts as Open found them; 0 for a recording that
// is not in regular files.
func (c *Recording) Places() int { return c.placesBefore(len(c.parts)) }

func (c *Recording) placesBefore(part int) int {
	n := 0
	for _, p := range c.parts[:part] {
		if p.index == nil {
			return 0
		}
		n += len(p.index.Chunks)
	}
	return n
}

// Place is the chunk that the last record came from, counted over all parts from 0. What
// was written after Open counts as a part of the last chunk. A recording that is not in
// regular files has only place 0.
func (c *Recording) Place() int {
	p := c.parts[c.at]
	if p.index == nil || p.seq == 0 {
		return 0
	}
	chunks, seq := p.index.Chunks, p.seq-1 // p.seq is the next one
	at := int(seq - chunks[0].Seq)
	if at >= len(chunks) || chunks[at].Seq != seq { // one is missing
		at, _ = slices.BinarySearchFunc(chunks, seq, func(k Chunk, seq uint64) int { return cmp.Compare(k.Seq, seq) })
		at = min(at, len(chunks)-1)
	}
	return c.placesBefore(c.at) + at
}

// SeekPlace makes Next go on with the first record of a chunk, also after Stop and behind
// the end. What cannot be read is counted by Missing each time that it is read.
func (c *Recording) SeekPlace(place int) error {
	if c.Places() == 0 {
		return errNoPlaces
	}
	if place < 0 || place >= c.Places() {
		return fmt.Errorf("seek in trace: no chunk %d in it, which has %d", place, c.Places())
	}
	for i := len(c.parts) - 1; i >= 0; i-- {
		before := c.placesBefore(i)
		if err := c.parts[i].seekChunk(max(place-before, 0)); err != nil {
			return err
		}
		if c.at = i; place >= before {
			return nil
		}
	}
	return nil
}

// seekChunk makes Next go on with a chunk of the index.
func (r *Reader) seekChunk(at int) error {
	// The first is the description, which was read.
	at = max(at, 1)
	if at >= len(r.index.Chunks) {
		r.over, r.dec.left = true, 0
		return nil
	}
	k := &r.index.Chunks[at]
	if _, err := r.file.Seek(k.Offset, io.SeekStart); err != nil {
		return fmt.Errorf("seek in trace: %w", err)
	}
	r.chunks.at, r.seq, r.dec.left, r.over, r.end = k.Offset, k.Seq, 0, false, nil
	return nil
}
