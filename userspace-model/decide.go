package model

// procedure carries one decision along the kernel's functions.
type procedure struct {
	d   *Decision
	c   *Call
	w   World
	has Behaviours

	mode Mode
	// unaligned is ext4_unaligned_io: once at entry up to 6.1, in every pass since.
	unaligned Answer
	// extend is sticky over a restart up to 6.1, judged in every pass since.
	extend bool
	// overwrite and unwritten are what ext4_overwrite_io found in this pass.
	overwrite, unwritten Answer
	// nz is what ext4_dio_needs_zeroing found. It is set once before the first
	// pass and kept by an aligned pass (07961ebb09c9).
	nz       Answer
	nzReason Reason
}

// Decide fills d with what variant v decides about the write c in world w. It
// walks ext4_file_write_iter and ext4_dio_write_iter up to iomap_dio_rw.
func Decide(d *Decision, c *Call, w World, v Variant) {
	*d = Decision{}
	d.Variant = v
	p := procedure{d: d, c: c, w: w, has: v.Behaviours(), nz: No}
	if why := c.contradiction(); why != "" {
		d.contradict(why)
		return
	}
	d.Modifier = FileModified
	if p.has.Has(KiocbModified) {
		d.Modifier = KiocbModifiedFn
	}
	p.guess()
	if p.lock() && p.writeChecks() {
		p.dioRw()
	}
}

// guess chooses the mode of the first lock without holding one
// (ext4_dio_write_iter).
func (p *procedure) guess() {
	c := p.c
	p.mode = Shared
	if !p.has.Has(UnalignedShared) {
		// 6.1: an unaligned write takes the exclusive lock at once, judged by the
		// ki_pos of the caller, even if IOCB_APPEND moves it later.
		p.unaligned = unalignedIO(c.Pos, c.Align, c.Blkbits)
		p.d.step(stepUnalignedEntry, 0, p.unaligned, c.Pos, int64(c.Align.Bits))
		if p.unaligned == Yes {
			p.mode = Exclusive
		}
	}
	// "Quick check here without any i_rwsem lock to see if it is extending IO."
	beyond := c.Pos+c.Len > c.ISize
	p.d.step(stepGuess, 0, AnswerOf(beyond), c.Pos+c.Len, c.ISize)
	if beyond {
		p.mode = Exclusive
	}
	if p.mode == Exclusive {
		p.d.Mode = Exclusive // nothing ever makes it shared again
	}
	p.d.step(stepFirstLock, 0, AnswerOf(p.mode == Exclusive), 0, 0)
}

// lock takes i_rwsem and asks whether direct I/O is possible at all.
func (p *procedure) lock() bool {
	d := p.d
	if p.c.nowait() {
		got := p.w.Trylock(p.mode)
		d.step(stepTrylock, 0, got, 0, 0)
		switch got {
		case Unknown:
			d.stop("result of the trylock")
			return false
		case No:
			d.again(0, EndN1)
			d.Reason = ReasonTrylock
			return false
		}
	}
	use := p.w.UseDio()
	d.step(stepUseDio, 0, use, 0, 0)
	switch use {
	case Unknown:
		d.stop("whether the inode supports direct I/O")
		return false
	case No:
		d.End, d.Reason, d.Mode = EndBuffered, ReasonNoDio, Unlocked
		if p.c.nowait() {
			// ext4_buffered_write_iter refuses NOWAIT before it takes a lock.
			d.again(0, EndN0)
		}
		return false
	}
	return true
}

// writeChecks is ext4_dio_write_checks: at most two passes, then the dio flags.
func (p *procedure) writeChecks() bool {
	d := p.d
	if !p.has.Has(UnalignedShared) && p.unaligned == Unknown {
		d.stop("alignment of the iov_iter at entry")
		return false
	}
	for pass := 0; pass < MaxPasses; pass++ {
		d.Pass[pass].Mode = p.mode
		d.Passes = pass + 1
		ck, ok := p.w.Checks(pass)
		if !ok {
			d.stop("the checks of this pass")
			return false
		}
		if why := ck.contradiction(p.c); why != "" {
			d.contradict(why)
			return false
		}
		d.step(stepChecks, pass, AnswerOf(ck.Count > 0), ck.Pos, ck.Count)
		if ck.Count <= 0 {
			d.End, d.Ret, d.Reason, d.Mode = EndChecks, ck.Count, ReasonChecks, Unlocked
			d.Also = [2]Reason{}
			if ck.Count == 0 {
				d.Reason = ReasonEmpty
			}
			return false
		}
		if !p.examine(pass, &ck) {
			return false
		}
		if p.mode == Exclusive {
			return p.settle(pass)
		}
		switch p.upgrade(pass, &ck) {
		case Unknown:
			d.stop("answer of a lookup")
			return false
		case No:
			d.Mode = Shared
			return p.settle(pass)
		}
		if p.c.nowait() {
			d.again(pass, EndN2)
			return false
		}
		p.mode, d.Mode = Exclusive, Exclusive
		d.step(stepRestart, pass, Yes, 0, 0)
	}
	return false // not reached: the second pass holds the lock exclusive
}

