package model

// SubmitEnd is how iomap_dio_rw, and what follows it, ended.
type SubmitEnd uint8

// Ends of a submission. N5 and N6 are the labels of -EAGAIN points.
const (
	SubmitNone     SubmitEnd = iota // iomap_dio_rw was not entered
	SubmitDone                      // every byte was submitted
	SubmitN5                        // NOWAIT, and pages are in the page cache
	SubmitN6                        // ext4_iomap_begin returned -EAGAIN
	SubmitAtomic                    // an atomic write whose pages cannot be dropped: -EAGAIN
	SubmitFallback                  // the rest goes to ext4_buffered_write_iter
	SubmitError                     // any other error
	SubmitUnknown                   // not modelled: blocks for an atomic write
)

var submitEndNames = [...]string{
	"not entered", "direct I/O", "N5", "N6", "atomic, page cache", "buffered fallback", "error",
	"not known: blocks for an atomic write",
}

func (e SubmitEnd) String() string {
	if int(e) < len(submitEndNames) {
		return submitEndNames[e]
	}
	return "error"
}

// maxAlloc is the most blocks that one ext4_iomap_alloc asks for (DIO_MAX_BLOCKS).
const maxAlloc = 4096

// Mapping is what one call of ext4_iomap_begin gives.
type Mapping struct {
	Lblk, Len uint32 // blocks; not set when Err is
	Type      uint16 // IomapMapped or IomapUnwritten
	Flags     uint16 // IomapFNew or 0
	Alloc     uint32 // flags of the ext4_map_blocks call that allocated, 0 for none
	Err       int    // negative errno
}

// Submission is what a write does from iomap_dio_rw to its end.
type Submission struct {
	Ended    SubmitEnd
	Mappings []Mapping
	Zeroed   []Range // partial blocks that are filled with zeroes
	Fallback Range   // bytes handed to ext4_buffered_write_iter
	// FallbackDrain says that ext4_buffered_write_iter calls inode_dio_wait.
	FallbackDrain bool
	Queued        bool // the write function returns -EIOCBQUEUED
	// Result is what the caller gets in the end, for a queued write from its
	// completion: bytes or a negative errno. It is not set for SubmitUnknown.
	Result int64
}

// Outcome is everything that a variant does with a write to a known inode.
type Outcome struct {
	Decision
	Submission
}

// Predict fills out with what variant v does with write w to the inode in. The
// error wraps ErrFact and names a fact that cannot be; out is then not decided.
func Predict(out *Outcome, w *Write, in *Inode, v Variant) error {
	*out = Outcome{Submission: Submission{Mappings: out.Mappings[:0], Zeroed: out.Zeroed[:0]}}
	c := w.call(in)
	if err := in.check(); err != nil {
		return err
	}
	if why := c.contradiction(); why != "" {
		return factError(why)
	}
	if enter(&out.Decision, w, in, v) {
		l := layout{in: in, w: w, v: v, call: &c, left: w.Len}
		Decide(&out.Decision, &c, &l, v)
		if out.End == EndDio {
			s := submission{out: out, w: w, in: in, v: v, now: c.nowait()}
			s.run(l.left)
			return nil
		}
	}
	out.Result = out.Ret
	switch out.End {
	case EndN0:
		out.Reason = RefusedFor(in.Direct)
	case EndBuffered:
		out.Reason = RefusedFor(in.Direct)
		out.buffered(Range{w.Pos, w.Len}, v)
		if _, out.Result = in.writeChecks(w, w.Len); out.Result <= 0 {
			out.Ret = out.Result
		}
	case EndUnknown:
		if why, ok := out.Contradiction(); ok {
			return factError(why)
		}
	}
	return nil
}

