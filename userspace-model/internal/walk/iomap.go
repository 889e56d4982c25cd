package walk

// dioRW is iomap_dio_rw in the order of docs/kernel.md#order-in-iomap_dio_rw for a write, and what comes after it
// (#after-iomap_dio_rw).
func (w *walk) dioRW(shared, drain, forceWait bool) {
	in, out := w.in, w.out
	out.Mode = "EX"
	if shared {
		out.Mode = "SH"
	}
	out.Drain, out.ForceWait = drain, forceWait
	pages := in.PagesCached || w.delayedIn(w.pos, w.end)
	if in.Nowait && pages {
		w.stop("N5", eagain)
		return
	}
	// The flush has made delayed blocks written from here on; mapped and allocate see them so.
	if pages && in.InvalidateFails {
		if in.Atomic && w.k != k61 && w.k != k612 {
			w.stop("dio", eagain) // instead of -ENOTBLK
			return
		}
		w.tail(w.pos) // -ENOTBLK becomes 0 after it.
		return
	}
	out.Mappings = w.room.mappings[:0]
	queues := in.Async && !forceWait
	pos := w.pos
	for pos < w.end {
		m := w.begin(pos, w.end-pos)
		out.Mappings = append(out.Mappings, m)
		if m.Err == enotblk {
			w.tail(pos) // It has waited for its own bios.
			return
		}
		// An error wins over the bytes of earlier mappings, and bios that are out make an async write return -EIOCBQUEUED.
		if m.Err != 0 {
			out.Queued = queues && pos > w.pos
			if m.Err == eagain {
				w.stop("N6", eagain)
			} else {
				w.stop("dio", int64(m.Err))
			}
			return
		}
		next := min(w.end, (int64(m.Lblk)+int64(m.Len))<<in.Blkbits)
		if in.LBS != 0 && (pos|(next-pos))&(in.LBS-1) != 0 {
			out.Queued = queues && pos > w.pos
			w.stop("dio", einval)
			return
		}
		w.zero(m, pos, next)
		pos = next
	}
	out.Queued = queues
	w.stop("dio", w.cnt)
}

// zero is docs/kernel.md#zeroing-partial-blocks for the bytes from pos to next, which lie in mapping m.
func (w *walk) zero(m Mapping, pos, next int64) {
	zeroed := w.room.zeroed[:len(w.out.Zeroed)]
	need := m.Type == "UNWRITTEN" || m.New
	if need {
		if pad := pos & w.mask; pad > 0 {
			zeroed = append(zeroed, Range{pos - pad, pad})
		}
	}
	// E-eof: a write that ends at or behind i_size zeroes the rest of the block on a written mapping too.
	if need || next >= w.in.ISize {
		if pad := next & w.mask; pad > 0 {
			zeroed = append(zeroed, Range{next, w.mask + 1 - pad})
		}
	}
	if len(zeroed) > 0 {
		w.out.Zeroed = zeroed
	}
}

// tail is what comes after iomap_dio_rw for a write whose direct part ended at pos, short of its end:
// ext4_buffered_write_iter gets the rest. Its own write checks change nothing, because the cut of the first ones is permanent
// and an append stands at i_size.
func (w *walk) tail(pos int64) {
	if w.in.Nowait {
		w.stop("dio", eopnotsupp)
		return
	}
	w.buf(pos, w.end-pos)
	w.stop("dio", w.cnt)
}

// begin is the mapping call of the variant for the whole remaining request.
func (w *walk) begin(offset, length int64) Mapping {
	if offset>>w.in.Blkbits >= maxLogical {
		return Mapping{Err: einval}
	}
	l := offset >> w.in.Blkbits
	n := (offset+length-1)>>w.in.Blkbits - l + 1
	inside := offset+length <= w.in.ISize
	if w.out.OverwriteOps { // 6.1 and 6.12 only
		return w.overwriteBegin(l, n)
	}
	switch w.k {
	case k61, k612:
		return w.begin6(l, n, inside)
	case k72, base:
		return w.begin72(l, n, inside)
	case patch3, patch4, k73:
		return w.begin73(l, n, inside)
	default:
		return w.beginV2(l, n, inside)
	}
}

// mapped is a lookup of the iomap phase with flags 0: the check phase's, but delayed blocks have become written, each former
// run of them a mapping of its own.
func (w *walk) mapped(l, n int64) (ret int64, mflags uint32, mlen int64) {
	letter, run := w.at(l)
	if letter == 'D' {
		k := min(n, run)
		return k, mapMapped, k
	}
	return w.lookup(l, n, 0)
}

// overwriteBegin is 6.x's mapping call for a shared pure overwrite: the lookup and nothing else.
func (w *walk) overwriteBegin(l, n int64) Mapping {
	ret, mflags, _ := w.mapped(l, n)
	if ret > 0 && mflags&mapUnwritten != 0 {
		return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "UNWRITTEN"}
	}
	if ret > 0 && mflags&mapMapped != 0 {
		return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "MAPPED"}
	}
	return Mapping{Err: eio} // A hole here: only a race could make one.
}

