package overlap

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
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
	kind     Kind
	pos, end int64  // the block, or the pages, bytes
	unit     int64  // size of a block, or of a page
	at       uint64 // ns, up to stepError too early
	until    uint64 // when its write was over, for Unwaited and EOF
}

// acts are those of one write: a head and a tail, each of at most two kinds, or a
// copy.
type acts struct {
	ref  WriteRef
	n    int
	list [4]act
	// more is set when there were others: more than any kernel makes, or some that the
	// record does not hold.
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
	case Zeroed, Fallback:
		return certainlyBefore(f.from, a.at) && certainlyBefore(a.at, f.to)
	case EOF:
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

// timed reports whether the times of o, whose last step was at last, can be relied on.
func timed(o *observe.Observation, last uint64) bool {
	return o.Time < maxTime && o.SubmitNs < maxSubmitNs && o.LatencyNs < maxTime && last <= o.Time+o.SubmitNs
}

// at is the time of a step of o, ns.
func at(o *observe.Observation, us uint32) uint64 { return o.Time + uint64(us)*1000 }

// lastStep is the time of the last step that o made with its direct I/O counted: a
// mapping or a zeroing.
func lastStep(o *observe.Observation) uint64 {
	var us uint32
	for i := range o.Mappings {
		us = max(us, o.Mappings[i].AtUs)
	}
	for i := range o.Summed {
		us = max(us, o.Summed[i].AtUs)
	}
	for i := range o.Zeroed {
		us = max(us, o.Zeroed[i].AtUs)
	}
	return at(o, us)
}

// ended is until when the direct I/O of o was seen in flight. The return of a
// synchronous write comes after its unlock, so it is no such instant. Neither is
// the completion of a write that is synced to the disk after its direct I/O. Then it is
// the last step.
func ended(o *observe.Observation, last uint64) (t uint64, completion bool) {
	if o.Queued && o.Completed && o.Flags&iocbDsync == 0 {
		return o.Time + o.LatencyNs, true
	}
	return last, false
}

// fill makes r the name of o.
func (r *WriteRef) fill(o *observe.Observation) {
	r.ID, r.Time, r.Tid, r.Pos, r.Len = o.ID, o.Time, o.Tid, o.Pos0, o.Len0
	if p := o.LastPass(); p != nil && p.Count > 0 {
		r.Pos = p.Pos
	}
}

// directBytes is how much of o was certainly written by direct I/O, from the
// position of its last pass on.
func directBytes(o *observe.Observation) int64 {
	p := o.LastPass()
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
func (f *flight) fill(o *observe.Observation) flightState {
	if o.Buffered == nil && o.Stages.Has(record.StageBuffered) {
		return flightUnknown // where the direct part ended
	}
	n := directBytes(o)
	if n <= 0 {
		return flightNone
	}
	last := lastStep(o)
	if len(o.Mappings) == 0 || !timed(o, last) {
		return flightUnknown
	}
	p := o.LastPass()
	f.ref.fill(o)
	f.pos, f.end, f.from = p.Pos, p.Pos+n, at(o, o.Mappings[0].AtUs)
	f.to, _ = ended(o, last)
	f.extends = false
	if o.Lock == record.LockExclusive && o.Drain == nil && p.Pos+p.Count > p.ISize {
		unaligned, known := o.Unaligned()
		f.extends = known && !unaligned
	}
	return flightPlaced
}

// fill makes a what o did that another write can overlap with. On a kernel that
// keeps the rules that is nothing, or a tail by E-eof.
func (a *acts) fill(o *observe.Observation, c rules.Conditions) {
	last := lastStep(o)
	if !timed(o, last) {
		return
	}
	if p := o.LastPass(); p != nil && o.Dio && p.Count > 0 {
		for i := range o.Zeroed {
			a.addZeroed(o, &o.Zeroed[i], p, last, c)
		}
	}
	if rules.R5.Probed(c.Unprobed) != 0 {
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

func (a *acts) addZeroed(o *observe.Observation, z *observe.Zeroed, p *observe.Pass, last uint64, c rules.Conditions) {
	unit := int64(1) << o.Blkbits
	start := z.Pos &^ (unit - 1)
	if z.Pos < 0 || z.Len <= 0 || z.Len > unit || z.Pos+z.Len > start+unit {
		return
	}
	x := act{pos: start, end: start + unit, unit: unit, at: at(o, z.AtUs)}
	end, completed := ended(o, last)
	switch rules.ZeroOf(o, z, p) {
	case rules.ZeroEmpty:
		if z.DioCount > 1 && !rules.AppendsUnseen(o, z, p, c) && rules.R2.Probed(c.Unprobed) != 0 {
			x.kind = Zeroed
			a.add(x)
		}
		if completed && !rules.Waits(o) && rules.R3.Probed(c.Unprobed) != 0 {
			x.kind, x.until = Unwaited, end
			a.add(x)
		}
	case rules.ZeroEOF:
		if completed && z.Lock == record.LockShared {
			x.kind, x.until = EOF, end
			a.add(x)
		}
	}
}

// addCopy adds the part of a fallback that was certainly copied: none when the
// result is an error.
func (a *acts) addCopy(o *observe.Observation) {
	b := o.Buffered
	if b == nil || !b.Copied || b.CopyDio == 0 {
		return
	}
	start := b.CopyPos
	if p := o.LastPass(); o.Dio && p != nil {
		start = p.Pos
	}
	end := start + o.Ret
	if start < 0 || b.CopyPos < start || end <= b.CopyPos || end >= maxTime {
		return
	}
	copied := at(o, b.CopyAtUs)
	if copied > o.Time+o.SubmitNs {
		return
	}
	unit := max(minPage, int64(1)<<o.Blkbits)
	a.add(act{
		kind: Fallback, pos: b.CopyPos &^ (unit - 1), end: (end + unit - 1) &^ (unit - 1),
		unit: unit, at: copied,
	})
}
