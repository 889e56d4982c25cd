package recorded

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// tried are the rules that the writes of a recording could have broken: of the others it is
// not known whether the kernel keeps them.
type tried struct {
	unprobed record.Stages
	variant  model.Variant
	known    bool // variant is
	rules    rules.Set
	hazards  [rules.Last + 1]uint64 // writes, by the number of the rule
}

func (t *tried) add(o *observe.Observation, v *judge.Verdict) {
	t.variant, t.known = v.Variant, true
	for r := range v.Hazards.Rules() {
		t.hazards[r.Number()]++
	}
	if v.Kind != judge.Undecided {
		t.rules |= rules.Tried(o, rules.ConditionsOf(v.Variant, t.unprobed))
	}
}

// skipped says why nothing is known of a rule that no write has broken; empty where one
// could have.
func (t *tried) skipped(r *rules.Rule, sample bool) string {
	switch n := t.hazards[r.Number()]; {
	case n > 0:
		return fmt.Sprintf("hazard: %s broke it, and this kernel does not promise it (%s)", export.Plural(n, "write"), r.PromisedBy())
	case t.known && !t.variant.Has(r.Promise):
		return fmt.Sprintf("not promised by this kernel, which counts as %v (%s)", t.variant, r.PromisedBy())
	case r.Needs&t.unprobed != 0:
		return "not seen: a probe that it needs was not attached"
	case sample && rules.Pairs&r.Set != 0:
		return "a sample: what two writes do together was not looked at"
	case t.rules&r.Set == 0:
		return "no write was seen that could have broken it"
	}
	return ""
}
