package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// diff is a set of fields in which an observation and a decision differ.
type diff uint32

const (
	diffEnd     diff = 1 << iota // iomap_dio_rw entered or not
	diffGuess                    // mode of the first lock
	diffLock                     // mode at iomap_dio_rw
	diffPasses                   // runs of the write checks
	diffLookups                  // lookups within the passes that the model makes
	diffDrain
	diffWait
	diffEagain // -EAGAIN at another place
	diffRet
	diffModified // the other of file_modified and kiocb_modified
	diffOps
	diffQueued
	diffAlloc
	diffZeroed
	diffFallback // drained, or not, before the buffered copy
	diffDirect   // direct I/O taken, or refused
	diffCopyLock // the buffered copy without the exclusive lock

	diffLast = diffCopyLock
)

// compareAll compares everything that the model says about o with what was seen.
// A field that d leaves open, or whose probe was not attached, is not compared.
func compareAll(f *facts, d *model.Decision, unprobed record.Stages) diff {
	out := compareChecks(f, d, unprobed)
	if f.o.Dio && out&(diffEnd|diffEagain) == 0 {
		out |= compareDio(f.o, d, unprobed)
	}
	return out
}

// compareChecks compares the check phase up to iomap_dio_rw.
func compareChecks(f *facts, d *model.Decision, unprobed record.Stages) diff {
	o := f.o
	var out diff
	if len(o.Passes) > 0 && d.Pass[0].Mode != model.Unlocked && !sameMode(o.Passes[0].Lock, d.Pass[0].Mode) {
		out |= diffGuess
	}
	if n := len(o.Passes); n < d.Passes || d.Known() && n != d.Passes {
		out |= diffPasses
	}
	if !unprobed.Has(record.StageLookup) {
		out |= compareLookups(f, d)
	}
	if o.Dio && d.Mode != model.Unlocked && !sameMode(o.Lock, d.Mode) {
		out |= diffLock
	}
	switch d.End {
	case model.EndUnknown:
		if f.noModified && o.SubmitRet == model.EAGAIN && !unprobed.Has(record.StageFmod) {
			out |= diffEagain
		}
		return out
	case model.EndDio:
		if !o.Dio && !failedOrphan(o, d) {
			out |= diffEnd
		}
		return out
	case model.EndN0, model.EndN1, model.EndN2, model.EndN3, model.EndN4:
		if o.Dio || o.SubmitRet != d.Ret {
			out |= diffEagain
		}
	case model.EndChecks, model.EndModified:
		if o.Dio {
			out |= diffEnd
		}
		if o.SubmitRet != d.Ret {
			out |= diffRet
		}
	}
	if (d.End == model.EndN2 || d.End == model.EndN3) && !unprobed.Has(record.StageFmod) {
		// 6.1's N3 comes after file_modified, later kernels' before it.
		after := d.End == model.EndN3 && !d.Variant.Has(model.UnalignedShared)
		if o.Stages.Has(record.StageFmod) != after {
			out |= diffEagain
		}
	}
	return out
}

// failedOrphan reports whether the write ended between the checks and
// iomap_dio_rw because no journal handle could be had for the orphan list.
func failedOrphan(o *observe.Observation, d *model.Decision) bool {
	return d.Extend && o.SubmitRet < 0 && o.SubmitRet != model.EAGAIN
}

func sameMode(l record.Lock, m model.Mode) bool {
	return l == record.LockShared && m == model.Shared || l == record.LockExclusive && m == model.Exclusive
}

// compareLookups compares count and arguments in the passes that the model made.
func compareLookups(f *facts, d *model.Decision) diff {
	if f.unanswered {
		return diffLookups
	}
	for i := 0; i < d.Passes && i < len(f.o.Passes); i++ {
		seen, want := f.o.Passes[i].Lookups, &d.Pass[i]
		if want.MayLookUp {
			if len(seen) > 1 || len(seen) == 1 && seen[0].Query() != want.Queries[0] {
				return diffLookups
			}
			continue
		}
		if len(seen) != f.asked[i] {
			return diffLookups
		}
	}
	return 0
}

// compareDio compares what follows the checks.
func compareDio(o *observe.Observation, d *model.Decision, unprobed record.Stages) diff {
	var out diff
	if !unprobed.Has(record.StageDrain) && d.Drain != model.Unknown && (o.Drain != nil) != (d.Drain == model.Yes) {
		out |= diffDrain
	}
	if d.ForceWait != model.Unknown && (o.DioFlags&model.DioForceWait != 0) != (d.ForceWait == model.Yes) {
		out |= diffWait
	}
	if o.Stages.Has(record.StageFmod) && o.Fmod != record.FmodNone && !sameModifier(o.Fmod, d.Modifier) {
		out |= diffModified
	}
	if d.End == model.EndDio && o.DioOps != record.OpsUnknown && (o.DioOps == record.OpsOverwrite) != d.Overwrite {
		out |= diffOps
	}
	if o.Queued && d.Queue == model.No {
		out |= diffQueued
	}
	p := o.LastPass()
	if p == nil || p.Count <= 0 {
		return out
	}
	extents := p.Flags&record.PassExtents != 0
	nowait := o.Flags&model.IocbNowait != 0
	for i := range o.Mappings {
		m := &o.Mappings[i]
		if m.Err == model.ENOTBLK && nowait && d.Variant.Has(model.NowaitNoAlloc) {
			out |= diffEagain // patch 1 refuses before it is known that a hole cannot be filled
		}
		if m.Err == model.EAGAIN && !model.BeginMayEagain(d.Variant, nowait) {
			out |= diffEagain
		}
		if m.Err == 0 && m.AllocFlags != 0 && o.Flags&model.IocbAtomic == 0 &&
			m.AllocFlags != model.AllocFlags(d.Variant, m.Offset, p.ISize, extents) {
			out |= diffAlloc
		}
	}
	if !unprobed.Has(record.StageZero) && !zeroedAsExpected(o) {
		out |= diffZeroed
	}
	return out
}

func sameModifier(f record.Fmod, m model.Modifier) bool {
	return f == record.FmodFile && m == model.FileModified || f == record.FmodKiocb && m == model.KiocbModifiedFn
}

// zeroedAsExpected compares the zeroed pieces with those that the mappings call
// for. It holds for a write that was mapped and written as a whole; of any other
// nothing is predicted.
func zeroedAsExpected(o *observe.Observation) bool {
	want, ok := o.ExpectedZeroed()
	if !ok {
		return true
	}
	n := 0
	for _, r := range want {
		if r.Len == 0 {
			continue
		}
		if n >= len(o.Zeroed) || o.Zeroed[n].Pos != r.Pos || o.Zeroed[n].Len != r.Len {
			return false
		}
		n++
	}
	return n == len(o.Zeroed)
}

// ruleOf is the rule that a difference breaks. The other differences break none.
// A missing drain breaks R2 too, but only before zeroing.
var ruleOf = [...]struct {
	diff diff
	rule rules.Set
}{
	{diffGuess, rules.R6}, {diffLock, rules.R6}, {diffPasses, rules.R7}, {diffWait, rules.R8},
	{diffLookups, rules.R9}, {diffEagain, rules.R10}, {diffQueued, rules.R8}, {diffCopyLock, rules.R6},
}
