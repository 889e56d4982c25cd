package model

// This file is the direct write of Linux 7.x. Its functions are named after those of
// the kernel and stand in the kernel's order: fs/ext4/file.c, then what of
// fs/ext4/inode.c it calls. A comment at a branch names the condition in C that it
// mirrors, as 7.3 has it; a condition on a patch stands where the patch changed the
// code. Code of before patch 4 stands here too (overwriteIO, and branches of lookups,
// needsExclusive and settle), and is marked as such.
//
// Other parts of file.c and inode.c are elsewhere: ext4_generic_write_checks is
// writeChecks in inode.go, ext4_should_use_dio is in direct.go, an ext4_map_blocks that
// creates is Create in submit.go, the end of ext4_dio_write_iter is failed and rest in
// submit.go, and what iomap zeroes is in iomap.go. What 6.1 and 6.12 do in another way is in
// file61.go and file612.go. doc.go lists what is not modelled.

// shouldUseDio is ext4_should_use_dio, asked once, after the first lock.
func (p *procedure) shouldUseDio() bool {
	d := p.d
	use := p.w.UseDio()
	d.step(stepUseDio, 0, use, 0, 0)
	switch use { // No: !ext4_should_use_dio(iocb, from)
	case Unknown:
		d.stop("whether the inode supports direct I/O")
		return false
	case No: // the lock is dropped, and ext4_buffered_write_iter is called
		d.End, d.Reason, d.Mode = EndBuffered, ReasonNoDio, Unlocked
		if p.c.nowait() { // ext4_buffered_write_iter: iocb->ki_flags & IOCB_NOWAIT, before its lock
			d.again(0, EndN0)
		}
		return false
	}
	return true
}

// unalignedIO is ext4_unaligned_io: position, segment addresses and segment
// lengths against the block size. Sectors and clusters do not count.
func unalignedIO(pos int64, a Alignment, blkbits uint8) Answer {
	mask := int64(1)<<blkbits - 1
	// (pos | iov_iter_alignment(from)) & blockmask, in two steps: the position may answer
	// alone where the iov_iter is not known.
	if pos&mask != 0 {
		return Yes
	}
	if !a.Known {
		return Unknown
	}
	return AnswerOf(int64(a.Bits)&mask != 0)
}

// extendingIO is ext4_extending_io.
func extendingIO(ck *Checks) bool {
	return ck.end() > ck.ISize || // offset + len > i_size_read(inode)
		ck.end() > ck.IDisksize // offset + len > EXT4_I(inode)->i_disksize
}

// overwriteIO is ext4_overwrite_io, which patch 4 removed. One lookup of the whole
// range returns one mapping, so that a write over two extents is no overwrite.
func (p *procedure) overwriteIO(pass int, ck *Checks) {
	p.overwrite, p.unwritten = No, No
	if ck.end() > ck.ISize { // pos + len > i_size_read(inode)
		return
	}
	q := wholeRange(ck, p.c.Blkbits)
	r, ok := p.askWorld(pass, q)
	if !ok {
		p.overwrite, p.unwritten = Unknown, Unknown
		return
	}
	mapped := r.MFlags&MapMapped != 0
	either := p.has.Has(OverwriteUnwritten)                   // since v6.3 an unwritten mapping counts too
	p.overwrite = AnswerOf(r.covers(q) && (mapped || either)) // err == blklen
	p.d.step(stepOverwrite, pass, p.overwrite, int64(q.Len), int64(r.Ret))
	if either && p.overwrite == Yes { // *unwritten = !(map.m_flags & EXT4_MAP_MAPPED)
		p.unwritten = AnswerOf(!mapped)
		p.d.step(stepUnwritten, pass, p.unwritten, 0, 0)
	}
}

// wholeRange is all blocks that the write touches (EXT4_MAX_BLOCKS).
func wholeRange(ck *Checks, blkbits uint8) Query {
	first := ck.Pos >> blkbits
	last := (ck.end() + 1<<blkbits - 1) >> blkbits
	return Query{Lblk: uint32(first), Len: uint32(last - first)}
}

