package export

import (
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// FillCounted makes r the row of o and v as far as Totals and Breakdown look at it, which
// takes a third of the time of Fill. r has to be used for nothing else, and is valid as
// long as o and v are.
func (m *Maker) FillCounted(r *Row, o *observe.Observation, v *judge.Verdict) {
	if o.Inside || o.Queued && !o.Completed { // they are kept
		m.Fill(r, o, v)
		return
	}
	r.Inside, r.Facts.Queued = Opt[record.InsideStage]{}, false
	r.Pid, r.GlobalPid, r.Foreign.V, r.Comm, r.Dev, r.Ino = o.Pid, o.GlobalPid, o.Foreign, o.Comm, o.Dev, o.Ino
	r.Generation.V, r.Generation.Known = o.Generation, o.GenerationKnown
	r.Caller, r.KiFlags, r.Incomplete, r.Truncated, r.Cut = o.Caller, o.Flags, o.Incomplete, o.Truncated, o.Cut
	r.Lock, r.Passes, r.Drained, r.Ret, r.WaitNs = Opt[Lock]{}, Opt[int]{}, Opt[bool]{}, Opt[int64]{}, Opt[uint64]{}
	r.Budget.Known = false
	m.fillCounted(r, o)
	r.Waits = append(r.Waits[:0], o.Waits...)
	r.fillBudget(o.Budget)
	r.fillRequest(o)
	r.Verdict = Some(v.Kind)
	r.Rules, r.Hazards = v.Rules.AppendIDs(r.Rules[:0]), v.Hazards.AppendIDs(r.Hazards[:0])
	r.Reason, r.Missing = string(v.Reason), v.Missing
}
