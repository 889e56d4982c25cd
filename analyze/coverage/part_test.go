package coverage

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// A write that waits for its own I/O and for that of others, or does neither, where the model says
// the opposite, parts at the answer from which both follow; one that does one of them, at that test.
func TestPartedWait(t *testing.T) {
	for _, c := range []struct {
		variant model.Variant
		differ  []judge.Field
		want    model.StepID
	}{
		{model.Linux73, []judge.Field{judge.FieldForceWait, judge.FieldDrain}, model.StepNeedsZeroing},
		{model.Linux73, []judge.Field{judge.FieldForceWait}, model.StepSync},
		{model.Linux73, []judge.Field{judge.FieldDrain}, model.StepDrain},
		{model.Linux73, []judge.Field{judge.FieldLock, judge.FieldForceWait, judge.FieldDrain}, model.StepUpgrade},
		{model.Linux72, []judge.Field{judge.FieldForceWait, judge.FieldDrain}, model.StepSync},
	} {
		v := &judge.Verdict{}
		for _, f := range c.differ {
			v.Diffs = append(v.Diffs, judge.Diff{Field: f})
		}
		var want set
		want.test(c.want)
		if got := parted(&observe.Observation{}, &model.Decision{Variant: c.variant}, v); got != want {
			t.Errorf("%v, what differs is %v: parts at %v, want %v", c.variant, c.differ, textOf(got), textOf(want))
		}
	}
}

func textOf(s set) (out []string) {
	for i, p := range points {
		if s.has(i) {
			out = append(out, p.text())
		}
	}
	return out
}