// covers reports whether one mapping holds all blocks of the query.
func (r Result) covers(q Query) bool { return r.Ret > 0 && uint32(r.Ret) == q.Len }

// needsZeroing is ext4_dio_needs_zeroing, which patch 4 brought: whether the rest of
// a partial head or tail block has to be filled with zeroes. Blocks in the middle do
// not matter.
func (p *procedure) needsZeroing(pass int, ck *Checks) {
	p.nz = p.partialNotWritten(pass, ck)
	p.d.step(stepNeedsZeroing, pass, p.nz, 0, 0)
}

// partialNotWritten is the body of ext4_dio_needs_zeroing.
func (p *procedure) partialNotWritten(pass int, ck *Checks) Answer {
	if ck.end() > ck.ISize { // pos + len > i_size_read(inode)
		p.nzReason = ReasonExtending
		return Yes
	}
	b := p.c.Blkbits
	mask := int64(1)<<b - 1
	headPartial, tailPartial := ck.Pos&mask != 0, ck.end()&mask != 0
	head, tail := ck.Pos>>b, (ck.end()-1)>>b
	var flags uint32
	if p.has.Has(NowaitCachedZeroing) && p.c.nowait() { // patch 8: IOCB_NOWAIT
		flags = GetBlocksCachedNowait
	}
	if headPartial { // head_partial
		// The lookup asks up to the tail: one mapping can answer for both blocks.
		r, need := p.partialBlock(pass, stepHead, Query{uint32(head), uint32(tail - head + 1), flags}, ReasonHead)
		if need != No || !tailPartial || head+int64(r.Ret) > tail { // !tail_partial || map.m_lblk + err > tail_lblk
			return need
		}
	}
	if tailPartial { // tail_partial
		_, need := p.partialBlock(pass, stepTail, Query{uint32(tail), 1, flags}, ReasonTail)
		return need
	}
	return No
}

// partialBlock looks up a partial block. It has to be zeroed unless it is written. An
// error, a hole, an unwritten or delayed block and a block that the cache does not know
// count as not written.
func (p *procedure) partialBlock(pass int, step StepID, q Query, reason Reason) (Result, Answer) {
	r, ok := p.askWorld(pass, q)
	if !ok {
		return r, Unknown
	}
	written := r.written() // not: err <= 0 || !(map.m_flags & EXT4_MAP_MAPPED)
	p.d.step(step, pass, AnswerOf(written), int64(q.Lblk), int64(r.Ret))
	if written {
		return r, No
	}
	p.nzReason = reason
	return r, Yes
}

// genericWriteChecks is ext4_generic_write_checks at the begin of a pass, all kernels. Its
// own tests (IS_IMMUTABLE, s_bitmap_maxbytes) are in writeChecks, inode.go.
func (p *procedure) genericWriteChecks(pass int, ck *Checks) (ok bool) {
	d := p.d
	d.Pass[pass].Mode = p.mode
	d.Passes = pass + 1
	if *ck, ok = p.w.Checks(pass); !ok {
		d.stop("the checks of this pass")
		return false
	}
	if why := ck.contradiction(p.c); why != "" {
		d.contradict(why)
		return false
	}
	d.step(stepChecks, pass, AnswerOf(ck.Count > 0), ck.Pos, ck.Count)
	if ck.Count <= 0 { // ret <= 0
		d.End, d.Ret, d.Reason, d.Mode = EndChecks, ck.Count, ReasonChecks, Unlocked
		d.Also = [2]Reason{}
		if ck.Count == 0 {
			d.Reason = ReasonEmpty
		}
		return false
	}
	return true
}

// bufferedWriteIter is ext4_buffered_write_iter, for all of a write or the rest of it; its
// test for NOWAIT is in shouldUseDio and rest. What it writes is not modelled.
func (o *Outcome) bufferedWriteIter(r Range, v Variant) {
	o.Fallback, o.FallbackDrain = r, v.Has(DrainFallback) // patch 2: inode_dio_wait
}

