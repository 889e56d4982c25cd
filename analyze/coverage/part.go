package coverage

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Where the way of the kernel parts from that of the model is told by what differs: the first
// field in the kernel's order, and the test that decides it. It says which test to look at in
// a wrong kernel; a lost point alone may be lost to the same writes further down their way.

// parting counts the writes whose ways part at a point.
type parting struct{ writes, first uint64 }

func (p *parting) add(q parting) {
	if p.writes == 0 {
		p.first = q.first
	}
	p.writes += q.writes
}

// parts counts a write that has these points, with its number.
func (n *counts) parts(s set, seq uint64) {
	for i := range n.parted {
		if s.has(i) {
			n.parted[i].add(parting{1, seq})
		}
	}
}

// partOrder are the fields that can differ, in the kernel's order. Those of no test are left out.
var partOrder = []judge.Field{
	judge.FieldFirstLock, judge.FieldDirect, judge.FieldResult, judge.FieldLookups, judge.FieldPasses, judge.FieldLock, judge.FieldForceWait,
	judge.FieldDrain, judge.FieldEagain, judge.FieldModifier, judge.FieldOps, judge.FieldAlloc, judge.FieldZeroed, judge.FieldQueued, judge.FieldCopyDrain,
}

// parted are the points at which the ways part, of a write that disagrees; none where what differs is of no test.
func parted(o *observe.Observation, d *model.Decision, v *judge.Verdict) (s set) {
	differs := func(f judge.Field) bool {
		return slices.ContainsFunc(v.Diffs, func(diff judge.Diff) bool { return diff.Field == f })
	}
	for _, f := range partOrder {
		switch {
		case !differs(f):
			continue
		case differs(judge.FieldForceWait) && differs(judge.FieldDrain) && isWait(f) && d.Variant.Has(model.NeedsZeroing):
			s.test(model.StepNeedsZeroing) // of which both tests follow
		default:
			s.partAt(f, o, d)
		}
		return s
	}
	if v.Rules&rules.R12 != 0 {
		s.add(atAfter + refusedMapping)
	}
	return s
}

func (s *set) partAt(f judge.Field, o *observe.Observation, d *model.Decision) {
	switch f {
	case judge.FieldLookups:
		s.test(lookupTest(o, d))
	case judge.FieldPasses, judge.FieldLock:
		s.test(upgradeTest(o, d))
	case judge.FieldForceWait, judge.FieldDrain:
		s.test(waitTest(f, o, d))
	case judge.FieldEagain:
		s.eagain(o, d)
	case judge.FieldAlloc:
		s.kind(allocBeyond, allocInside, allocBlockMap)
	case judge.FieldZeroed:
		s.kind(zeroHead, zeroTail, zeroEOF, zeroNothing)
	case judge.FieldQueued:
		s.kind(queued, waited)
	case judge.FieldCopyDrain:
		s.kind(fallback, fallbackDrained)
	default:
		s.test(testOf[f])
	}
}

func isWait(f judge.Field) bool { return f == judge.FieldForceWait || f == judge.FieldDrain }

// testOf are the tests that decide a field on their own.
var testOf = map[judge.Field]model.StepID{
	judge.FieldFirstLock: model.StepFirstLock, judge.FieldDirect: model.StepUseDio, judge.FieldResult: model.StepChecks,
	judge.FieldForceWait: model.StepSync, judge.FieldDrain: model.StepDrain, judge.FieldModifier: model.StepModified, judge.FieldOps: model.StepOps,
}

// test adds the ways of a test of the model, and why the shared lock does not do by it.
func (s *set) test(t model.StepID) {
	for i, w := range ways {
		if w.ID == t {
			s.add(i)
		}
	}
	if i := slices.Index(wants, model.ReasonBy(t)); i >= 0 {
		s.add(atWants + i)
	}
}

// kind adds ways behind atAfter.
func (s *set) kind(all ...int) {
	for _, i := range all {
		s.add(atAfter + i)
	}
}