// enter is ext4_file_write_iter before the direct path: it reports whether that
// is reached.
func enter(d *Decision, w *Write, in *Inode, v Variant) bool {
	*d = Decision{Variant: v, Reason: ReasonEntry, End: EndEntry}
	l := &in.Limits
	switch {
	case in.Shutdown:
		d.Ret = -eio
	case in.EmergencyRO && v.Has(SingleOps):
		d.Ret = -erofs
	case in.DAX:
		d.End, d.Reason = EndDAX, ReasonDAX
	case w.Flags&IocbAtomic != 0 && v.Has(SingleOps) &&
		(w.Len < l.AtomicMin || w.Len > l.AtomicMax || w.Len <= 0 || w.Len&(w.Len-1) != 0 || w.Pos&(w.Len-1) != 0):
		d.Ret = -einval
	default:
		return true
	}
	return false
}

func (o *Outcome) buffered(r Range, v Variant) {
	o.Fallback, o.FallbackDrain = r, v.Has(DrainFallback)
}

// submission walks __iomap_dio_rw over a known layout.
type submission struct {
	out *Outcome
	w   *Write
	in  *Inode
	v   Variant
	now bool // NOWAIT

	pos, end int64
	extents  Extents // after the page cache was written back
	bios     bool    // some I/O of this write is in flight
}

func (s *submission) run(count int64) {
	s.pos = s.in.Start(s.w)
	s.end = s.pos + count
	if !s.invalidate() {
		return
	}
	for s.pos < s.end {
		m := s.begin()
		if m.Alloc != 0 && s.atomic() {
			// ext4_iomap_alloc then looks for one mapping of the whole write, and makes
			// one by a slow path if it has to.
			s.out.Ended = SubmitUnknown
			return
		}
		s.out.Mappings = append(s.out.Mappings, m)
		if m.Err != 0 {
			s.failed(m.Err)
			return
		}
		if !s.submit(m) {
			s.failed(-einval)
			return
		}
	}
	s.out.Ended, s.out.Result = SubmitDone, count
	s.out.Queued = s.out.Decision.Queue == Yes && s.bios
}

// invalidate is kiocb_invalidate_pages: NOWAIT refuses pages, clean ones too;
// otherwise they are written back and dropped.
func (s *submission) invalidate() bool {
	b := s.in.Blkbits
	first, last := uint32(s.pos>>b), uint32((s.end-1)>>b)
	s.extents = s.in.Extents
	if !s.in.Cached && !s.in.Extents.delayed(first, last) {
		return true
	}
	out := s.out
	switch {
	case s.now:
		out.Ended, out.Result = SubmitN5, EAGAIN
	case !s.in.InvalidateFails:
		s.extents = s.in.Extents.flushed(first, last)
		return true
	case s.atomic():
		out.Ended, out.Result = SubmitAtomic, EAGAIN
	default:
		s.rest()
	}
	return false
}

// atomic reports whether the write has to be one piece on the device (7.x).
func (s *submission) atomic() bool { return s.w.Flags&IocbAtomic != 0 && s.v.Has(SingleOps) }

// begin is ext4_iomap_begin, or ext4_iomap_overwrite_begin, for all that is left.
func (s *submission) begin() Mapping {
	b := s.in.Blkbits
	first := uint32(s.pos >> b)
	asked := uint32((s.end-1)>>b) - first + 1
	n := asked
	if s.end <= s.in.ISize || s.out.Decision.Overwrite {
		q := Query{Lblk: first, Len: asked}
		if s.now && s.v.Has(NowaitCachedBegin) {
			q.Flags = GetBlocksCachedNowait // patch 7
		}
		r, found := s.extents.lookup(q, s.in.Cache)
		if r.Ret < 0 {
			return Mapping{Err: int(r.Ret)}
		}
		if s.usable(r, asked) {
			return MappingOf(first, r)
		}
		if !s.v.Has(SplitAtEndIO) {
			n = found // 6.x asks ext4_iomap_alloc only for what the lookup left in m_len
		}
	}
	return s.alloc(first, n)
}

