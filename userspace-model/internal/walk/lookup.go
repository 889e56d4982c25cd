package walk

import "math"

// Flags of ext4_map_blocks: m_flags on return, and what is asked for.
const (
	mapMapped    = 0x10
	mapDelayed   = 0x100
	mapUnwritten = 0x800

	getCreate             = 0x1
	getCreateUnwrit       = 0x3
	getIOCreateExt        = 0xB // 6.x only
	getCachedNowait       = 0x800
	maxLogical            = 0xffffffff // first block number that no file can have
	dioMaxBlocks          = 4096
	endless         int64 = math.MaxUint32
)

// at reads the drawing: the letter of block l, and how many blocks from l on belong to the same mapping.
func (w *walk) at(l int64) (letter byte, run int64) {
	blocks := w.in.Blocks
	i := 0
	for ; i < len(blocks); i++ {
		if blocks[i] == '|' {
			continue
		}
		if l == 0 {
			break
		}
		l--
	}
	if i == len(blocks) {
		return 'H', endless
	}
	letter = blocks[i]
	for ; i < len(blocks) && blocks[i] == letter; i++ {
		run++
	}
	if i == len(blocks) && letter == 'H' {
		return 'H', endless
	}
	return letter, run
}

// holeFrom counts the hole blocks from l on, up to the next block that is none. Unlike at it looks across a '|': an allocation
// is bounded by what is allocated, not by how the hole is cached.
func (w *walk) holeFrom(l int64) int64 {
	var n int64
	for {
		letter, run := w.at(l + n)
		if letter != 'H' {
			return n
		}
		if run == endless {
			return endless
		}
		n += run
	}
}

// delayedIn reports whether a delayed block lies in the byte range of the write.
func (w *walk) delayedIn(pos, end int64) bool {
	first, last := pos>>w.in.Blkbits, (end-1)>>w.in.Blkbits
	l := int64(0)
	for i := 0; i < len(w.in.Blocks) && l <= last; i++ {
		if w.in.Blocks[i] == '|' {
			continue
		}
		if l >= first && w.in.Blocks[i] == 'D' {
			return true
		}
		l++
	}
	return false
}

// lookup is docs/kernel.md#lookup, l blocks from n on with flags f, before the page cache is flushed. ret is what
// ext4_map_blocks returns.
func (w *walk) lookup(l, n int64, f uint32) (ret int64, mflags uint32, mlen int64) {
	if l >= maxLogical {
		return efscorrupted, 0, n
	}
	if f == getCachedNowait && w.in.Cold {
		// The last row of that table: the tree has no entry, so it is either an error or what a hole looks like.
		if w.in.Patch6 {
			return eagain, 0, n
		}
		return 0, 0, n
	}
	letter, run := w.at(l)
	k := min(n, run)
	switch letter {
	case 'W':
		return k, mapMapped, k
	case 'U':
		return k, mapUnwritten, k
	case 'D':
		if w.k == k61 {
			return 0, 0, k
		}
		return 0, mapDelayed, k
	default:
		return 0, 0, k
	}
}

// checkLookup is a lookup of the check phase: it is noted in the current pass.
func (w *walk) checkLookup(l, n int64, f uint32) (ret int64, mflags uint32) {
	p := w.out.Passes - 1
	have := len(w.room.passes[p])
	w.room.lookups[p][have] = Lookup{uint32(l), uint32(n), f}
	w.room.passes[p] = w.room.lookups[p][:have+1]
	ret, mflags, _ = w.lookup(l, n, f)
	return ret, mflags
}

// overwrite61 is ext4_overwrite_io of 6.1: only a written mapping of the whole range is an overwrite.
func (w *walk) overwrite61() bool {
	if w.end > w.in.ISize {
		return false
	}
	l := w.pos >> w.in.Blkbits
	n := (w.end+w.mask)>>w.in.Blkbits - w.pos>>w.in.Blkbits
	ret, mflags := w.checkLookup(l, n, 0)
	return ret == n && mflags&mapMapped != 0
}

// overwriteIO is ext4_overwrite_io of 6.12, 7.2 and patch3: one written and one unwritten mapping are overwrites, and
// unwritten says which of the two. unwritten means nothing when overwrite is false.
func (w *walk) overwriteIO() (overwrite, unwritten bool) {
	if w.end > w.in.ISize {
		return false, false
	}
	l := w.pos >> w.in.Blkbits
	n := (w.end+w.mask)>>w.in.Blkbits - w.pos>>w.in.Blkbits
	ret, mflags := w.checkLookup(l, n, 0)
	if ret != n {
		return false, false
	}
	return true, mflags&mapMapped == 0
}

// nz is ext4_dio_needs_zeroing of patch4, 7.3 and series-v2: must the head or the tail block be zeroed in part? f is 0 but
// with patch 8 under NOWAIT. An error counts as yes, and so does a miss under 0x800, be it -EAGAIN or 0 [inferred].
func (w *walk) nz(f uint32) bool {
	if w.end > w.in.ISize {
		return true
	}
	hp := w.pos&w.mask != 0
	tp := w.end&w.mask != 0
	h := w.pos >> w.in.Blkbits
	t := (w.end - 1) >> w.in.Blkbits
	if hp { // 1.
		ret, mflags := w.checkLookup(h, t-h+1, f)
		if ret <= 0 || mflags&mapMapped == 0 {
			return true
		}
		if !tp || h+ret > t {
			return false
		}
	}
	if tp { // 2.
		ret, mflags := w.checkLookup(t, 1, f)
		if ret <= 0 || mflags&mapMapped == 0 {
			return true
		}
	}
	return false // 3.
}
