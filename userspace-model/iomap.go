package model

// Range is a piece of the file, bytes. A Len of 0 is no piece.
type Range struct{ Pos, Len int64 }

// NeedZeroout reports whether iomap_dio_bio_iter zeroes the rest of a partial
// block in a mapping of this type: its blocks hold nothing yet.
func NeedZeroout(typ, flags uint16) bool {
	return typ == IomapUnwritten || flags&IomapFNew != 0
}

// Head is what iomap_dio_bio_iter zeroes before a write at pos, given the
// mapping that holds pos.
func Head(pos int64, blkbits uint8, typ, flags uint16) Range {
	pad := pos & (1<<blkbits - 1)
	if pad == 0 || !NeedZeroout(typ, flags) {
		return Range{}
	}
	return Range{pos - pad, pad}
}

// Tail is what iomap_dio_bio_iter zeroes after a write that ends at end, given
// the mapping of the last block. A write that ends at or beyond i_size zeroes to
// the end of its block even in a written extent, so that nothing stale lies
// behind the end of the file.
func Tail(end, isize int64, blkbits uint8, typ, flags uint16) Range {
	pad := end & (1<<blkbits - 1)
	if pad == 0 || (!NeedZeroout(typ, flags) && end < isize) {
		return Range{}
	}
	return Range{end, 1<<blkbits - pad}
}

// EOFTail reports whether a zeroed range is lawful under the shared lock: it lies
// at or beyond i_size, in a mapping that is written and not new, where the same
// write ended exactly at i_size.
func EOFTail(zeroPos, isize int64, typ, flags uint16) bool {
	return typ == IomapMapped && flags&IomapFNew == 0 && zeroPos >= isize
}

// AllocFlags is the flags argument with which ext4_iomap_alloc calls
// ext4_map_blocks for a block that starts at start, bytes.
func AllocFlags(v Variant, start, isize int64, extents bool) uint32 {
	if v.Has(SplitAtEndIO) {
		return allocFlags(start, isize, extents)
	}
	return allocFlags6(start, isize, extents)
}

// BeginMayEagain reports whether ext4_iomap_begin can return -EAGAIN: only under
// NOWAIT, when blocks would have to be allocated (patch 1), or when the mapping
// is not in the cache (patch 7, of whose lookups a miss is an error since patch 6).
func BeginMayEagain(v Variant, nowait bool) bool {
	return nowait && (v.Has(NowaitNoAlloc) || v.Has(NowaitCachedBegin|CachedMissEagain))
}
