package model

// This file says why the lock has its mode, in words that are not the kernel's.

// extending notes the two tests of ext4_extending_io.
func (d *Decision) extending(pass int, ck *Checks) {
	d.step(stepExtendSize, pass, AnswerOf(ck.end() > ck.ISize), ck.end(), ck.ISize)
	d.step(stepExtendDisk, pass, AnswerOf(ck.end() > ck.IDisksize), ck.end(), ck.IDisksize)
}

// examined notes what the tests of a pass found.
func (d *Decision) examined(pass int, p *procedure) {
	d.Pass[pass].Unaligned, d.Pass[pass].Extend = p.unaligned, p.extend
	d.Extend = p.extend
}

// because notes what the condition for the exclusive lock came to: why it holds, or
// why it does not.
func (p *procedure) because(pass int, need Answer, why Reason) {
	switch need {
	case No:
		why = p.sharedReason(pass)
	case Unknown:
		why = ReasonNone
	}
	p.d.Reason, p.d.Also = why, [2]Reason{}
}

// alsoNeeds notes the other operands of the condition that hold.
func (p *procedure) alsoNeeds(ck *Checks) {
	if p.extend {
		p.d.also(extendReason(ck))
	}
	switch {
	case p.has.Has(NeedsZeroing):
		p.alsoZeroing()
	case p.overwrite == No:
		p.d.also(ReasonNotOver)
	case p.unaligned == Yes && p.unwritten == Yes:
		p.d.also(ReasonUnwritten)
	}
}

// alsoZeroing notes that the rest of a partial block has to be zeroed, if it has. That a
// write extends is noted already.
func (p *procedure) alsoZeroing() { p.d.also(p.nzReason) }

func extendReason(ck *Checks) Reason {
	if ck.end() > ck.ISize {
		return ReasonExtending
	}
	return ReasonDisksize
}

// sharedReason names why the shared lock is enough.
func (p *procedure) sharedReason(pass int) Reason {
	switch {
	case p.unaligned == No && p.has.Has(UnalignedShared|AlignedUnchecked):
		return ReasonAligned
	case !p.has.Has(UnalignedShared | NeedsZeroing):
		return ReasonOverwrite
	case p.d.Pass[pass].N == 0:
		return ReasonNoPartial
	default:
		return ReasonWritten
	}
}

// exclusiveReason names why the first lock was exclusive.
func (p *procedure) exclusiveReason() {
	p.d.Reason = ReasonGuess
	if p.extend {
		p.d.Reason = ReasonExtending
	}
	p.alsoZeroing()
}

// Reasons are all that there are.
func Reasons() []Reason {
	return []Reason{
		ReasonOverwrite, ReasonAligned, ReasonWritten, ReasonNoPartial, ReasonGuess, ReasonUnaligned, ReasonExtending, ReasonDisksize,
		ReasonNosec, ReasonHead, ReasonTail, ReasonNotOver, ReasonUnwritten, ReasonTrylock, ReasonNoDio, ReasonInline, ReasonJournal,
		ReasonVerity, ReasonEncrypted, ReasonEmpty, ReasonChecks, ReasonTimestamps, ReasonModified, ReasonEntry, ReasonDAX,
	}
}
