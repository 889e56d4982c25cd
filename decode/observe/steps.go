package observe

import (
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// fill makes o the observation of w, reusing the slices of o. It never fails:
// what does not fit together is said in o.Incomplete.
func (o *Observation) fill(w *record.Write, comm string) {
	o.reset()
	o.fillHead(w, comm)
	steps := w.Steps[:w.NSteps]
	for i := range steps {
		o.add(&steps[i])
	}
	if o.cut.Known {
		o.cutAlign()
	}
	o.finishAlign()
	o.finishModified()
	if n := len(o.Passes); n > 0 {
		o.LockNs = uint64(o.Passes[0].AtUs) * 1000
	}
	if o.Incomplete == "" {
		o.Incomplete = o.missing(w)
	}
}

// reset empties what fillHead does not set, and keeps the room of the slices.
func (o *Observation) reset() {
	o.Passes, o.Waits, o.Sleeps, o.Mappings, o.Zeroed = o.Passes[:0], o.Waits[:0], o.Sleeps[:0], o.Mappings[:0], o.Zeroed[:0]
	o.Summed, o.summedAt = o.Summed[:0], 0
	o.Unmoved, o.PosAfter, o.PosWanted = false, 0, 0
	o.Drain, o.Buffered, o.Budget, o.Incomplete = nil, nil, nil, ""
	o.Align0, o.Align0Known, o.FmodRet, o.FmodKnown, o.LockNs = 0, false, 0, false, 0
	o.cut.Known, o.Inside, o.InsideAt, o.InsideNs = false, false, 0, 0
}

// fillHead takes up the head of w. It sets field by field, as the other functions
// that run for every write do: a literal would be made on the stack and copied.
func (o *Observation) fillHead(w *record.Write, comm string) {
	o.Head.fill(w)
	o.Time, o.ID, o.Pid, o.Tid, o.Comm = w.T0, w.ID, w.Tgid, w.Tid, comm
	o.GlobalPid, o.GlobalTid, o.Foreign = 0, 0, w.NsTgid == record.PidHidden
	if w.NsTgid != 0 && !o.Foreign {
		o.Pid, o.Tid, o.GlobalPid, o.GlobalTid = w.NsTgid, w.NsTid, w.Tgid, w.Tid
	}
	o.ForeignKnown = w.Has(record.AtNsTid)
	o.Dev, o.Ino, o.Caller, o.Stages, o.Flags = w.Dev, w.Ino, w.Caller, w.Stages, w.KiFlags
	o.Blkbits, o.Depth = w.Blkbits, w.Depth
	o.Generation, o.Name, o.GenerationKnown = w.Generation, w.Name, w.HasName()
	o.Pos0, o.Len0, o.ISize0, o.NrSegs = int64(w.Pos0), int64(w.Len0), int64(w.ISize0), w.NrSegs
	o.Dio, o.Lock = w.Stages.Has(record.StageDIO), w.Lock
	o.WaitNs, o.Ret, o.SubmitRet = w.WaitNs, int64(w.Ret), int64(w.Ret)
	o.LatencyNs, o.SubmitNs = w.Latency, w.Latency
	o.Truncated, o.Cut, o.LostBefore = w.StepsLost > 0, cutParts(w), w.LostBefore
	o.Queued = w.Stages.Has(record.StageReturn) && o.SubmitRet == model.EIOCBQUEUED
	o.Completed = w.Stages.Has(record.StageReturn) && !o.Queued
}

// cutAlign gives the passes of a write that the checks made shorter the alignment of
// what they left.
func (o *Observation) cutAlign() {
	for i := range o.Passes {
		if p := &o.Passes[i]; p.Flags&record.PassAlign == 0 {
			p.Align = o.cut.Bits
			p.Flags |= record.PassAlign
		}
	}
}

// finishAlign settles the alignment of the iov_iter at entry: that of the first
// pass, unless a step said that it was another (the checks cut the iov_iter).
func (o *Observation) finishAlign() {
	switch {
	case !o.Stages.Has(record.StageAlign):
		o.Align0, o.Align0Known = 0, false
	case o.Align0Known:
	case len(o.Passes) > 0 && o.Passes[0].Flags&record.PassAlign != 0:
		o.Align0, o.Align0Known = o.Passes[0].Align, true
	}
}

// finishModified settles what file_modified or kiocb_modified returned. Only their
// entry is probed: a write that went on had 0, and one that ended there returned
// what they did. Two ends lie behind them: -EAGAIN of 6.1 (its file_modified knows
// nothing of NOWAIT), and the orphan list of an extending write.
func (o *Observation) finishModified() {
	p := o.LastPass()
	switch {
	case !o.Stages.Has(record.StageFmod) || !o.Stages.Has(record.StageReturn):
	case o.Dio || o.Buffered != nil || o.SubmitRet >= 0:
		o.FmodKnown = true
	case o.SubmitRet == model.EAGAIN && o.Fmod == record.FmodFile:
		o.FmodKnown = true
	case o.SubmitRet == model.EAGAIN || p != nil && p.Pos+p.Count <= min(p.ISize, p.IDisksize):
		o.FmodRet, o.FmodKnown = int(o.SubmitRet), true
	}
}

// add takes up one step.
func (o *Observation) add(s *record.Step) {
	switch s.Kind {
	case record.StepPass:
		o.addPass(s)
	case record.StepDisksize:
		if p := o.LastPass(); p != nil {
			p.IDisksize = int64(s.A)
			p.Flags &^= passDisksizeDue
		}
	case record.StepLookup:
		p := o.LastPass()
		if p == nil {
			o.broken("a lookup before the first checks")
			return
		}
		p.Lookups = grow(p.Lookups)
		l := &p.Lookups[len(p.Lookups)-1]
		l.Lblk, l.Len, l.ArgFlags = s.C, s.D, uint32(s.B>>32)
		l.Ret, l.OutLen, l.MFlags = int32(uint32(s.A)), uint32(s.B), uint32(s.A>>32)
	case record.StepDrain:
		o.addDrain(s)
	case record.StepMap:
		o.addMapping(s)
	case record.StepMaps:
		o.addSummed(s)
	case record.StepUnmoved:
		o.Unmoved, o.PosAfter, o.PosWanted = true, int64(s.A), int64(s.B)
	case record.StepSleeps:
		o.addSleeps(s)
	case record.StepZero:
		o.Zeroed = append(o.Zeroed, Zeroed{
			Pos: int64(s.A), Len: int64(s.B), Lock: s.Lock, DioCount: s.C,
			Type: uint16(s.D), Flags: uint16(s.D >> 16), AtUs: s.TUs,
		})
	case record.StepBuffered:
		if s.Aux&record.PassAlign != 0 && len(o.Passes) == 0 {
			o.Align0, o.Align0Known = uint32(s.B), true
		}
		o.buffered = Buffered{Pos: int64(s.A), Len: int64(s.C), Refused: s.Aux}
		o.Buffered = &o.buffered
	case record.StepCopy:
		if o.Buffered == nil {
			o.broken("a buffered copy outside ext4_buffered_write_iter")
			return
		}
		o.Buffered.Copied, o.Buffered.CopyDio, o.Buffered.CopyLock = true, s.D, s.Lock
		o.Buffered.CopyPos, o.Buffered.CopyAtUs = int64(s.A), s.TUs
	case record.StepSleep:
		o.Sleeps = append(o.Sleeps, Sleep{Phase: record.Phase(s.Aux), Cause: sleepCause(s.D), Ns: s.A, AtUs: s.TUs})
	case record.StepAlign:
		if s.Aux&record.AlignEntry != 0 {
			o.Align0, o.Align0Known = s.C, true
		}
		if s.Aux&record.AlignCut != 0 {
			o.cut = model.Alignment{Bits: s.D, Known: true}
		}
	case record.StepInside:
		o.addInside(s)
	case record.StepWait:
		o.Waits = append(o.Waits, Wait{Ns: s.A, Lock: contended(s.C), AtUs: s.TUs})
	default:
		o.broken("a step of an unknown kind")
	}
}

// addInside takes up where the write was that had not returned. One that is queued for the
// lock has waited so far.
func (o *Observation) addInside(s *record.Step) {
	if o.Stages.Has(record.StageReturn) {
		o.broken("inside after the return")
		return
	}
	o.Inside, o.InsideAt, o.InsideNs = true, record.InsideStage(s.Aux), s.A
	if o.InsideAt == record.InsideWait {
		o.Waits = append(o.Waits, Wait{Ns: s.A, Lock: contended(s.C), AtUs: s.TUs})
		o.WaitNs += s.A
	}
}

// contended is the mode that a task waited for, by the flags of contention_begin
// (LCB_F_READ and LCB_F_WRITE).
func contended(flags uint32) record.Lock {
	switch flags & 6 {
	case 2:
		return record.LockShared
	case 4:
		return record.LockExclusive
	}
	return record.LockUnknown
}

// sleepCause is what a step says; a cause of a newer version is unknown.
func sleepCause(d uint32) record.SleepCause {
	if d >= record.NumSleepCauses {
		return record.SleepUnknown
	}
	return record.SleepCause(d)
}

// passDisksizeDue is set in Pass.Flags while the step with i_disksize has not
// come. It shares the bit with the record's own flag, which is dropped: after
// decoding, IDisksize is always valid.
const passDisksizeDue = record.PassDisksize

func (o *Observation) addPass(s *record.Step) {
	o.Passes = grow(o.Passes)
	p := &o.Passes[len(o.Passes)-1]
	lookups := p.Lookups[:0]
	p.Lock, p.Pos, p.Count = s.Lock, int64(s.A), int64(int32(s.C))
	p.ISize, p.IDisksize, p.Align = int64(s.B), int64(s.B), s.D
	p.Flags, p.AtUs, p.Lookups = s.Aux, s.TUs, lookups
}

func (o *Observation) addDrain(s *record.Step) {
	if s.Aux&record.DrainBuffered != 0 {
		if o.Buffered == nil {
			o.broken("a buffered drain outside ext4_buffered_write_iter")
			return
		}
		o.Buffered.Drained = true
		return
	}
	waited := s.Aux&record.DrainWaited != 0
	if o.Drain != nil {
		o.drain.Ns += s.A
		o.drain.Waited = o.drain.Waited || waited
		return
	}
	o.drain = Drain{Count: s.C, Waited: waited, Ns: s.A}
	o.Drain = &o.drain
}

func (o *Observation) addMapping(s *record.Step) {
	o.Mappings = grow(o.Mappings)
	m := &o.Mappings[len(o.Mappings)-1]
	*m = Mapping{}
	m.AllocFlags, m.Overwrite, m.AtUs = s.D, s.Aux&record.MapOverwrite != 0, s.TUs
	failed := s.Aux&record.MapFailed != 0
	if failed {
		m.Err = int(int32(uint32(s.A))) // the low half is enough, with a lookup or without
		if m.Err >= 0 {
			o.broken("a failed mapping without an error")
		}
	} else {
		m.Offset, m.Length = int64(s.A), int64(s.B)
		m.Type, m.Flags = uint16(s.C), uint16(s.C>>16)
	}
	if s.Aux&record.MapLookup != 0 {
		m.LookedUp, m.LookupFlags, m.LookupRet = true, uint32(s.A>>32), int32(uint32(s.B>>32))
		if !failed {
			m.Offset, m.Length = int64(uint32(s.A))<<o.Blkbits, int64(uint32(s.B))<<o.Blkbits
		}
	}
}

// grow makes list one longer. What the new item holds is left from earlier use.
func grow[T any](list []T) []T {
	if n := len(list); n < cap(list) {
		return list[:n+1]
	}
	var item T
	return append(list, item)
}