// dioWriteChecks is ext4_dio_write_checks: the checks of each pass, then the flags of
// iomap_dio_rw, then the timestamps. 6.12 and 7.2 have the same order of tests, with
// ext4_overwrite_io in place of ext4_dio_needs_zeroing.
func (p *procedure) dioWriteChecks() bool {
	d := p.d
	for pass := range MaxPasses { // the label restart
		var ck Checks
		if !p.genericWriteChecks(pass, &ck) {
			return false
		}
		p.extend = extendingIO(&ck) // before patch 4 after the alignment; neither reads the other
		d.extending(pass, &ck)
		p.unaligned = unalignedIO(ck.Pos, ck.Align, p.c.Blkbits)
		d.step(stepUnaligned, pass, p.unaligned, ck.Pos, int64(ck.Align.Bits))
		if p.unaligned == Unknown {
			d.stop("alignment of the iov_iter")
			return false
		}
		p.lookups(pass, &ck)
		d.examined(pass, p)
		if d.contradiction != "" {
			return false
		}
		if p.mode == Exclusive { // !*ilock_shared
			break
		}
		need := p.needsExclusive(pass, &ck)
		if need == No {
			break
		}
		if !p.restart(pass, need) {
			return false
		}
	}
	return p.settle()
}

// lookups asks for the blocks of the write in ext4_dio_write_checks.
func (p *procedure) lookups(pass int, ck *Checks) {
	aligned := p.unaligned == No
	switch {
	case p.has.Has(NeedsZeroing): // patch 4; an aligned pass leaves needs_zeroing as it is
		switch {
		case !aligned: // ext4_unaligned_io(inode, from, offset)
			p.needsZeroing(pass, ck)
		case pass > 0 && p.nz == Yes && p.has.Has(NowaitCachedZeroing):
			// 7.3 keeps the value: it initialises needs_zeroing outside restart. The code
			// of patch 8 was never published: it may clear what the first, unaligned pass
			// found. Only appends that race come here; they extend, so that nothing but
			// the drain depends on it.
			p.nz = Unknown
		}
	case p.has.Has(AlignedUnchecked) && aligned: // patch 3: not (unaligned_io || *extend): no lookup
		// Whether an aligned write that extends is still looked up does not matter to
		// the outcome, and is not known of the code between patch 3 and patch 4.
		if p.extend && ck.end() <= ck.ISize {
			pp := &p.d.Pass[pass]
			pp.MayLookUp = true
			pp.Queries[0] = wholeRange(ck, p.c.Blkbits)
		}
		p.overwrite, p.unwritten = Yes, No
	default: // before patch 3, and between patch 3 and patch 4 for unaligned writes
		p.overwriteIO(pass, ck)
	}
}

// needsExclusive is the condition of ext4_dio_write_checks by which the shared lock
// is given up for the exclusive one. The switch takes its operands one by one, because
// the first that holds is the reason.
func (p *procedure) needsExclusive(pass int, ck *Checks) Answer {
	d := p.d
	need, why := No, ReasonNone
	d.step(stepNosec, pass, AnswerOf(ck.Nosec), 0, 0)
	// !IS_NOSEC(inode) || *extend || needs_zeroing, and before patch 4
	// !IS_NOSEC(inode) || *extend || !overwrite || (unaligned_io && unwritten)
	switch {
	case !ck.Nosec: // !IS_NOSEC(inode): file_modified may change security info
		need, why = Yes, ReasonNosec
	case p.extend: // || *extend
		need, why = Yes, extendReason(ck)
	case p.has.Has(NeedsZeroing): // || needs_zeroing, since patch 4
		need, why = p.nz, p.nzReason
	case p.overwrite != Yes: // || !overwrite, before patch 4
		need, why = not(p.overwrite), ReasonNotOver
	case p.unaligned == Yes: // || (unaligned_io && unwritten), before patch 4
		need, why = p.unwritten, ReasonUnwritten
	}
	d.step(stepUpgrade, pass, need, 0, 0)
	p.because(pass, need, why)
	if need == Yes {
		p.alsoNeeds(ck)
	}
	return need
}

