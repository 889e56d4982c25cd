package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/ext4dio/ext4dio-trace/export/safe"
)

// physical is a type in which Parquet stores values.
type physical int32

const (
	boolean   physical = 0
	int32s    physical = 1
	int64s    physical = 2
	byteArray physical = 6
)

// column gathers the values of one leaf for a row group. A text is stored as its place
// in a dictionary.
type column struct {
	path           []string
	typ            physical
	maxDef, maxRep uint8
	defs, reps     []uint8
	numbers        []int64 // values, or places in the dictionary
	dict           map[string]int64
	texts          []string
	last           string // the last text that was looked up, and its place
	lastAt         int64
}

// null adds that there is no value, defined to this level.
func (c *column) null(rep, def uint8) {
	c.defs, c.reps = append(c.defs, def), append(c.reps, rep)
}

func (c *column) number(rep uint8, v int64) {
	c.null(rep, c.maxDef)
	c.numbers = append(c.numbers, v)
}

// text adds a text; unsafe is one that must not get into the file as it is.
func (c *column) text(rep uint8, s string, unsafe bool) {
	if s != c.last || len(c.texts) == 0 {
		i, ok := c.dict[s]
		if !ok {
			i = c.learn(s, unsafe)
		}
		c.last, c.lastAt = s, i
	}
	c.number(rep, c.lastAt)
}

// textBytes is text for a word that is valid for the moment.
func (c *column) textBytes(rep uint8, s []byte) {
	if string(s) == c.last && len(c.texts) > 0 {
		c.number(rep, c.lastAt)
		return
	}
	c.text(rep, string(s), false)
}

// learn gives a text a place in the dictionary.
func (c *column) learn(s string, unsafe bool) int64 {
	i := int64(len(c.texts))
	if c.dict == nil {
		c.dict = make(map[string]int64)
	}
	c.dict[s] = i
	if unsafe {
		s = safe.Text(s)
	}
	c.texts = append(c.texts, s)
	return i
}

// reset forgets the values and keeps the room.
func (c *column) reset() {
	c.defs, c.reps, c.numbers, c.texts = c.defs[:0], c.reps[:0], c.numbers[:0], c.texts[:0]
	clear(c.dict)
}

// page appends the data page: levels of repetition and definition, then the values.
func (c *column) page(b []byte) []byte {
	if c.maxRep > 0 {
		b = appendLevels(b, c.reps, c.maxRep)
	}
	if c.maxDef > 0 {
		b = appendLevels(b, c.defs, c.maxDef)
	}
	switch c.typ {
	case boolean:
		return appendPacked(b, c.numbers, 1)
	case int32s:
		for _, v := range c.numbers {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	case int64s:
		for _, v := range c.numbers {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
	case byteArray:
		width := max(bits.Len(uint(max(len(c.texts), 1)-1)), 1)
		return appendHybrid(append(b, byte(width)), c.numbers, width)
	}
	return b
}

// dictionary appends the texts.
func (c *column) dictionary(b []byte) []byte {
	for _, s := range c.texts {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// appendLevels appends levels with their length before them.
func appendLevels(b []byte, levels []uint8, most uint8) []byte {
	at := len(b)
	b = appendHybrid(append(b, 0, 0, 0, 0), levels, bits.Len8(most))
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// minRun is the length from which a run is worth it.
const minRun = 8

// appendHybrid appends values in runs of one value, and packed in groups of eight where
// there are none.
func appendHybrid[T uint8 | int64](b []byte, values []T, width int) []byte {
	for len(values) > 0 {
		if n := runLength(values); n >= minRun || n == len(values) {
			b = binary.AppendUvarint(b, uint64(n)<<1)
			for v, k := uint64(values[0]), 0; k < width; k += 8 {
				b = append(b, byte(v>>k))
			}
			values = values[n:]
			continue
		}
		// Only the last group may be filled up with values that are none.
		n := 8
		for n < len(values) && runLength(values[n:]) < minRun {
			n += 8
		}
		n = min(n, len(values))
		groups := (n + 7) / 8
		b = binary.AppendUvarint(b, uint64(groups)<<1|1)
		at := len(b)
		b = appendPacked(b, values[:n], width)
		for len(b) < at+groups*width {
			b = append(b, 0)
		}
		values = values[n:]
	}
	return b
}

func runLength[T uint8 | int64](values []T) int {
	n := 1
	for n < len(values) && values[n] == values[0] {
		n++
	}
	return n
}

// appendPacked appends the low bits of values, the lowest bit first.
func appendPacked[T uint8 | int64](b []byte, values []T, width int) []byte {
	acc, n := uint64(0), 0
	for _, v := range values {
		acc |= uint64(v) << n
		for n += width; n >= 8; n -= 8 {
			b = append(b, byte(acc))
			acc >>= 8
		}
	}
	if n > 0 {
		b = append(b, byte(acc))
	}
	return b
}
