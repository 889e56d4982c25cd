package model

// This file is the direct write of Linux 6.1 where it is not that of file7.go.

// dioWriteIter61 is ext4_dio_write_iter up to v6.4: an unaligned write takes the
// exclusive lock at once.
func (p *procedure) dioWriteIter61() {
	c := p.c
	// ext4_unaligned_io(inode, from, offset), by the position of the caller: IOCB_APPEND
	// moves it later, and the answer stays.
	p.unaligned = unalignedIO(c.Pos, c.Align, c.Blkbits)
	p.d.step(stepUnalignedEntry, 0, p.unaligned, c.Pos, int64(c.Align.Bits))
	if p.unaligned == Yes { // ilock_shared = !unaligned_io
		p.mode = Exclusive
	}
	p.guess()
	if p.lock() && p.dioWriteChecks61() {
		p.iomapDioRw6()
	}
}

// dioWriteChecks61 is ext4_dio_write_checks up to v6.4, with what followed it in
// ext4_dio_write_iter.
func (p *procedure) dioWriteChecks61() bool {
	d := p.d
	if p.unaligned == Unknown {
		d.stop("alignment of the iov_iter at entry")
		return false
	}
	for pass := range MaxPasses { // the label restart
		var ck Checks
		if !p.genericWriteChecks(pass, &ck) {
			return false
		}
		d.extending(pass, &ck)
		p.extend = p.extend || extendingIO(&ck) // *extend = true; no pass clears it
		p.overwrite, p.unwritten = No, No
		if p.mode == Shared && ck.Nosec && !p.extend { // the last operand of the condition
			p.overwriteIO(pass, &ck)
		}
		d.examined(pass, p)
		if d.contradiction != "" {
			return false
		}
		if p.mode == Exclusive { // !*ilock_shared
			break
		}
		need := p.needsExclusive61(pass, &ck)
		if need == No {
			break
		}
		if !p.restart(pass, need) {
			return false
		}
	}
	d.Mode = p.mode
	if d.Reason == ReasonNone {
		p.exclusiveReason61()
	}
	if !p.fileModified() { // before the test for NOWAIT
		return false
	}
	// IOMAP_DIO_FORCE_WAIT: unaligned_io || extend. inode_dio_wait: unaligned_io.
	d.Zeroing = p.unaligned
	return p.dioFlags(or(p.unaligned, AnswerOf(p.extend)), p.unaligned)
}

// needsExclusive61 is the condition of ext4_dio_write_checks by which the shared lock
// is given up.
func (p *procedure) needsExclusive61(pass int, ck *Checks) Answer {
	d := p.d
	need, why := No, ReasonNone
	d.step(stepNosec, pass, AnswerOf(ck.Nosec), 0, 0)
	switch {
	case !ck.Nosec: // !IS_NOSEC(inode)
		need, why = Yes, ReasonNosec
	case p.extend: // || *extend
		need, why = Yes, extendReason(ck)
	case p.overwrite != Yes: // || !ext4_overwrite_io(inode, offset, count)
		need, why = not(p.overwrite), ReasonNotOver
	}
	d.step(stepUpgrade, pass, need, 0, 0)
	p.because(pass, need, why)
	if p.extend {
		d.also(extendReason(ck))
	}
	return need
}

// exclusiveReason61 names why the first lock was exclusive.
func (p *procedure) exclusiveReason61() {
	p.exclusiveReason()
	if p.unaligned == Yes {
		p.d.Reason = ReasonUnaligned
	}
	if p.extend {
		p.d.also(ReasonExtending)
	}
}
