package judge

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
)

// TestVerdictClone: a copy shares nothing with the verdict.
func TestVerdictClone(t *testing.T) {
	make := func() *Verdict {
		return &Verdict{
			Diffs: []Diff{{Seen: "a"}}, Overlaps: []overlap.Pair{{Pos: 1}}, Sleeps: []observe.Sleep{{Ns: 1}}, Expected: &Expected{Passes: 1},
		}
	}
	v := make()
	c := v.Clone()
	v.Diffs[0].Seen, v.Overlaps[0].Pos, v.Sleeps[0].Ns, v.Expected.Passes = "", 0, 0, 0
	if !reflect.DeepEqual(c, make()) {
		t.Errorf("%+v", c)
	}
}

// TestCompared: the table of rules names the fields that break each of them.
func TestCompared(t *testing.T) {
	names := map[rules.Set][]string{rules.R2: {FieldDrain.String()}}
	for f := Field(0); f < numFields; f++ {
		if f.String() == "" {
			t.Errorf("field %d has no name", f)
		}
		if rule := fieldTable[f].rule; rule != 0 {
			names[rule] = append(names[rule], f.String())
		}
	}
	for _, r := range rules.All() {
		if got := strings.Join(r.Compares, ", "); got != strings.Join(names[r.Set], ", ") {
			t.Errorf("%s compares %q, the fields say %q", r.ID, got, names[r.Set])
		}
	}
}
