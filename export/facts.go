package export

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Facts are what the model was given of a write, beyond what a Row shows anyway.
// With them a line of JSON can be judged again.
type Facts struct {
	observe.Head
	Blkbits   uint8
	Pos, Len  int64 // at entry, bytes
	ISize     int64 // at entry, without the lock
	Align     Opt[uint32]
	Checks    []observe.Pass // without their lookups
	InFlight  Opt[uint32]    // direct I/O in flight at the drain
	ModRet    Opt[int]
	Buffered  Opt[observe.Buffered]
	SubmitRet int64
	Queued    bool
	Completed bool
	// PosAfter is ki_pos at the return, where it was not moved on by the result.
	PosAfter Opt[int64]
}

// fill sets the empty f from o.
func (f *Facts) fill(o *observe.Observation) {
	f.Blkbits, f.Pos, f.Len, f.ISize = o.Blkbits, o.Pos0, o.Len0, o.ISize0
	f.Align.V, f.Align.Known = o.Align0, o.Align0Known
	f.Head = o.Head
	f.ModRet.V, f.ModRet.Known = o.FmodRet, o.FmodKnown
	f.SubmitRet, f.Queued, f.Completed = o.SubmitRet, o.Queued, o.Completed
	f.PosAfter = Opt[int64]{V: o.PosAfter, Known: o.Unmoved}
	f.Checks = append(f.Checks, o.Passes...)
	for i := range f.Checks {
		f.Checks[i].Lookups = nil
	}
	if o.Drain != nil {
		f.InFlight = Some(o.Drain.Count)
	}
	if o.Buffered != nil {
		f.Buffered = Some(*o.Buffered)
	}
}

// Observation is the write as it was observed. It holds all that a verdict on this
// write alone is made from; times of single steps are not in a Row.
func (r *Row) Observation() *observe.Observation {
	f := &r.Facts
	o := &observe.Observation{
		Head: f.Head, Time: r.TimeNs, Pid: r.Pid, Tid: r.Tid, Comm: r.Comm, Dev: r.Dev, Ino: r.Ino,
		Caller: r.Caller, Stages: r.Stages, Flags: r.KiFlags, Blkbits: f.Blkbits,
		Request: r.Request, Try: r.Try.V, Pos0: f.Pos, Len0: f.Len, ISize0: f.ISize, Align0: f.Align.V, Align0Known: f.Align.Known,
		FmodRet: f.ModRet.V, FmodKnown: f.ModRet.Known, Dio: r.Stages.Has(record.StageDIO),
		Mappings: r.Mappings, Zeroed: r.Zeroed, Sleeps: r.Sleeps, Waits: r.Waits, WaitNs: r.WaitNs.V, Ret: f.SubmitRet, SubmitRet: f.SubmitRet,
		Queued: f.Queued, Completed: f.Completed, LatencyNs: r.LatencyNs.V,
		Generation: r.Generation.V, GenerationKnown: r.Generation.Known,
		Incomplete: r.Incomplete, Truncated: r.Truncated, Cut: r.Cut, Summed: r.Summed,
		Unmoved: f.PosAfter.Known, PosAfter: f.PosAfter.V,
		Inside: r.Inside.Known, InsideAt: r.Inside.V,
	}
	o.GlobalPid, o.GlobalTid, o.Foreign, o.ForeignKnown = r.GlobalPid, r.GlobalTid, r.Foreign.V, r.Foreign.Known
	if r.Ret.Known {
		o.Ret = r.Ret.V
	}
	o.Budget = r.observedBudget()
	if o.Dio {
		o.Lock = map[Lock]record.Lock{Shared: record.LockShared, Exclusive: record.LockExclusive}[r.Lock.V]
	}
	o.Passes = append(o.Passes, f.Checks...)
	for _, l := range r.Lookups {
		if l.Pass < len(o.Passes) {
			p := &o.Passes[l.Pass]
			p.Lookups = append(p.Lookups, observe.Lookup{
				Lblk: l.Lblk, Len: l.Len, ArgFlags: l.Flags, Ret: l.Ret, OutLen: l.Len, MFlags: l.MFlags,
			})
		}
	}
	if f.InFlight.Known {
		o.Drain = &observe.Drain{Count: f.InFlight.V, Waited: f.InFlight.V > 0}
	}
	if o.Unmoved {
		o.PosWanted = r.Pos + f.SubmitRet
	}
	if f.Buffered.Known {
		b := f.Buffered.V
		o.Buffered = &b
	}
	return o
}
