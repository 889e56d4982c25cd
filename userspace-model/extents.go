package model

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxBlocks is how many logical blocks a file can have; ext4_map_blocks refuses
// block 0xffffffff and those behind it.
const MaxBlocks = 0xffffffff

// Extent is a run of blocks that one mapping can describe.
type Extent struct {
	Len   uint32 // blocks
	State BlockState
	// Apart says that the extent does not continue the one before it on the
	// device. It matters between two extents of the same state.
	Apart bool
}

// Extents is the layout of a file from block 0 on. What lies behind the last
// extent is a hole.
type Extents []Extent

// ParseExtents reads a layout as it is typed: letters W (written), U (unwritten),
// H (hole) and D (delayed), each with a number of blocks that may be left out,
// separated by commas or not at all. A '|' says that the next extent lies
// elsewhere on the device:
//
//	W,U,U,W   WUUW   W4 H100   W8|W8
func ParseExtents(text string) (Extents, error) {
	var out Extents
	total, apart := uint64(0), false
	for i := 0; i < len(text); {
		ch := text[i]
		i++
		switch ch {
		case ',', ' ':
			continue
		case '|':
			apart = true
			continue
		}
		state, ok := stateOfLetter(ch)
		if !ok {
			return nil, fmt.Errorf("extents %q: %q at %d is not one of W (written), U (unwritten), H (hole), D (delayed)", text, ch, i)
		}
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		n := uint64(1)
		if i > from {
			var err error
			if n, err = strconv.ParseUint(text[from:i], 10, 32); err != nil || n == 0 {
				return nil, fmt.Errorf("extents %q: %s blocks: a number from 1 to %d", text, text[from:i], uint32(MaxBlocks))
			}
		}
		if total += n; total > MaxBlocks {
			return nil, fmt.Errorf("extents %q: more than %d blocks, the most a file can have", text, uint32(MaxBlocks))
		}
		out = out.add(Extent{Len: uint32(n), State: state, Apart: apart})
		apart = false
	}
	return out, nil
}

// add appends e, as a part of the last extent when it continues that.
func (x Extents) add(e Extent) Extents {
	if n := len(x); n > 0 && e.continues(x[n-1].State) {
		x[n-1].Len += e.Len
		return x
	}
	return append(x, e)
}

// letters are those of the states in which a block can be, in their order.
const letters = "HWUD"

func stateOfLetter(ch byte) (BlockState, bool) {
	const small = 'a' - 'A' // the bit in which a small letter differs
	i := strings.IndexByte(letters, ch&^small)
	return BlockState(i), i >= 0
}

// Letter is the letter that ParseExtents reads, '?' for no state.
func (s BlockState) Letter() byte { return (letters + "?")[min(s, LookupError)] }

// String is the layout as ParseExtents reads it.
func (x Extents) String() string {
	var b strings.Builder
	for i, e := range x {
		if i > 0 {
			b.WriteString(map[bool]string{true: "|", false: ","}[e.Apart])
		}
		b.WriteByte(e.State.Letter())
		if e.Len > 1 {
			b.WriteString(strconv.FormatUint(uint64(e.Len), 10))
		}
	}
	return b.String()
}

// Blocks is the number of blocks that the layout describes.
func (x Extents) Blocks() int64 {
	n := int64(0)
	for _, e := range x {
		n += int64(e.Len)
	}
	return n
}

// At is the extent that holds block lblk, cut to begin there and to n blocks.
func (x Extents) At(lblk, n uint32) Extent {
	start := uint64(0)
	for i, e := range x {
		next := start + uint64(e.Len)
		if uint64(lblk) >= next {
			start = next
			continue
		}
		for i++; i < len(x) && next-uint64(lblk) < uint64(n) && x[i].continues(e.State); i++ {
			next += uint64(x[i].Len)
		}
		if i == len(x) && e.State == Hole {
			break // one hole with all that follows
		}
		return Extent{Len: uint32(min(next-uint64(lblk), uint64(n))), State: e.State}
	}
	return Extent{Len: n, State: Hole}
}

// continues reports whether e is a part of the mapping in state s before it.
func (e Extent) continues(s BlockState) bool { return e.State == s && (s == Hole || !e.Apart) }

// check reports what cannot be.
func (x Extents) check(indirect bool) error {
	total := uint64(0)
	for _, e := range x {
		total += uint64(e.Len)
		switch {
		case e.Len == 0:
			return factError("an extent without blocks")
		case e.State > Delayed:
			return factError("an extent in no known state")
		case indirect && e.State == Unwritten:
			return factError("unwritten blocks in an inode without extents, which has no such state")
		case total > MaxBlocks:
			return factError("more blocks than a file can have")
		}
	}
	return nil
}

// Cache is what is assumed of the extent-status tree, which ext4_map_blocks
// asks before it looks at the extents themselves. It is the one thing about a
// known layout that cannot be read off it: the same write can see one mapping or
// two (docs/kernel.md#cold-and-merged-mappings).
type Cache uint8

const (
	// CacheMerged: all extents are in the tree, and neighbours of one state that
	// are contiguous on the device are one entry. It is what a file shows that was
	// just written or read.
	CacheMerged Cache = iota
	// CacheCold: nothing of the inode is in the tree but delayed blocks, which are
	// nowhere else and which the shrinker keeps (ext4_es_must_keep). A lookup sees one
	// extent of the extent tree, which Extents then has to give as they lie on disk,
	// with a '|' at the border of an indirect block (docs/kernel.md#indirect-blocks). A
	// lookup in the cache only (EXT4_GET_BLOCKS_CACHED_NOWAIT) finds nothing; mapBlocks
	// says what that means for a delayed block.
	CacheCold
)

// String is "merged" or "cold".
func (c Cache) String() string {
	if c == CacheCold {
		return "cold"
	}
	return "merged"
}

// onDiskMax is the longest extent that the extent tree can hold, in blocks
// (EXT_INIT_MAX_LEN, EXT_UNWRITTEN_MAX_LEN).
func onDiskMax(s BlockState) uint32 {
	if s == Unwritten {
		return 32767
	}
	return 32768
}

// flushed is the layout after the page cache in the blocks from first to last
// was written back: delayed blocks have become written ones. Where the allocator
// put them is not known; each run is taken for an extent of its own.
func (x Extents) flushed(first, last uint32) Extents {
	if !x.delayed(first, last) {
		return x
	}
	var out Extents
	start, apart := uint64(0), false
	for _, e := range x {
		next := start + uint64(e.Len)
		if e.State != Delayed || next <= uint64(first) || start > uint64(last) {
			out = append(out, Extent{Len: e.Len, State: e.State, Apart: e.Apart || apart})
			start, apart = next, false
			continue
		}
		from, to := max(start, uint64(first)), min(next, uint64(last)+1)
		if from > start {
			out = append(out, Extent{Len: uint32(from - start), State: Delayed, Apart: e.Apart})
		}
		out = append(out, Extent{Len: uint32(to - from), State: Written, Apart: true})
		if next > to {
			out = append(out, Extent{Len: uint32(next - to), State: Delayed})
		}
		start, apart = next, true
	}
	return out
}

// delayed reports whether a delayed block lies in the blocks from first to last.
func (x Extents) delayed(first, last uint32) bool {
	start := uint64(0)
	for _, e := range x {
		next := start + uint64(e.Len)
		if e.State == Delayed && start <= uint64(last) && next > uint64(first) {
			return true
		}
		start = next
	}
	return false
}
