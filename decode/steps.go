package decode

import (
	"github.com/ext4dio/ext4dio-trace/record"
)

// fill makes o the observation of w, reusing the slices of o. It never fails:
// what does not fit together is said in o.Incomplete.
func (o *Observation) fill(w *record.Write, comm string) {
	passes, sleeps, mappings, zeroed := o.Passes[:0], o.Sleeps[:0], o.Mappings[:0], o.Zeroed[:0]
	*o = Observation{
		Time: w.T0, ID: w.ID, Pid: w.Tgid, Tid: w.Tid, Comm: comm,
		Dev: w.Dev, Ino: w.Ino, Caller: w.Caller, Stages: w.Stages, Flags: w.KiFlags,
		Blkbits: w.Blkbits, Depth: w.Depth,
		Pos0: int64(w.Pos0), Len0: int64(w.Len0), ISize0: int64(w.ISize0), NrSegs: w.NrSegs,
		Fmod: w.Fmod, FmodRet: int(w.FmodRet),
		Dio: w.Stages.Has(record.StageDIO), Lock: w.Lock, DioFlags: w.DioFlags, DioOps: w.DioOps,
		WaitNs: w.WaitNs, Ret: int64(w.Ret), SubmitRet: int64(w.Ret),
		LatencyNs: w.Latency, SubmitNs: w.Latency,
		Truncated: w.StepsLost > 0, LostBefore: w.LostBefore,
		Passes: passes, Sleeps: sleeps, Mappings: mappings, Zeroed: zeroed,
	}
	o.Queued = w.Stages.Has(record.StageReturn) && o.SubmitRet == eiocbqueued
	o.Completed = w.Stages.Has(record.StageReturn) && !o.Queued
	wholeAlign := false
	for i := range w.NSteps {
		s := &w.Steps[i]
		if s.Kind == record.StepAlign {
			o.Align0, wholeAlign = s.C, true
			continue
		}
		if s.Kind == record.StepBuffered && s.Aux&record.PassAlign != 0 && len(o.Passes) == 0 {
			o.Align0, wholeAlign = uint32(s.B), true
		}
		o.add(s)
	}
	o.finishAlign(wholeAlign)
	if n := len(o.Passes); n > 0 {
		o.LockNs = uint64(o.Passes[0].AtUs) * 1000
	}
	if o.Incomplete == "" {
		o.Incomplete = o.missing(w)
	}
}

// finishAlign settles the alignment of the iov_iter at entry: that of the first
// pass, unless a step said that it was another (the checks cut the iov_iter).
func (o *Observation) finishAlign(whole bool) {
	switch {
	case !o.Stages.Has(record.StageAlign):
		o.Align0 = 0
	case whole:
		o.Align0Known = true
	case len(o.Passes) > 0 && o.Passes[0].Flags&record.PassAlign != 0:
		o.Align0, o.Align0Known = o.Passes[0].Align, true
	}
}

// add takes up one step.
func (o *Observation) add(s *record.Step) {
	switch s.Kind {
	case record.StepPass:
		o.addPass(s)
	case record.StepDisksize:
		if p := o.lastPass(); p != nil {
			p.IDisksize = int64(s.A)
			p.Flags &^= passDisksizeDue
		}
	case record.StepLookup:
		p := o.lastPass()
		if p == nil {
			o.broken("a lookup before the first checks")
			return
		}
		p.Lookups = append(p.Lookups, Lookup{
			Lblk: s.C, Len: s.D, ArgFlags: uint32(s.B >> 32),
			Ret: int32(uint32(s.A)), OutLen: uint32(s.B), MFlags: uint32(s.A >> 32),
		})
	case record.StepDrain:
		o.addDrain(s)
	case record.StepMap:
		o.addMapping(s)
	case record.StepZero:
		o.Zeroed = append(o.Zeroed, Zeroed{
			Pos: int64(s.A), Len: int64(s.B), Lock: s.Lock, DioCount: s.C,
			Type: uint16(s.D), Flags: uint16(s.D >> 16), AtUs: s.TUs,
		})
	case record.StepBuffered:
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
	case record.StepWait:
		// The sum is in the head of the record.
	default:
		o.broken("a step of an unknown kind")
	}
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
	n := len(o.Passes)
	var lookups []Lookup
	if n < cap(o.Passes) {
		o.Passes = o.Passes[:n+1]
		lookups = o.Passes[n].Lookups[:0]
	} else {
		o.Passes = append(o.Passes, Pass{})
	}
	o.Passes[n] = Pass{
		Lock: s.Lock, Pos: int64(s.A), Count: int64(int32(s.C)),
		ISize: int64(s.B), IDisksize: int64(s.B), Align: s.D,
		Flags: s.Aux, AtUs: s.TUs, Lookups: lookups,
	}
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
	m := Mapping{AllocFlags: s.D, Overwrite: s.Aux&record.MapOverwrite != 0, AtUs: s.TUs}
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
	o.Mappings = append(o.Mappings, m)
}

