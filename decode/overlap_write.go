package decode

import (
	"github.com/ext4dio/ext4dio-trace/record"
)

// flight is the direct I/O of one write: which bytes it wrote, and when it was
// certainly in flight, that is, counted in i_dio_count.
type flight struct {
	ref      WriteRef
	pos, end int64  // bytes of the file
	from     uint64 // first mapping, ns, up to stepError too early
	to       uint64 // completion, or the last step under the lock, ns
	// extends is set for an aligned extending write that did not drain.
	extends bool
}

// act is one zeroing or one fallback copy that can overlap with a flight.
type act struct {
	kind     OverlapKind
	pos, end int64  // the block, or the pages, bytes
	unit     int64  // size of a block, or of a page
	at       uint64 // ns, up to stepError too early
	until    uint64 // when its write was over, for OverlapUnwaited and OverlapEOF
}

// acts are those of one write: a head and a tail, each of at most two kinds, or a
// copy.
type acts struct {
	ref  WriteRef
	n    int
	list [4]act
	// more is set when there were others, which no kernel makes.
	more bool
}

const (
	// stepError is how much later than its time a step may have been: the time is cut
	// to microseconds.
	stepError = 999
	// clockError is how far the clocks of two CPUs are trusted to differ at most.
	clockError = 1000

	maxSubmitNs = 4294 * 1e9 // beyond it the times of steps wrap
	maxTime     = 1 << 62

	// minPage is the smallest page of any architecture. With larger pages more writes
	// overlap; those are not certain without knowing the size.
	minPage = 4096

	iocbDsync = 0x2 | 0x4 // IOCB_DSYNC, IOCB_SYNC
)

// certainlyBefore reports whether a step at a was before the instant b, both ns.
func certainlyBefore(a, b uint64) bool { return a+stepError+clockError < b }

// meets reports whether f was certainly there when the act happened.
func (a *act) meets(f *flight) bool {
	if f.pos >= a.end || f.end <= a.pos {
		return false
	}
	switch a.kind {
	case OverlapZeroed, OverlapFallback:
		return certainlyBefore(f.from, a.at) && certainlyBefore(a.at, f.to)
	case OverlapEOF:
		if !f.extends {
			return false
		}
	}
	return certainlyBefore(a.at, f.from) && certainlyBefore(f.from, a.until)
}

// last is the latest instant at which one of the acts can meet a flight.
func (a *acts) last() uint64 {
	var t uint64
	for i := range a.n {
		t = max(t, a.list[i].at, a.list[i].until)
	}
	return t
}

// before reports whether one of the acts may have met a flight that lasted until t.
func (a *acts) before(t uint64) bool {
	for i := range a.n {
		if certainlyBefore(a.list[i].at, t) {
			return true
		}
	}
	return false
}

// timed reports whether the times of o can be relied on.
func (o *Observation) timed() bool {
	return o.Time < maxTime && o.SubmitNs < maxSubmitNs && o.LatencyNs < maxTime &&
		o.lastStep() <= o.Time+o.SubmitNs
}

// at is the time of a step of o, ns.
func (o *Observation) at(us uint32) uint64 { return o.Time + uint64(us)*1000 }

// lastStep is the time of the last step that o made with its direct I/O counted: a
// mapping or a zeroing.
func (o *Observation) lastStep() uint64 {
	var us uint32
	for i := range o.Mappings {
		us = max(us, o.Mappings[i].AtUs)
	}
	for i := range o.Zeroed {
		us = max(us, o.Zeroed[i].AtUs)
	}
	return o.at(us)
}

// ended is until when the direct I/O of o was seen in flight. The return of a
// synchronous write comes after its unlock, so it is no such instant. Neither is
// the completion of a write that is synced to the disk after its direct I/O.
func (o *Observation) ended() (t uint64, completion bool) {
	if o.Queued && o.Completed && o.Flags&iocbDsync == 0 {
		return o.Time + o.LatencyNs, true
	}
	return o.lastStep(), false
}

// fill makes r the name of o.
func (r *WriteRef) fill(o *Observation) {
	r.ID, r.Time, r.Tid, r.Pos, r.Len = o.ID, o.Time, o.Tid, o.Pos0, o.Len0
	if p := o.lastPass(); p != nil && p.Count > 0 {
		r.Pos = p.Pos
	}
}