// begin6 is ext4_iomap_begin of 6.1 and 6.12.
func (w *walk) begin6(l, n int64, inside bool) Mapping {
	if inside {
		ret, mflags, mlen := w.mapped(l, n)
		if ret > 0 && mflags&mapMapped != 0 {
			return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "MAPPED"}
		}
		n = mlen // Stays as short as the lookup left it.
	}
	n = min(n, dioMaxBlocks)
	flags := uint32(0)
	switch {
	case l<<w.in.Blkbits >= w.in.ISize:
		flags = getCreate
	case !w.in.Indirect:
		flags = getIOCreateExt
	}
	return w.allocate(l, n, flags)
}

// begin72 is ext4_iomap_begin of 7.2 and base: unwritten blocks need no allocation call, and m_len is restored before one.
func (w *walk) begin72(l, n int64, inside bool) Mapping {
	if inside {
		ret, mflags, _ := w.mapped(l, n)
		if ret > 0 && (!w.in.Atomic || ret == n) {
			if mflags&mapUnwritten != 0 {
				return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "UNWRITTEN"}
			}
			if mflags&mapMapped != 0 {
				return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "MAPPED"}
			}
		}
	}
	n = min(n, dioMaxBlocks)
	flags := uint32(0)
	switch {
	case l<<w.in.Blkbits >= w.in.ISize:
		flags = getCreate
	case !w.in.Indirect:
		flags = getCreateUnwrit
	}
	return w.allocate(l, n, flags)
}

// begin73 is ext4_iomap_begin of 7.3: begin72 with patch 1. patch3 and patch4 have patch 1 here too.
func (w *walk) begin73(l, n int64, inside bool) Mapping {
	if inside {
		ret, mflags, _ := w.mapped(l, n)
		if ret > 0 && (!w.in.Atomic || ret == n) {
			if mflags&mapUnwritten != 0 {
				return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "UNWRITTEN"}
			}
			if mflags&mapMapped != 0 {
				return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "MAPPED"}
			}
		}
	}
	if w.in.Nowait { // Patch 1, before anything else of the allocation.
		return Mapping{Err: eagain}
	}
	n = min(n, dioMaxBlocks)
	flags := uint32(0)
	switch {
	case l<<w.in.Blkbits >= w.in.ISize:
		flags = getCreate
	case !w.in.Indirect:
		flags = getCreateUnwrit
	}
	return w.allocate(l, n, flags)
}

// beginV2 is ext4_iomap_begin with patch 1 and perhaps 7 [inferred]: with 7 the lookup under NOWAIT asks the cache only. A miss
// is -EAGAIN by patch 6; without that it reads as a hole, for which blocks would have to be allocated. A NOWAIT write has no
// delayed blocks here, it would have ended at N5.
func (w *walk) beginV2(l, n int64, inside bool) Mapping {
	if inside {
		var ret int64
		var mflags uint32
		if w.in.Nowait && w.in.Patch7 {
			ret, mflags, _ = w.lookup(l, n, getCachedNowait)
			if ret == eagain {
				return Mapping{Err: eagain}
			}
		} else {
			ret, mflags, _ = w.mapped(l, n)
		}
		if ret > 0 && (!w.in.Atomic || ret == n) {
			if mflags&mapUnwritten != 0 {
				return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "UNWRITTEN"}
			}
			if mflags&mapMapped != 0 {
				return Mapping{Lblk: uint32(l), Len: uint32(ret), Type: "MAPPED"}
			}
		}
	}
	if w.in.Nowait { // Patch 1.
		return Mapping{Err: eagain}
	}
	n = min(n, dioMaxBlocks)
	flags := uint32(0)
	switch {
	case l<<w.in.Blkbits >= w.in.ISize:
		flags = getCreate
	case !w.in.Indirect:
		flags = getCreateUnwrit
	}
	return w.allocate(l, n, flags)
}

// allocate is the ext4_map_blocks call inside ext4_iomap_alloc. A hole is filled up to the next block that is none; blocks that
// exist are returned as far as their mapping goes.
func (w *walk) allocate(l, n int64, flags uint32) Mapping {
	letter, run := w.at(l)
	m := Mapping{Lblk: uint32(l), Len: uint32(min(n, run)), Alloc: flags}
	switch letter {
	case 'W', 'D':
		m.Type = "MAPPED"
		return m
	case 'U':
		switch flags {
		case getCreate: // Converted to written at once.
			m.Type, m.New = "MAPPED", true
		case getIOCreateExt: // Split before the I/O, which sets NEW (docs/kernel.md#ext4_iomap_begin).
			m.Type, m.New = "UNWRITTEN", true
		default:
			m.Type = "UNWRITTEN"
		}
		return m
	}
	m.Len = uint32(min(n, w.holeFrom(l)))
	switch flags {
	case 0: // An indirect inode inside i_size.
		return Mapping{Err: enotblk}
	case getCreate:
		m.Type, m.New = "MAPPED", true
	default:
		m.Type, m.New = "UNWRITTEN", true
	}
	return m
}