// examine makes the tests of one pass, lookups included.
func (p *procedure) examine(pass int, ck *Checks) bool {
	d := p.d
	beyondSize, beyondDisk := ck.end() > ck.ISize, ck.end() > ck.IDisksize
	d.step(stepExtendSize, pass, AnswerOf(beyondSize), ck.end(), ck.ISize)
	d.step(stepExtendDisk, pass, AnswerOf(beyondDisk), ck.end(), ck.IDisksize)
	extend := beyondSize || beyondDisk
	if !p.has.Has(UnalignedShared) {
		// 6.1 never clears "extend" in a later pass.
		p.extend = p.extend || extend
		p.examine61(pass, ck)
	} else {
		p.extend = extend
		p.unaligned = unalignedIO(ck.Pos, ck.Align, p.c.Blkbits)
		d.step(stepUnaligned, pass, p.unaligned, ck.Pos, int64(ck.Align.Bits))
		if p.unaligned == Unknown {
			d.stop("alignment of the iov_iter")
			return false
		}
		p.lookups(pass, ck)
	}
	d.Pass[pass].Unaligned, d.Pass[pass].Extend = p.unaligned, p.extend
	d.Extend = p.extend
	return d.contradiction == "" // one in a lookup ends it
}

// examine61 is 6.1: the overwrite check is the last operand of the upgrade's
// condition, so it runs only when nothing else has settled it.
func (p *procedure) examine61(pass int, ck *Checks) {
	p.overwrite, p.unwritten = No, No
	if p.mode == Shared && ck.Nosec && !p.extend {
		p.overwriteIO(pass, ck)
	}
}

// lookups asks for the blocks as ext4_dio_write_checks does since 6.5.
func (p *procedure) lookups(pass int, ck *Checks) {
	aligned := p.unaligned == No
	switch {
	case p.has.Has(NeedsZeroing):
		// 07961ebb09c9: only the partial blocks of an unaligned write matter.
		switch {
		case !aligned:
			p.needsZeroing(pass, ck)
		case pass > 0 && p.nz == Yes && p.has.Has(NowaitCachedZeroing):
			// The code of patch 8 was never published: it may clear what the first,
			// unaligned pass found. Only appends that race come here; they extend, so
			// that nothing but the drain depends on it.
			p.nz = Unknown
		}
	case p.has.Has(AlignedUnchecked) && aligned:
		// 63b314a7795e: an aligned write that does not extend is not looked up.
		// Whether an extending one still is does not matter to the outcome, and is
		// not known of the code between patch 3 and patch 4.
		if p.extend && ck.end() <= ck.ISize {
			pp := &p.d.Pass[pass]
			pp.MayLookUp = true
			pp.Queries[0] = wholeRange(ck, p.c.Blkbits)
		}
		p.overwrite, p.unwritten = Yes, No
	default:
		p.overwriteIO(pass, ck)
	}
}

// upgrade reports whether the shared lock is not enough for this pass.
func (p *procedure) upgrade(pass int, ck *Checks) Answer {
	d := p.d
	need, reason := No, ReasonNone
	d.step(stepNosec, pass, AnswerOf(ck.Nosec), 0, 0)
	switch {
	case !ck.Nosec:
		// file_modified may change security info, which needs the exclusive lock.
		need, reason = Yes, ReasonNosec
	case p.extend:
		need, reason = Yes, extendReason(ck)
	case p.has.Has(NeedsZeroing):
		need, reason = p.nz, p.nzReason
	case p.overwrite == Unknown:
		need = Unknown
	case p.overwrite == No:
		need, reason = Yes, ReasonNotOver
	case p.has.Has(UnalignedShared) && p.unaligned == Yes:
		need, reason = p.unwritten, ReasonUnwritten
	}
	d.step(stepUpgrade, pass, need, 0, 0)
	if need == No {
		reason = p.sharedReason(pass)
	}
	d.Reason, d.Also = reason, [2]Reason{}
	if need == Yes {
		p.alsoNeeds(ck)
	}
	return need
}

// alsoNeeds notes the other operands of the condition that hold.
func (p *procedure) alsoNeeds(ck *Checks) {
	if p.extend {
		p.d.also(extendReason(ck))
	}
	looked := p.has.Has(UnalignedShared) || ck.Nosec && !p.extend
	switch {
	case p.has.Has(NeedsZeroing):
		p.alsoZeroing()
	case looked && p.overwrite == No:
		p.d.also(ReasonNotOver)
	case p.has.Has(UnalignedShared) && p.unaligned == Yes && p.unwritten == Yes:
		p.d.also(ReasonUnwritten)
	}
}

// alsoZeroing notes that the rest of a partial block has to be zeroed.
func (p *procedure) alsoZeroing() {
	if p.has.Has(NeedsZeroing) && p.nz == Yes && p.nzReason != ReasonExtending {
		p.d.also(p.nzReason)
	}
}

