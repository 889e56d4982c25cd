package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// compare compares everything that a decision says about a write with what was seen. A
// field that it leaves open, or whose probe was not attached, is not compared.
func (t *trial) compare(unprobed record.Stages) fields {
	out := t.compareChecks(unprobed)
	if t.world.o.Dio && !out.has(FieldEnd) && !out.has(FieldEagain) {
		out |= compareDio(t.world.o, &t.d, unprobed)
	}
	return out
}

// compareChecks compares the check phase up to iomap_dio_rw.
func (t *trial) compareChecks(unprobed record.Stages) (out fields) {
	o, d := t.world.o, &t.d
	n := len(o.Passes)
	out.add(FieldFirstLock, n > 0 && otherMode(o.Passes[0].Lock, d.Pass[0].Mode))
	out.add(FieldPasses, n < d.Passes || d.Known() && n != d.Passes)
	out.add(FieldLookups, !unprobed.Has(record.StageLookup) && t.otherLookups())
	out.add(FieldLock, o.Dio && otherMode(o.Lock, d.Mode))
	switch d.End {
	case model.EndUnknown:
		out.add(FieldEagain, t.world.noModified && o.SubmitRet == model.EAGAIN && !unprobed.Has(record.StageFmod))
	case model.EndDio:
		out.add(FieldEnd, !o.Dio && !failedOrphan(o, d))
	case model.EndN0, model.EndN1, model.EndN2, model.EndN3, model.EndN4:
		out.add(FieldEagain, o.Dio || o.SubmitRet != d.Ret)
	case model.EndChecks, model.EndModified:
		out.add(FieldEnd, o.Dio)
		out.add(FieldResult, o.SubmitRet != d.Ret)
	}
	if (d.End == model.EndN2 || d.End == model.EndN3) && !unprobed.Has(record.StageFmod) {
		// 6.1's N3 comes after file_modified, later kernels' before it.
		after := d.End == model.EndN3 && !d.Variant.Has(model.UnalignedShared)
		out.add(FieldEagain, o.Stages.Has(record.StageFmod) != after)
	}
	return out
}

// otherMode reports whether a decided mode is not the one that was seen.
func otherMode(seen record.Lock, want model.Mode) bool {
	return want != model.Unlocked && observe.Mode(seen) != want
}

// failedOrphan reports whether the write ended between the checks and
// iomap_dio_rw because no journal handle could be had for the orphan list.
func failedOrphan(o *observe.Observation, d *model.Decision) bool {
	return d.Extend && o.SubmitRet < 0 && o.SubmitRet != model.EAGAIN
}

// otherLookups compares count and arguments in the passes that the model made.
func (t *trial) otherLookups() bool {
	w := &t.world
	if w.unanswered {
		return true
	}
	for i := 0; i < t.d.Passes && i < len(w.o.Passes); i++ {
		seen, want := w.o.Passes[i].Lookups, &t.d.Pass[i]
		if want.MayLookUp {
			if len(seen) > 1 || len(seen) == 1 && seen[0].Query() != want.Queries[0] {
				return true
			}
			continue
		}
		if len(seen) != w.asked[i] {
			return true
		}
	}
	return false
}

// compareDio compares what follows the checks.
func compareDio(o *observe.Observation, d *model.Decision, unprobed record.Stages) (out fields) {
	out.add(FieldDrain, !unprobed.Has(record.StageDrain) && otherAnswer(o.Drain != nil, d.Drain))
	out.add(FieldForceWait, otherAnswer(o.DioFlags&model.DioForceWait != 0, d.ForceWait))
	out.add(FieldModifier, o.Stages.Has(record.StageFmod) && o.Fmod != record.FmodNone && !sameModifier(o.Fmod, d.Modifier))
	out.add(FieldOps, d.End == model.EndDio && o.DioOps != record.OpsUnknown && (o.DioOps == record.OpsOverwrite) != d.Overwrite)
	out.add(FieldQueued, o.Queued && d.Queue == model.No)
	p := o.LastPass()
	if p == nil || p.Count <= 0 {
		return out
	}
	nowait := o.Flags&model.IocbNowait != 0
	for i := range o.Mappings {
		m := &o.Mappings[i]
		// Patch 1 refuses before it is known that a hole cannot be filled.
		out.add(FieldEagain, m.Err == model.ENOTBLK && nowait && d.Variant.Has(model.NowaitNoAlloc))
		out.add(FieldEagain, m.Err == model.EAGAIN && !model.BeginMayEagain(d.Variant, nowait))
		out.add(FieldAlloc, o.Flags&model.IocbAtomic == 0 && otherAlloc(m, p, d.Variant))
	}
	for i := range o.Summed {
		out.add(FieldAlloc, o.Flags&model.IocbAtomic == 0 && otherSummedAlloc(&o.Summed[i], p, d.Variant))
	}
	out.add(FieldZeroed, !unprobed.Has(record.StageZero) && !zeroedAsExpected(o))
	return out
}

func otherAnswer(seen bool, want model.Answer) bool {
	return want != model.Unknown && seen != (want == model.Yes)
}

func sameModifier(f record.Fmod, m model.Modifier) bool {
	return f == record.FmodFile && m == model.FileModified || f == record.FmodKiocb && m == model.KiocbModifiedFn
}

// allocFlags are those that v gives to an allocation at m by a write whose last pass is p.
func allocFlags(m *observe.Mapping, p *observe.Pass, v model.Variant) uint32 {
	return model.AllocFlags(v, m.Offset, p.ISize, p.Flags&record.PassExtents != 0)
}

// otherAlloc reports whether blocks were allocated with other flags than those of v.
func otherAlloc(m *observe.Mapping, p *observe.Pass, v model.Variant) bool {
	return m.Err == 0 && m.AllocFlags != 0 && m.AllocFlags != allocFlags(m, p, v)
}

// summedAllocFlags is allocFlags for mappings that are summed up.
func summedAllocFlags(s *observe.Summed, p *observe.Pass, v model.Variant) uint32 {
	at := int64(-1)
	if s.Beyond {
		at = p.ISize
	}
	return model.AllocFlags(v, at, p.ISize, p.Flags&record.PassExtents != 0)
}

// otherSummedAlloc is otherAlloc for mappings that are summed up.
func otherSummedAlloc(s *observe.Summed, p *observe.Pass, v model.Variant) bool {
	return s.AllocFlags != 0 && s.AllocFlags != summedAllocFlags(s, p, v)
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