// directBytes is how much of o was certainly written by direct I/O, from the
// position of its last pass on.
func (o *Observation) directBytes() int64 {
	p := o.lastPass()
	if !o.Dio || p == nil || p.Count <= 0 || !o.Completed || o.Ret <= 0 {
		return 0
	}
	n := min(o.Ret, p.Count)
	if o.Buffered != nil {
		n = min(n, o.Buffered.Pos-p.Pos)
	}
	return n
}

// flightState says what is known of the direct I/O of a write.
type flightState uint8

const (
	flightNone    flightState = iota // nothing that was certainly written
	flightUnknown                    // not when
	flightPlaced
)

// fill makes f the direct I/O of o.
func (f *flight) fill(o *Observation) flightState {
	n := o.directBytes()
	if n <= 0 {
		return flightNone
	}
	if len(o.Mappings) == 0 || !o.timed() {
		return flightUnknown
	}
	p := o.lastPass()
	f.ref.fill(o)
	f.pos, f.end, f.from = p.Pos, p.Pos+n, o.at(o.Mappings[0].AtUs)
	f.to, _ = o.ended()
	f.extends = false
	if o.Lock == record.LockExclusive && o.Drain == nil && p.Pos+p.Count > p.ISize {
		unaligned, known := o.Unaligned()
		f.extends = known && !unaligned
	}
	return flightPlaced
}

// fill makes a what o did that another write can overlap with. On a kernel that
// keeps the rules that is nothing, or a tail by E-eof.
func (a *acts) fill(o *Observation, c Conditions) {
	a.n, a.more = 0, false
	if len(o.Zeroed) == 0 && o.Buffered == nil || !o.timed() {
		return
	}
	if p := o.lastPass(); p != nil && o.Dio && p.Count > 0 {
		for i := range o.Zeroed {
			a.addZeroed(o, &o.Zeroed[i], p, c)
		}
	}
	if R5.probed(c.Unprobed) != 0 {
		a.addCopy(o)
	}
	if a.n > 0 {
		a.ref.fill(o)
	}
}

func (a *acts) add(x act) {
	if a.n < len(a.list) {
		a.list[a.n] = x
		a.n++
	} else {
		a.more = true
	}
}

func (a *acts) addZeroed(o *Observation, z *Zeroed, p *Pass, c Conditions) {
	unit := int64(1) << o.Blkbits
	start := z.Pos &^ (unit - 1)
	if z.Pos < 0 || z.Len <= 0 || z.Len > unit || z.Pos+z.Len > start+unit {
		return
	}
	x := act{pos: start, end: start + unit, unit: unit, at: o.at(z.AtUs)}
	end, completed := o.ended()
	switch o.zeroKind(z, p) {
	case zeroEmpty:
		if z.DioCount > 1 && !o.appendsUnseen(z, p, c) && R2.probed(c.Unprobed) != 0 {
			x.kind = OverlapZeroed
			a.add(x)
		}
		if completed && !o.waits() && R3.probed(c.Unprobed) != 0 {
			x.kind, x.until = OverlapUnwaited, end
			a.add(x)
		}
	case zeroEOF:
		if completed && z.Lock == record.LockShared {
			x.kind, x.until = OverlapEOF, end
			a.add(x)
		}
	}
}

// addCopy adds the part of a fallback that was certainly copied: none when the
// result is an error.
func (a *acts) addCopy(o *Observation) {
	b := o.Buffered
	if b == nil || !b.Copied || b.CopyDio == 0 {
		return
	}
	start := b.CopyPos
	if p := o.lastPass(); o.Dio && p != nil {
		start = p.Pos
	}
	end := start + o.Ret
	if start < 0 || b.CopyPos < start || end <= b.CopyPos || end >= maxTime {
		return
	}
	at := o.at(b.CopyAtUs)
	if at > o.Time+o.SubmitNs {
		return
	}
	unit := max(minPage, int64(1)<<o.Blkbits)
	a.add(act{
		kind: OverlapFallback, pos: b.CopyPos &^ (unit - 1), end: (end + unit - 1) &^ (unit - 1),
		unit: unit, at: at,
	})
}