func extendReason(ck *Checks) Reason {
	if ck.end() > ck.ISize {
		return ReasonExtending
	}
	return ReasonDisksize
}

// sharedReason names why the shared lock is enough.
func (p *procedure) sharedReason(pass int) Reason {
	switch {
	case p.unaligned == No && p.has.Has(AlignedUnchecked):
		return ReasonAligned
	case !p.has.Has(NeedsZeroing):
		return ReasonOverwrite
	case p.d.Pass[pass].N == 0:
		return ReasonNoPartial
	default:
		return ReasonWritten
	}
}

// settle chooses drain and dio flags once the lock mode is final, and updates
// timestamps and privileges, in the order of the variant.
func (p *procedure) settle(pass int) bool {
	d := p.d
	if d.Reason == ReasonNone {
		d.Reason = p.exclusiveReason(pass)
		if p.extend {
			d.also(ReasonExtending)
		}
		p.alsoZeroing()
	}
	if !p.has.Has(UnalignedShared) {
		// 6.1 tests for NOWAIT after file_modified.
		return p.modified() && p.sync(pass)
	}
	return p.sync(pass) && p.modified()
}

// exclusiveReason names why the first lock was exclusive already.
func (p *procedure) exclusiveReason(pass int) Reason {
	switch {
	case !p.has.Has(UnalignedShared) && p.unaligned == Yes:
		return ReasonUnaligned
	case p.extend:
		return ReasonExtending
	default:
		return ReasonGuess
	}
}

// sync decides IOMAP_DIO_FORCE_WAIT and inode_dio_wait, which only an exclusive
// holder needs.
func (p *procedure) sync(pass int) bool {
	d := p.d
	d.Zeroing = p.zeroing()
	wait, drain := No, No
	if p.mode == Exclusive {
		switch {
		case p.has.Has(NeedsZeroing):
			wait, drain = or(p.nz, AnswerOf(p.extend)), p.nz
		case p.has.Has(UnalignedShared):
			wait = or(p.unaligned, AnswerOf(p.extend))
			drain = and(p.unaligned, or(not(p.overwrite), p.unwritten))
		default:
			// 6.1 drains before every unaligned write.
			wait, drain = or(p.unaligned, AnswerOf(p.extend)), p.unaligned
		}
	}
	d.step(stepSync, pass, wait, 0, 0)
	if p.c.nowait() {
		switch wait {
		case Yes:
			d.again(pass, EndN3)
			return false
		case Unknown:
			d.stop("answer of a lookup")
			return false
		}
	}
	d.step(stepDrain, pass, drain, 0, 0)
	d.ForceWait, d.Drain = wait, drain
	return true
}

// zeroing reports whether the check phase took the write for one that zeroes
// the rest of a partial block.
func (p *procedure) zeroing() Answer {
	if p.has.Has(NeedsZeroing) {
		return p.nz
	}
	if !p.has.Has(UnalignedShared) {
		return p.unaligned // not looked at any further
	}
	return and(p.unaligned, or(not(p.overwrite), p.unwritten))
}

// modified is file_modified, or kiocb_modified since patch 5.
func (p *procedure) modified() bool {
	d := p.d
	ret, ok := p.w.Modified()
	if !ok {
		d.stop("return value of " + d.Modifier.String())
		return false
	}
	d.step(stepModified, d.Passes-1, AnswerOf(ret >= 0), int64(ret), int64(d.Modifier))
	if ret >= 0 {
		return true
	}
	d.End, d.Ret, d.Reason, d.Mode = EndModified, int64(ret), ReasonModified, Unlocked
	d.Also = [2]Reason{}
	if ret == EAGAIN && p.c.nowait() && p.has.Has(KiocbModified) {
		// 59a9d0814d9f: generic_update_time refuses under NOWAIT because ext4 has
		// a dirty_inode operation.
		d.again(d.Passes-1, EndN4)
		d.Reason = ReasonTimestamps
	}
	return false
}

// dioRw is the way from the end of the checks to iomap_dio_rw.
func (p *procedure) dioRw() {
	d := p.d
	d.step(stepOrphan, d.Passes-1, AnswerOf(p.extend), 0, 0)
	if !p.has.Has(SingleOps) {
		// ext4_iomap_overwrite_ops: 6.1 whenever shared; since 240930fb7e6b not for
		// unwritten extents, which have to be split.
		d.Overwrite = p.mode == Shared && p.unwritten != Yes
		d.step(stepOps, d.Passes-1, AnswerOf(d.Overwrite), 0, 0)
	}
	d.End = EndDio
	d.Queue = and(p.c.Async, not(d.ForceWait))
	d.step(stepDio, d.Passes-1, AnswerOf(d.Mode == Exclusive), 0, 0)
}

func not(a Answer) Answer { return [...]Answer{Unknown: Unknown, No: Yes, Yes: No}[a] }

func and(a, b Answer) Answer {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	default:
		return Unknown
	}
}

func or(a, b Answer) Answer { return not(and(not(a), not(b))) }
