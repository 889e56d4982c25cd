package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// hypothesis is a way to read what was seen. The zero value takes it as it was seen. The
// others assume what may have been and was not seen, as the kernel reads some facts at
// another instant than the probes.
type hypothesis struct {
	// raced has a bit for every pass whose i_disksize is taken to have grown to
	// i_size after it was read: writeback moves it without i_rwsem.
	raced uint8
	// moved takes it that i_size was another when the lockless guess read it than at
	// the entry and in the first pass, which saw the same. Nobody else can change i_size
	// and change it back unless this write waits for the lock.
	moved bool
	// assume answers a lookup that was not made from the mapping that the write
	// got later, when that one is written.
	assume bool

	// missing names the unknown fact of a write that is lawful under the hypothesis.
	missing string
}

const (
	missingDisksize = "i_disksize: it may have grown between the checks and the decision"
	missingSize     = "i_size: it may have moved and come back while the write waited for the lock"
)

// lawful lists the hypotheses, the likeliest first, under which a write that differs from
// the decision in some fields may be lawful all the same.
func lawful(o *observe.Observation, differ fields) (list []hypothesis) {
	var can uint8
	for i := range min(len(o.Passes), model.MaxPasses) {
		p := &o.Passes[i]
		if end := p.Pos + p.Count; p.Count > 0 && end <= p.ISize && end > p.IDisksize {
			can |= 1 << i
		}
	}
	for raced := uint8(1); raced < 1<<model.MaxPasses; raced++ {
		if raced&^can == 0 {
			list = append(list, hypothesis{raced: raced, missing: missingDisksize})
		}
	}
	if differ.has(FieldFirstLock) && o.Stages.Has(record.StageWait) {
		list = append(list, hypothesis{moved: true, missing: missingSize})
	}
	return list
}

// trial is what a variant decides under one hypothesis, and where that differs from what
// was seen.
type trial struct {
	world world
	d     model.Decision
	diff  fields
}

// decide has v decide about o, and compares that with what was seen.
func (t *trial) decide(o *observe.Observation, v model.Variant, h hypothesis, unprobed record.Stages) {
	t.world.reset(o, h)
	model.Decide(&t.d, &t.world.call, &t.world, v)
	t.diff = t.compare(unprobed)
}

// stricter reports whether the kernel did the same as t but for that it serialised more.
func (t *trial) stricter(differ fields) bool {
	o, d := t.world.o, &t.d
	if d.End != model.EndDio && d.End != model.EndBuffered || differ.has(FieldLookups) && !t.world.assume {
		return false
	}
	more := false
	for f := Field(0); f < numFields; f++ {
		switch {
		case !differ.has(f), f == FieldOps, f == FieldLookups:
		case moreThan(o, d, f):
			more = true
		default:
			return false
		}
	}
	return more
}

// moreThan reports whether o was serialised more than d asks for, which it differs from
// in f.
func moreThan(o *observe.Observation, d *model.Decision, f Field) bool {
	switch f {
	case FieldFirstLock:
		return o.Passes[0].Lock == record.LockExclusive
	case FieldLock:
		return o.Lock == record.LockExclusive
	case FieldPasses:
		return len(o.Passes) > d.Passes
	case FieldDrain:
		return o.Drain != nil
	case FieldForceWait:
		return o.DioFlags&model.DioForceWait != 0
	case FieldCopyDrain:
		return o.Buffered.Drained
	}
	return false
}
