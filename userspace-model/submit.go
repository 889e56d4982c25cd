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

// Text says how the submission ended; of a NOWAIT write that was refused the error, what
// for, and the label.
func (e SubmitEnd) Text() string {
	switch e {
	case SubmitN5:
		return "-EAGAIN: the range is in the page cache (N5)"
	case SubmitN6:
		return "-EAGAIN: no allocation, and no mapping that is not in the extent cache (N6)"
	}
	return e.String()
}

// maxAlloc is the most blocks that one ext4_iomap_alloc asks for (DIO_MAX_BLOCKS).
const maxAlloc = 4096

// Mapping is the result of one call of ext4_iomap_begin.
type Mapping struct {
	Lblk, Len uint32 // blocks; not set when Err is
	Type      uint16 // IomapMapped or IomapUnwritten
	Flags     uint16 // IomapFNew or 0
	Alloc     uint32 // flags of the call that ext4_iomap_alloc made, 0 for none
	Err       int    // negative errno
}

// Submission is the part of a write from iomap_dio_rw to its end.
type Submission struct {
	Ended    SubmitEnd
	Mappings []Mapping
	Zeroed   []Range // partial blocks that are filled with zeroes
	Fallback Range   // bytes handed to ext4_buffered_write_iter
	// FallbackDrain says that ext4_buffered_write_iter calls inode_dio_wait.
	FallbackDrain bool
	Queued        bool // the write function returns -EIOCBQUEUED
	// Result is what the caller gets in the end, for a queued write from its
	// completion: bytes or a negative errno. It is not set for SubmitUnknown. The device
	// and ext4_dio_write_end_io are taken to succeed, and the fallback to write all.
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
	out.Variant = v
	if out.enter(w, in) {
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
		out.bufferedWriteIter(Range{w.Pos, w.Len}, v)
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

// enter is ext4_file_write_iter: it reports whether ext4_dio_write_iter is called.
func (d *Decision) enter(w *Write, in *Inode) bool {
	if d.Variant.Has(SingleOps) {
		return d.fileWriteIter(w, in)
	}
	return d.fileWriteIter6(in)
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
	default: // iomap_dio_rw returns it, and ext4_dio_write_iter asks: ret == -ENOTBLK
		s.rest()
	}
	return false
}

// atomic reports whether the write has to be one piece on the device (7.x).
func (s *submission) atomic() bool { return s.w.Flags&IocbAtomic != 0 && s.v.Has(SingleOps) }

// begin is the call of the variant's iomap_ops for all that is left.
func (s *submission) begin() Mapping {
	if s.v.Has(SplitAtEndIO) {
		return s.iomapBegin()
	}
	return s.iomapBegin6()
}

// blocks are those of the write that are left.
func (s *submission) blocks() (first, n uint32) {
	first = uint32(s.pos >> s.in.Blkbits)
	return first, uint32((s.end-1)>>s.in.Blkbits) - first + 1
}

// Create is what ext4_map_blocks returns for n blocks in state s, given the flags of
// ext4_iomap_alloc. A hole is taken to be filled up to the next block that is there; the
// border of an indirect block does not end it here.
func Create(s BlockState, n, flags uint32) Result {
	ret := int32(n)
	switch {
	case s == Written:
		return Result{Ret: ret, MFlags: MapMapped}
	case flags == 0:
		return Result{}
	case flags == GetBlocksCreate:
		return Result{Ret: ret, MFlags: MapMapped | MapNew}
	case s == Unwritten && flags == GetBlocksCreateUnwritExt: // flags & EXT4_GET_BLOCKS_UNWRIT_EXT
		// The kernel sets EXT4_MAP_MAPPED as well (extents.c:4076). Nothing reads it here:
		// SetIomap asks for EXT4_MAP_UNWRITTEN first.
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

// failed ends the submission with an error of a mapping. iomap_dio_rw waits for I/O in
// flight, unless the write may be queued; bytes already written are not reported.
func (s *submission) failed(err int) {
	out := s.out
	if err == ENOTBLK { // __iomap_dio_rw: ret == -ENOTBLK; it returns what was written
		s.rest()
		return
	}
	out.Ended, out.Result = SubmitError, int64(err)
	if err == EAGAIN && s.now {
		out.Ended = SubmitN6
	}
	out.Queued = out.Decision.Queue == Yes && s.bios
}

// rest is the end of ext4_dio_write_iter: it hands the bytes that direct I/O left to
// ext4_buffered_write_iter, which refuses NOWAIT. It is called where this holds:
// ret >= 0 && iov_iter_count(from).
func (s *submission) rest() {
	out := s.out
	out.Ended = SubmitFallback
	if s.now { // ext4_buffered_write_iter: iocb->ki_flags & IOCB_NOWAIT
		out.Result = EOPNOTSUPP
		return
	}
	out.bufferedWriteIter(Range{s.pos, s.end - s.pos}, s.v)
	out.Result = s.end - s.in.Start(s.w)
}