// usable reports whether ext4_iomap_begin takes the answer of its lookup as it is.
func (s *submission) usable(r Result, asked uint32) bool {
	switch {
	case r.Ret <= 0:
		return false
	case s.atomic() && uint32(r.Ret) != asked:
		return false // an atomic write needs one mapping
	case s.v.Has(SplitAtEndIO) || s.out.Decision.Overwrite:
		return true // an unwritten extent is split at end_io
	}
	return r.MFlags&MapMapped != 0
}

// MappingOf is the iomap that ext4_set_iomap makes of the blocks that ext4_map_blocks
// returned, from lblk on.
func MappingOf(lblk uint32, r Result) Mapping {
	m := Mapping{Lblk: lblk, Len: uint32(r.Ret), Type: IomapMapped}
	if r.MFlags&MapUnwritten != 0 {
		m.Type = IomapUnwritten // ext4_set_iomap tests it first
	}
	if r.MFlags&MapNew != 0 {
		m.Flags = IomapFNew
	}
	return m
}

// alloc is ext4_iomap_alloc.
func (s *submission) alloc(first, n uint32) Mapping {
	if s.now && s.v.Has(NowaitNoAlloc) {
		return Mapping{Err: EAGAIN} // patch 1, before anything else
	}
	n = min(n, maxAlloc)
	flags := AllocFlags(s.v, int64(first)<<s.in.Blkbits, s.in.ISize, !s.in.Indirect)
	e := s.extents.At(first, n)
	r := Create(e.State, e.Len, flags)
	if r.Ret == 0 {
		return Mapping{Err: ENOTBLK} // only without extents and with no flags
	}
	m := MappingOf(first, r)
	m.Alloc = flags
	return m
}

// Create is what ext4_map_blocks returns for n blocks in state s, given the flags of
// ext4_iomap_alloc. A hole is taken to be filled up to the next block that is there.
func Create(s BlockState, n, flags uint32) Result {
	ret := int32(n)
	switch {
	case s == Written:
		return Result{Ret: ret, MFlags: MapMapped}
	case flags == 0:
		return Result{}
	case flags == GetBlocksCreate:
		return Result{Ret: ret, MFlags: MapMapped | MapNew}
	case s == Unwritten && flags == GetBlocksCreateUnwritExt:
		return Result{Ret: ret, MFlags: MapUnwritten}
	}
	return Result{Ret: ret, MFlags: MapUnwritten | MapMapped | MapNew}
}

// submit is iomap_dio_bio_iter over the part of the write that m maps: zeroes
// before and after the data, where a partial block calls for them. It reports
// whether the device can take it.
func (s *submission) submit(m Mapping) bool {
	b := s.in.Blkbits
	end := min(s.end, int64(uint64(m.Lblk)+uint64(m.Len))<<b)
	if sector := s.in.Limits.SectorSize; sector > 1 && (s.pos|(end-s.pos))&(sector-1) != 0 {
		return false
	}
	for _, r := range [...]Range{Head(s.pos, b, m.Type, m.Flags), Tail(end, s.in.ISize, b, m.Type, m.Flags)} {
		if r.Len > 0 {
			s.out.Zeroed = append(s.out.Zeroed, r)
		}
	}
	s.pos, s.bios = end, true
	return true
}

// failed ends the submission with an error of a mapping. What is in flight is
// waited for, unless the write may be queued; its bytes are not reported.
func (s *submission) failed(err int) {
	out := s.out
	if err == ENOTBLK {
		s.rest()
		return
	}
	out.Ended, out.Result = SubmitError, int64(err)
	if err == EAGAIN && s.now {
		out.Ended = SubmitN6
	}
	out.Queued = out.Decision.Queue == Yes && s.bios
}

// rest is the way of what direct I/O left: through the page cache, which NOWAIT
// is refused.
func (s *submission) rest() {
	out := s.out
	out.Ended = SubmitFallback
	if s.now {
		out.Result = EOPNOTSUPP
		return
	}
	out.buffered(Range{s.pos, s.end - s.pos}, s.v)
	out.Result = s.end - s.in.Start(s.w)
}
