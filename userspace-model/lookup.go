package model

// unalignedIO is ext4_unaligned_io: position, segment addresses and segment
// lengths against the block size, which is not the cluster or sector size.
func unalignedIO(pos int64, a Alignment, blkbits uint8) Answer {
	mask := int64(1)<<blkbits - 1
	if pos&mask != 0 {
		return Yes
	}
	if !a.Known {
		return Unknown
	}
	return AnswerOf(int64(a.Bits)&mask != 0)
}

// wholeRange is the lookup that ext4_overwrite_io makes: all blocks that the
// write touches (EXT4_MAX_BLOCKS).
func wholeRange(ck *Checks, blkbits uint8) Query {
	first := ck.Pos >> blkbits
	last := (ck.end() + 1<<blkbits - 1) >> blkbits
	return Query{Lblk: uint32(first), Len: uint32(last - first)}
}

// lookup makes one ext4_map_blocks call.
func (p *procedure) lookup(pass int, q Query) (Result, bool) {
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

// overwriteIO is ext4_overwrite_io: one lookup of the whole range sees one
// mapping, so a write over two extents is no overwrite.
func (p *procedure) overwriteIO(pass int, ck *Checks) {
	p.overwrite, p.unwritten = No, No
	if ck.end() > ck.ISize {
		return // without a lookup
	}
	q := wholeRange(ck, p.c.Blkbits)
	r, ok := p.lookup(pass, q)
	if !ok {
		p.overwrite, p.unwritten = Unknown, Unknown
		return
	}
	whole := r.Ret > 0 && uint32(r.Ret) == q.Len
	mapped := r.MFlags&MapMapped != 0
	if !p.has.Has(OverwriteUnwritten) {
		p.overwrite = AnswerOf(whole && mapped)
		p.d.step(stepOverwrite, pass, p.overwrite, int64(q.Len), int64(r.Ret))
		return
	}
	p.overwrite = AnswerOf(whole)
	p.d.step(stepOverwrite, pass, p.overwrite, int64(q.Len), int64(r.Ret))
	if whole {
		p.unwritten = AnswerOf(!mapped)
		p.d.step(stepUnwritten, pass, p.unwritten, 0, 0)
	}
}

// needsZeroing is ext4_dio_needs_zeroing (07961ebb09c9): does a partial head or
// tail block have to be zeroed around the data? An error or a delayed block
// counts as yes. Blocks in the middle do not matter.
func (p *procedure) needsZeroing(pass int, ck *Checks) {
	p.nz = p.partialUnwritten(pass, ck)
	p.d.step(stepNeedsZeroing, pass, p.nz, 0, 0)
}

func (p *procedure) partialUnwritten(pass int, ck *Checks) Answer {
	if ck.end() > ck.ISize {
		p.nzReason = ReasonExtending
		return Yes
	}
	b := p.c.Blkbits
	mask := int64(1)<<b - 1
	headPartial, tailPartial := ck.Pos&mask != 0, ck.end()&mask != 0
	head, tail := ck.Pos>>b, (ck.end()-1)>>b
	var flags uint32
	if p.has.Has(NowaitCachedZeroing) && p.c.nowait() {
		flags = GetBlocksCachedNowait // patch 8: a miss counts as not written
	}
	if headPartial {
		// The lookup asks up to the tail, so that one mapping can answer for both.
		r, need := p.partial(pass, stepHead, Query{uint32(head), uint32(tail - head + 1), flags}, ReasonHead)
		if need != No || !tailPartial || head+int64(r.Ret) > tail {
			return need
		}
	}
	if tailPartial {
		_, need := p.partial(pass, stepTail, Query{uint32(tail), 1, flags}, ReasonTail)
		return need
	}
	return No
}

// partial looks up a partial block, which has to be zeroed unless it is written.
func (p *procedure) partial(pass int, step StepID, q Query, reason Reason) (Result, Answer) {
	r, ok := p.lookup(pass, q)
	if !ok {
		return r, Unknown
	}
	p.d.step(step, pass, AnswerOf(r.written()), int64(q.Lblk), int64(r.Ret))
	if r.written() {
		return r, No
	}
	p.nzReason = reason
	return r, Yes
}