// lookupTest is the test whose lookup is the first that the kernel made otherwise.
func lookupTest(o *observe.Observation, d *model.Decision) model.StepID {
	// An aligned write is looked up by ext4_overwrite_io only, which patch 3 has it skip.
	if unaligned, known := o.Unaligned(); known && !unaligned || !d.Variant.Has(model.NeedsZeroing) {
		return model.StepOverwrite
	}
	for i := range min(d.Passes, len(o.Passes)) {
		p, want := &o.Passes[i], &d.Pass[i]
		for n := range max(len(p.Lookups), want.N) {
			if n < len(p.Lookups) && n < min(want.N, model.MaxQueries) && p.Lookups[n].Query() == want.Queries[n] {
				continue
			}
			// The block at the head is asked for first, where it is a partial one.
			if n == 0 && p.Pos&(1<<o.Blkbits-1) != 0 {
				return model.StepHead
			}
			return model.StepTail
		}
	}
	return model.StepNeedsZeroing
}

// upgradeTest is the test by which the shared lock should have been given up, or should not.
func upgradeTest(o *observe.Observation, d *model.Decision) model.StepID {
	if t, ok := model.StepFor(d.Reason); ok && d.Mode != model.Shared {
		return t
	}
	unaligned, _ := o.Unaligned()
	switch {
	case d.Variant.Has(model.NeedsZeroing) && unaligned:
		return model.StepNeedsZeroing
	case d.Variant.Has(model.AlignedUnchecked) && !unaligned:
		return model.StepUpgrade
	}
	return model.StepOverwrite
}

// waitTest is the test by which the write should have waited, or should not. Under a lock that was exclusive from
// the first, what a partial block needs decides nothing before that.
func waitTest(f judge.Field, o *observe.Observation, d *model.Decision) model.StepID {
	unaligned, _ := o.Unaligned()
	if unaligned && d.Variant.Has(model.NeedsZeroing) && len(o.Passes) == 1 && o.Lock == record.LockExclusive {
		return model.StepNeedsZeroing
	}
	return testOf[f]
}

// eagain adds the point at which NOWAIT ends the write on one side only.
func (s *set) eagain(o *observe.Observation, d *model.Decision) {
	if slices.ContainsFunc(o.Mappings, func(m observe.Mapping) bool { return m.Err == model.ENOTBLK }) {
		s.kind(refusedMapping) // patch 1 refuses before that: wherever the write ended afterwards
		return
	}
	at, refused := o.Refused()
	if i := slices.Index(refuses, d.End); d.End == model.EndN2 || refused && at == observe.AtExclusive {
		s.test(upgradeTest(o, d))
		return
	} else if i >= 0 {
		s.add(atRefuses + i)
		return
	}
	end, ok := map[observe.Point]model.End{
		observe.AtTrylock: model.EndN1, observe.AtWait: model.EndN3, observe.AtTimes: model.EndN4, observe.AtBuffered: model.EndN0,
	}[at]
	switch {
	case refused && ok:
		s.add(atRefuses + slices.Index(refuses, end))
	case refused && at == observe.AtPageCache:
		s.kind(refusedCached)
	default:
		s.kind(refusedMapping)
	}
}

// Concerned reports whether writes that disagree were to take the point, or part from the model there.
func (p Point) Concerned() bool { return p.Disputed+p.Parted > 0 }

// Parted are the tests at which the ways of writes that disagree part from the model's, each once: those at which the most do first.
func (r *Report) Parted() []Point {
	out := []Point{}
	for i := range r.Points {
		p := r.Points[i]
		if p.Parted == 0 || p.Condition == points[atWants].condition { // Points can be some of all
			continue // why the lock does not do is the answer to another test
		}
		if n := len(out); n > 0 && out[n-1].Function == p.Function && out[n-1].Condition == p.Condition {
			continue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Point) int { return int(int64(b.Parted) - int64(a.Parted)) })
	return out
}