func (o *Observation) lastPass() *Pass {
	if len(o.Passes) == 0 {
		return nil
	}
	return &o.Passes[len(o.Passes)-1]
}

func (o *Observation) broken(what string) {
	if o.Incomplete == "" {
		o.Incomplete = "contradiction: " + what
	}
}

// missing says which part of the write the record does not hold, or nothing.
func (o *Observation) missing(w *record.Write) string {
	switch st := o.Stages; {
	case !st.Has(record.StageEntry):
		return "entry not seen"
	case !st.Has(record.StageReturn):
		return "return not seen"
	case st.Has(record.StageBroken):
		return "an inner probe was entered and not left, or the reverse"
	case o.Truncated:
		return "more steps than a record holds"
	case o.Blkbits < 9 || o.Blkbits > 20:
		return "block size not known"
	case o.Pos0 < 0 || o.Len0 < 0:
		return "contradiction: negative position"
	}
	if why := o.missingSteps(w); why != "" {
		return why
	}
	return o.missingStages()
}

// missingSteps compares the stages that the record claims with its steps.
func (o *Observation) missingSteps(w *record.Write) string {
	lookups := 0
	for i := range o.Passes {
		p := &o.Passes[i]
		lookups += len(p.Lookups)
		if p.Flags&passDisksizeDue != 0 {
			return "i_disksize not seen"
		}
		if p.Pos < 0 || p.ISize < 0 || p.IDisksize < 0 {
			return "contradiction: negative position"
		}
	}
	st := o.Stages
	switch {
	case st.Has(record.StagePass) != (len(o.Passes) > 0), int(w.Passes) != len(o.Passes):
		return "write checks missing from the record"
	case st.Has(record.StageLookup) != (lookups > 0):
		return "lookups missing from the record"
	case st.Has(record.StageDrain) != (o.Drain != nil):
		return "drain missing from the record"
	case st.Has(record.StageBegin) != (len(o.Mappings) > 0):
		return "mappings missing from the record"
	case st.Has(record.StageZero) != (len(o.Zeroed) > 0):
		return "zeroing missing from the record"
	case st.Has(record.StageBuffered) != (o.Buffered != nil):
		return "buffered part missing from the record"
	case st.Has(record.StageCopy) != (o.Buffered != nil && o.Buffered.Copied):
		return "buffered copy missing from the record"
	}
	return ""
}

// missingStages names a stage that this write must have passed and that was not
// seen.
func (o *Observation) missingStages() string {
	st, p := o.Stages, o.lastPass()
	if p != nil {
		switch {
		case !st.Has(record.StageLock):
			return "i_rwsem could not be read"
		case !st.Has(record.StageAlign):
			return "alignment of the iov_iter not known"
		}
	}
	if o.Dio && o.Lock == record.LockUnknown {
		return "i_rwsem could not be read"
	}
	if p == nil && o.Dio {
		return "write checks not seen"
	}
	if o.SubmitRet < 0 && !o.Queued {
		return ""
	}
	switch {
	case p == nil && o.Buffered == nil:
		return "write checks not seen"
	case p != nil && p.Flags&record.PassDAX != 0:
		return "" // dax_iomap_rw took it
	case p != nil && p.Count > 0 && !o.Dio && o.Buffered == nil:
		return "iomap_dio_rw not seen"
	}
	return ""
}
