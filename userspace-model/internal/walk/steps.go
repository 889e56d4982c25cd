package walk

// This file holds what stands before the iomap phase: the entry, the first lock, ext4_should_use_dio, the generic write checks.

// alignment is that of docs/kernel.md#quantities for an iter with count bytes left. An empty iter has alignment 0.
func (w *walk) alignment(count int64) int64 {
	if count == 0 {
		return 0
	}
	return int64(w.in.Mem) | count
}

// unaligned is docs/kernel.md#quantities for the current pass.
func (w *walk) unaligned() bool {
	return (w.pos|w.alignment(w.cnt))&w.mask != 0
}

// extends is extending there: the end of the write is beyond i_size or beyond i_disksize.
func (w *walk) extends() bool {
	return w.end > w.in.ISize || w.end > w.in.Disksize
}

// stop ends the walk.
func (w *walk) stop(end string, ret int64) {
	w.out.End = end
	w.out.Ret = ret
}

// entry6 is docs/kernel.md#entry of 6.1 and 6.12. It reports whether the direct path is reached.
func (w *walk) entry6() bool {
	if w.in.Shutdown { // (a)
		w.stop("entry", eio)
		return false
	}
	if w.in.Dax { // (b)
		w.out.Dax = true
		w.stop("entry", 0)
		return false
	}
	return true // (d)
}

// entry7 is docs/kernel.md#entry of the 7.x kernels. It reports whether the direct path is reached.
func (w *walk) entry7() bool {
	in := w.in
	if in.Shutdown { // (a)
		w.stop("entry", eio)
		return false
	}
	if in.ReadOnly { // (a)
		w.stop("entry", erofs)
		return false
	}
	if in.Dax { // (b)
		w.out.Dax = true
		w.stop("entry", 0)
		return false
	}
	if in.Atomic { // (c)
		if in.Len < in.AtomicMin || in.Len > in.AtomicMax {
			w.stop("entry", einval)
			return false
		}
		if in.Len <= 0 || in.Len&(in.Len-1) != 0 || in.Pos%in.Len != 0 {
			w.stop("entry", einval)
			return false
		}
	}
	return true // (d)
}

// lock takes i_rwsem for the first time. It reports false when the trylock of a NOWAIT write failed (N1).
func (w *walk) lock(shared bool) bool {
	w.out.Guess = "EX"
	if shared {
		w.out.Guess = "SH"
	}
	if w.in.Nowait && w.in.TrylockFails {
		w.stop("N1", eagain)
		return false
	}
	return true
}

// useDioUpTo72 is ext4_should_use_dio of 6.1, 6.12 and 7.2; base, patch3 and patch4 stand on 7.2's code and the change of
// the encryption rule is none of the series' patches, so they are taken to have it too.
func (w *walk) useDioUpTo72() bool {
	in := w.in
	if in.JournalData || in.Inline {
		return false
	}
	if in.Encrypted && !in.InlineCrypt {
		return false
	}
	if in.Encrypted {
		return (in.Pos|w.alignment(in.Len))%(w.mask+1) == 0
	}
	return true // al = 1: whatever the alignment
}

// useDio73 is ext4_should_use_dio of 7.3: encrypted inodes always ask for block alignment. series-v2 is taken to follow it.
func (w *walk) useDio73() bool {
	in := w.in
	if in.JournalData || in.Inline {
		return false
	}
	if in.Encrypted {
		return (in.Pos|w.alignment(in.Len))%(w.mask+1) == 0
	}
	return true
}

// buffered is the way of a write that ext4_should_use_dio sent away: the lock is dropped and
// ext4_buffered_write_iter runs for all of it, with its own write checks.
func (w *walk) buffered() {
	if w.in.Nowait {
		w.stop("N0", eopnotsupp)
		return
	}
	w.buf(w.in.Pos, w.in.Len)
	_, n := w.writeChecks(w.in.Pos, w.in.Len)
	w.stop("buffered", n)
}

// buf notes a call of ext4_buffered_write_iter that gets past its NOWAIT test. Patch 2 is what drains in it. 6.1.192 has it
// as a stable backport (docs/kernel.md#the-series); linux-6.1 and linux-6.12 stand for the kernels before that backport.
func (w *walk) buf(pos, count int64) {
	w.room.fallback = Range{pos, count}
	w.out.Fallback = &w.room.fallback
	switch w.k {
	case k61, k612, base:
		w.out.FallbackDrain = false
	case k72, patch3, patch4, k73, v2:
		w.out.FallbackDrain = true
	}
}

// checks is one pass's ext4_generic_write_checks. It reports false when the result is 0 or an error, which then is the result
// of the write.
func (w *walk) checks() bool {
	w.out.Passes++
	w.out.Lookups = w.room.passes[:w.out.Passes]
	pos, n := w.writeChecks(w.pos, w.cnt)
	if n <= 0 {
		w.stop("checks", n)
		return false
	}
	// The cut is permanent: the next pass begins with the cut iter.
	w.pos, w.cnt, w.end = pos, n, pos+n
	return true
}

// writeChecks is docs/kernel.md#generic-checks in its order. It returns the position and the remaining count, or 0 or a
// negative errno as the count.
func (w *walk) writeChecks(pos, count int64) (newPos, result int64) {
	in := w.in
	if in.Immutable {
		return pos, eperm
	}
	if in.Swapfile {
		return pos, etxtbsy
	}
	if count == 0 {
		return pos, 0
	}
	if in.Append {
		pos = in.ISize
	}
	if in.LimitFsize != 0 {
		if pos >= in.LimitFsize {
			return pos, efbig
		}
		count = min(count, in.LimitFsize-pos)
	}
	if in.MaxBytes != 0 {
		if pos >= in.MaxBytes {
			return pos, efbig
		}
		count = min(count, in.MaxBytes-pos)
	}
	if in.Indirect && in.BitmapMaxBytes != 0 {
		if pos >= in.BitmapMaxBytes {
			return pos, efbig
		}
		count = min(count, in.BitmapMaxBytes-pos)
	}
	return pos, count
}
