package races

import (
	"fmt"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// sectorBits is log2 of a sector in bytes.
const sectorBits = 9

// Format is how the inode maps its blocks.
type Format uint8

// The formats.
const (
	Extents  Format = iota + 1 // EXT4_EXTENTS_FL
	Indirect                   // as ext3: no unwritten state
)

func (f Format) String() string {
	if f == Indirect {
		return "indirect"
	}
	return "extents"
}

// MarshalText writes the name.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// Write is one direct write. Positions are sectors.
type Write struct {
	Pos, Len int
	Async    bool // ki_complete is set
	// Append is IOCB_APPEND: the write checks move Pos to i_size.
	Append bool
	// Odd: the buffer is not aligned to the block size, so that the write is
	// unaligned whatever its position.
	Odd bool
}

func (w Write) set() sectorSet {
	if w.Append {
		return 0
	}
	return sectors(w.Pos, w.Pos+w.Len)
}

func (w Write) String() string {
	var b strings.Builder
	if w.Append {
		fmt.Fprintf(&b, "appends %d", w.Len)
	} else {
		b.WriteString(w.set().String())
	}
	if w.Async {
		b.WriteString(" async")
	} else {
		b.WriteString(" sync")
	}
	if w.Odd {
		b.WriteString(" odd buffer")
	}
	return b.String()
}

// Scenario is a file and the writes to it.
type Scenario struct {
	Family  string
	Format  Format
	Blkbits uint8
	Blocks  []model.BlockState
	ISize   int // sectors
	// Dirty says of each block whether a buffered writer left a dirty page over it;
	// nil for no page at all.
	Dirty  []bool
	Writes []Write
	Reader bool // somebody reads one page into the page cache at some time
	// Insecure: S_NOSEC is clear, so the first write needs the exclusive lock.
	Insecure bool
}

// perBlock is the number of sectors in a block.
func (sc *Scenario) perBlock() int { return 1 << (sc.Blkbits - sectorBits) }

// limit is where the file ends for good, as RLIMIT_FSIZE does; sectors.
func (sc *Scenario) limit() int { return len(sc.Blocks) * sc.perBlock() }

// disjoint reports whether no sector is written by two of the writes. Appends
// choose their place under the lock, so they never overlap each other.
func (sc *Scenario) disjoint() bool {
	var seen sectorSet
	for _, w := range sc.Writes {
		if seen&w.set() != 0 {
			return false
		}
		seen |= w.set()
	}
	return true
}

// String is the scenario on one line: blocks as letters (W written, U unwritten,
// H hole), sectors counted from 0.
func (sc *Scenario) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", sc.Format)
	for _, k := range sc.Blocks {
		b.WriteByte(k.Letter())
	}
	fmt.Fprintf(&b, ", %d sectors a block, i_size %d", sc.perBlock(), sc.ISize)
	for i, w := range sc.Writes {
		fmt.Fprintf(&b, "; %s %s", name(i), w)
	}
	if sc.Dirty != nil {
		b.WriteString("; dirty pages:")
		for k, dirty := range sc.Dirty {
			if dirty {
				fmt.Fprintf(&b, " %d", k)
			}
		}
	}
	if sc.Reader {
		b.WriteString("; a reader")
	}
	if sc.Insecure {
		b.WriteString("; S_NOSEC clear")
	}
	return b.String()
}

// start is the state before the first step. What lies behind i_size in a written
// block is zero; blocks that hold nothing yet hold stale bytes on disk, and so do
// those under a dirty page. If the last of i_size is only in the page cache, in a
// block that is not allocated, i_disksize lags behind.
func (sc *Scenario) start() state {
	s := state{isize: int8(sc.ISize), disksize: int8(sc.ISize), nosec: !sc.Insecure}
	spb := sc.perBlock()
	for b, kind := range sc.Blocks {
		s.blocks[b] = kind
		for i := b * spb; i < (b+1)*spb; i++ {
			switch {
			case sc.Dirty != nil && sc.Dirty[b]:
				sc.dirty(&s, b, i)
			case kind != model.Written:
				s.disk.set(i, stale)
			case i < sc.ISize:
				s.disk.set(i, initial)
			}
		}
	}
	for i := range s.w {
		if i >= len(sc.Writes) {
			s.w[i].phase = done
		}
	}
	return s
}

// dirty puts a dirty page over sector i of block b.
func (sc *Scenario) dirty(s *state, b, i int) {
	s.pages[b] = dirty
	s.disk.set(i, stale)
	if i < sc.ISize {
		s.cache.set(i, initial)
	}
	if s.blocks[b] == model.Hole {
		s.disksize = min(s.disksize, int8(b*sc.perBlock()))
	}
}

// holds is what sector i holds for a reader before the first step.
func (sc *Scenario) holds(i int) content {
	b := i / sc.perBlock()
	if i < sc.ISize && (sc.Blocks[b] == model.Written || sc.Dirty != nil && sc.Dirty[b]) {
		return initial
	}
	return zeroes
}

func name(w int) string { return string(rune('A' + w)) }

// String is a run of sectors, both ends included.
func (s sectorSet) String() string {
	if s.first() == s.last() {
		return fmt.Sprintf("sector %d", s.first())
	}
	return fmt.Sprintf("sectors %d-%d", s.first(), s.last())
}