// restart takes the exclusive lock for another pass; NOWAIT gives up (N2).
func (p *procedure) restart(pass int, need Answer) bool {
	d := p.d
	if need == Unknown {
		d.stop("answer of a lookup")
		return false
	}
	if p.c.nowait() { // iocb->ki_flags & IOCB_NOWAIT
		d.again(pass, EndN2)
		return false
	}
	p.mode, d.Mode = Exclusive, Exclusive
	d.step(stepRestart, pass, Yes, 0, 0) // goto restart
	return true
}

// settle is the end of ext4_dio_write_checks, when no pass follows any more.
func (p *procedure) settle() bool {
	d := p.d
	d.Mode = p.mode
	if d.Reason == ReasonNone {
		p.exclusiveReason()
	}
	wait, drain := No, No
	switch {
	case p.has.Has(NeedsZeroing):
		d.Zeroing = p.nz
		if p.mode == Exclusive { // !*ilock_shared && (needs_zeroing || *extend)
			wait, drain = or(p.nz, AnswerOf(p.extend)), p.nz // if (needs_zeroing): inode_dio_wait(inode)
		}
	default: // before patch 4
		d.Zeroing = and(p.unaligned, or(not(p.overwrite), p.unwritten))
		if p.mode == Exclusive { // !*ilock_shared && (unaligned_io || *extend)
			// The drain: unaligned_io && (!overwrite || unwritten).
			wait, drain = or(p.unaligned, AnswerOf(p.extend)), d.Zeroing
		}
	}
	return p.dioFlags(wait, drain) && p.fileModified()
}

// dioFlags sets the waits of an exclusive holder: inode_dio_wait for other I/O in flight,
// IOMAP_DIO_FORCE_WAIT for its own. NOWAIT gives up (N3). The step before the test for
// NOWAIT is the condition around all three; the flag itself is set last, as in C.
func (p *procedure) dioFlags(wait, drain Answer) bool {
	d := p.d
	d.step(stepSync, d.Passes-1, wait, 0, 0)
	if p.c.nowait() { // iocb->ki_flags & IOCB_NOWAIT
		switch wait {
		case Yes:
			d.again(d.Passes-1, EndN3)
			return false
		case Unknown:
			d.stop("answer of a lookup")
			return false
		}
	}
	d.step(stepDrain, d.Passes-1, drain, 0, 0)
	d.Drain = drain    // inode_dio_wait(inode)
	d.ForceWait = wait // *dio_flags = IOMAP_DIO_FORCE_WAIT
	return true
}

// fileModified is file_modified, or kiocb_modified since patch 5.
func (p *procedure) fileModified() bool {
	d := p.d
	ret, ok := p.w.Modified()
	if !ok {
		d.stop("return value of " + d.Modifier.String())
		return false
	}
	d.step(stepModified, d.Passes-1, AnswerOf(ret >= 0), int64(ret), int64(d.Modifier))
	if ret >= 0 { // not: ret < 0
		return true
	}
	d.End, d.Ret, d.Reason, d.Mode = EndModified, int64(ret), ReasonModified, Unlocked
	d.Also = [2]Reason{}
	if ret == EAGAIN && p.c.nowait() && p.has.Has(KiocbModified) {
		// generic_update_time refuses under NOWAIT, because ext4 has a dirty_inode
		// operation. Privileges that would have to be removed give -EAGAIN there, too, and
		// are not told apart.
		d.again(d.Passes-1, EndN4)
		d.Reason = ReasonTimestamps
	}
	return false
}

// dioWriteIter is ext4_dio_write_iter.
func (p *procedure) dioWriteIter() {
	p.guess()
	if p.lock() && p.dioWriteChecks() { // not: ret <= 0
		p.iomapDioRw()
	}
}

// guess chooses the mode of the first lock, without holding one.
func (p *procedure) guess() {
	c := p.c
	beyond := c.Pos+c.Len > c.ISize // offset + count > i_size_read(inode)
	p.d.step(stepGuess, 0, AnswerOf(beyond), c.Pos+c.Len, c.ISize)
	if beyond {
		p.mode = Exclusive
	}
	if p.mode == Exclusive {
		// Here for 6.1, too, where an unaligned write comes exclusive. The mode of a write
		// that begins shared is known only at settle; no later step makes this one shared.
		p.d.Mode = Exclusive
	}
	p.d.step(stepFirstLock, 0, AnswerOf(p.mode == Exclusive), 0, 0)
}

