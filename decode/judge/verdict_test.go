package judge

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestVerdictClone: a copy shares nothing with the verdict.
func TestVerdictClone(t *testing.T) {
	v := &Verdict{Why: []string{"a"}, Rules: []string{"R1"}, Hazards: []string{"R5"}, Overlaps: []overlap.Pair{{Pos: 1}}, Expected: &Expected{Passes: 1}}
	c := v.Clone()
	v.Why[0], v.Rules[0], v.Hazards[0], v.Overlaps[0].Pos, v.Expected.Passes = "", "", "", 0, 0
	want := &Verdict{Why: []string{"a"}, Rules: []string{"R1"}, Hazards: []string{"R5"}, Overlaps: []overlap.Pair{{Pos: 1}}, Expected: &Expected{Passes: 1}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
}

// TestCompared: the table names the fields that the comparison maps to each rule.
func TestCompared(t *testing.T) {
	c := new(comparer)
	c.d.Variant = model.Linux73
	o := &observe.Observation{Passes: []observe.Pass{{}}, Blkbits: 12}
	fields := map[rules.Set][]string{rules.R2: {"drain"}}
	for _, m := range ruleOf {
		field, _, _ := strings.Cut(c.sentence(o, &c.d, m.diff), ":")
		fields[m.rule] = append(fields[m.rule], field)
	}
	for _, r := range rules.All() {
		if got := strings.Join(r.Compares, ", "); got != strings.Join(fields[r.Set], ", ") {
			t.Errorf("%s compares %q, the comparison says %q", r.ID, got, fields[r.Set])
		}
	}
}
