package model

// This file is the direct write of Linux 6.12 where it is not that of file7.go, and
// what 6.1 and 6.12 have in common: ext4_iomap_overwrite_ops, and extents that are
// split before the I/O.

// dioWriteIter612 is ext4_dio_write_iter from v6.5 to the end of 6.x. Its
// ext4_dio_write_checks is that of 7.2, which is in file7.go.
func (p *procedure) dioWriteIter612() {
	p.guess()
	if p.lock() && p.dioWriteChecks() {
		p.iomapDioRw6()
	}
}

// iomapDioRw6 is ext4_dio_write_iter of 6.x from the orphan list to the call of
// iomap_dio_rw, with the choice of the iomap_ops.
func (p *procedure) iomapDioRw6() {
	d := p.d
	p.orphanAdd()
	// ilock_shared, and since v6.3 !unwritten: an unwritten extent has to be split.
	d.Overwrite = p.mode == Shared && p.unwritten != Yes
	d.step(stepOps, d.Passes-1, AnswerOf(d.Overwrite), 0, 0)
	p.enterDioRw()
}

// fileWriteIter6 is ext4_file_write_iter of 6.x, without atomic writes and without
// the state that is read-only after an error.
func (d *Decision) fileWriteIter6(in *Inode) bool {
	d.Reason, d.End = ReasonEntry, EndEntry
	switch {
	case in.Shutdown: // ext4_forced_shutdown
		d.Ret = -eio
	case in.DAX: // IS_DAX(inode)
		d.End, d.Reason = EndDAX, ReasonDAX
	default:
		return true
	}
	return false
}

// allocFlags6 is the choice of m_flags in ext4_iomap_alloc of 6.x: an extent is split
// before the I/O.
func allocFlags6(start, isize int64, extents bool) uint32 {
	if flags := allocFlags(start, isize, extents); flags != GetBlocksCreateUnwritExt {
		return flags
	}
	return GetBlocksIOCreateExt
}

// iomapBegin6 is ext4_iomap_begin of 6.x, or ext4_iomap_overwrite_begin.
func (s *submission) iomapBegin6() Mapping {
	first, asked := s.blocks()
	if s.end <= s.in.ISize || s.out.Decision.Overwrite {
		q := Query{Lblk: first, Len: asked, Flags: s.beginFlags()}
		r, mlen := s.extents.mapBlocks(q, s.in.Cache, s.v.Behaviours())
		switch {
		case r.Ret < 0:
			// Of ext4_iomap_overwrite_begin this is the test at the end of ext4_iomap_begin,
			// ret < 0. For other writes it is a shortcut: C calls ext4_iomap_alloc after an
			// error, too. That changes nothing: the only error is -EFSCORRUPTED of a block
			// that no write has (contradiction.go).
			return Mapping{Err: int(r.Ret)}
		case r.Ret > 0 && (s.out.Decision.Overwrite || r.MFlags&MapMapped != 0):
			return SetIomap(first, r) // ret > 0 && (map.m_flags & EXT4_MAP_MAPPED)
		}
		asked = mlen // map.m_len stays as short as the lookup left it
	}
	return s.iomapAlloc(first, asked)
}