// lock takes i_rwsem for the first time, and asks whether direct I/O is possible.
func (p *procedure) lock() bool {
	d := p.d
	if p.c.nowait() { // iocb->ki_flags & IOCB_NOWAIT: !inode_trylock_shared(inode), !inode_trylock(inode)
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
	return p.shouldUseDio()
}

// iomapDioRw is ext4_dio_write_iter from the orphan list to the call of iomap_dio_rw. What
// follows the call (ret == -ENOTBLK, the fallback) is failed and rest in submit.go; the
// end of I/O (ext4_dio_write_end_io with the conversion of extents, i_disksize and the
// removal from the orphan list, and the errors of each) is not modelled.
func (p *procedure) iomapDioRw() {
	p.orphanAdd()
	p.enterDioRw()
}

func (p *procedure) orphanAdd() {
	// if (extend): ext4_orphan_add, taken to succeed
	p.d.step(stepOrphan, p.d.Passes-1, AnswerOf(p.extend), 0, 0)
}

func (p *procedure) enterDioRw() {
	d := p.d
	d.End = EndDio
	d.Queue = and(p.c.Async, not(d.ForceWait))
	d.step(stepDio, d.Passes-1, AnswerOf(d.Mode == Exclusive), 0, 0)
}

// fileWriteIter is ext4_file_write_iter before it calls ext4_dio_write_iter.
func (d *Decision) fileWriteIter(w *Write, in *Inode) bool {
	l := &in.Limits
	d.Reason, d.End = ReasonEntry, EndEntry
	switch {
	case in.Shutdown: // ext4_emergency_state: -EIO
		d.Ret = -eio
	case in.EmergencyRO: // ext4_emergency_state: -EROFS
		d.Ret = -erofs
	case in.DAX: // IS_DAX(inode)
		d.End, d.Reason = EndDAX, ReasonDAX
	case w.Flags&IocbAtomic != 0 && // iocb->ki_flags & IOCB_ATOMIC
		(w.Len < l.AtomicMin || w.Len > l.AtomicMax || // s_awu_min, s_awu_max
			w.Len <= 0 || w.Len&(w.Len-1) != 0 || w.Pos&(w.Len-1) != 0): // generic_atomic_write_valid
		d.Ret = -einval
	default:
		return true
	}
	return false
}

// askWorld is a call of ext4_map_blocks in the check phase; the world answers.
func (p *procedure) askWorld(pass int, q Query) (Result, bool) {
	pp := &p.d.Pass[pass]
	r, ok := p.w.Lookup(pass, q)
	if pp.N < MaxQueries {
		pp.Queries[pp.N], pp.Rets[pp.N] = q, r.Ret
	}
	pp.N++
	if why := r.contradiction(q); ok && why != "" {
		p.d.contradict(why)
		return Result{}, false
	}
	if !ok {
		p.d.step(stepLookup, pass, Unknown, int64(q.Lblk), int64(q.Len))
	}
	return r, ok
}

// mapBlocks is ext4_map_blocks that only looks, (flags & EXT4_GET_BLOCKS_CREATE) == 0, for
// a known layout. It returns the value of m_len besides.
func (x Extents) mapBlocks(q Query, cache Cache, has Behaviours) (r Result, mlen uint32) {
	if q.Lblk == MaxBlocks { // map->m_lblk >= EXT_MAX_BLOCKS
		return Result{Ret: -efscorrupted}, q.Len
	}
	if cache == CacheCold && q.Flags&GetBlocksCachedNowait != 0 {
		// ext4_es_lookup_extent finds nothing, and flags & EXT4_GET_BLOCKS_CACHED_NOWAIT; a
		// hit returns at once (inode.c:761). A delayed block is a hit even here, with 0 and
		// EXT4_MAP_DELAYED. It reads as not written all the same, and it is in the page
		// cache, where iomap refuses NOWAIT (N5): no decision differs.
		if has.Has(CachedMissEagain) { // patch 6: -EAGAIN, where 0 reads as a hole
			return Result{Ret: EAGAIN}, q.Len
		}
		return Result{}, q.Len
	}
	e := x.At(q.Lblk, q.Len)
	if cache == CacheCold && (e.State == Written || e.State == Unwritten) {
		e.Len = min(e.Len, onDiskMax(e.State)) // ext4_ext_map_blocks
	}
	return Found(e.State, e.Len), e.Len
}

// SetIomap is ext4_set_iomap: the iomap of the blocks that ext4_map_blocks returned,
// from lblk on.
func SetIomap(lblk uint32, r Result) Mapping {
	m := Mapping{Lblk: lblk, Len: uint32(r.Ret), Type: IomapMapped}
	if r.MFlags&MapNew != 0 { // map->m_flags & EXT4_MAP_NEW
		m.Flags = IomapFNew
	}
	if r.MFlags&MapUnwritten != 0 { // map->m_flags & EXT4_MAP_UNWRITTEN, before EXT4_MAP_MAPPED
		m.Type = IomapUnwritten
	}
	return m
}

// iomapAlloc is ext4_iomap_alloc.
func (s *submission) iomapAlloc(first, n uint32) Mapping {
	if s.now && s.v.Has(NowaitNoAlloc) { // patch 1: flags & IOMAP_NOWAIT, before all else
		return Mapping{Err: EAGAIN}
	}
	n = min(n, maxAlloc) // map->m_len > DIO_MAX_BLOCKS
	flags := AllocFlags(s.v, int64(first)<<s.in.Blkbits, s.in.ISize, !s.in.Indirect)
	e := s.extents.At(first, n)
	r := Create(e.State, e.Len, flags)
	if r.Ret == 0 { // !m_flags && !ret: a hole of an inode without extents
		return Mapping{Err: ENOTBLK}
	}
	m := SetIomap(first, r)
	m.Alloc = flags
	return m
}

// allocFlags is the choice of m_flags in ext4_iomap_alloc.
func allocFlags(start, isize int64, extents bool) uint32 {
	switch {
	case start >= isize: // EXT4_LBLK_TO_B(inode, map->m_lblk) >= i_size_read(inode)
		return GetBlocksCreate
	case extents: // ext4_test_inode_flag(inode, EXT4_INODE_EXTENTS)
		return GetBlocksCreateUnwritExt
	default: // indirect blocks have no unwritten state
		return 0
	}
}

// iomapBegin is ext4_iomap_begin for all that is left of the write.
func (s *submission) iomapBegin() Mapping {
	first, asked := s.blocks()
	if s.end <= s.in.ISize { // offset + length <= i_size_read(inode)
		q := Query{Lblk: first, Len: asked, Flags: s.beginFlags()}
		r, _ := s.extents.mapBlocks(q, s.in.Cache, s.v.Behaviours())
		switch {
		case r.Ret < 0:
			// A shortcut: C has no test here, and calls ext4_iomap_alloc after an error,
			// too. That changes nothing: an error is -EFSCORRUPTED of a block that no write
			// has (contradiction.go), or -EAGAIN of patches 6 and 7 under NOWAIT, where
			// ext4_iomap_alloc returns -EAGAIN as well.
			return Mapping{Err: int(r.Ret)}
		case r.Ret > 0 && (!s.atomic() || r.covers(q)): // ret == orig_mlen || (!(flags & IOMAP_ATOMIC) && ret > 0)
			// In C inside another condition (inode.c:3804), which ret > 0 implies without DAX:
			// (map.m_flags & EXT4_MAP_MAPPED) || (!(flags & IOMAP_DAX) && (map.m_flags & EXT4_MAP_UNWRITTEN))
			return SetIomap(first, r)
		}
	}
	return s.iomapAlloc(first, asked) // map.m_len = orig_mlen
}

// beginFlags is the flags argument of the lookup in ext4_iomap_begin.
func (s *submission) beginFlags() uint32 {
	if s.now && s.v.Has(NowaitCachedBegin) { // patch 7: flags & IOMAP_NOWAIT
		return GetBlocksCachedNowait
	}
	return 0
}
