package validate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// witness is the right kernel. Of each write of a scenario it takes the faults with which check
// would disagree, as all of the file is known here, and gives what the tracer would see to coverage.
type witness struct {
	simSketch
	t     *testing.T
	v     model.Variant
	cover *coverage.Coverage
	truth map[sketch.Fault]bool
}

func (k witness) attempt(f *simFile, w *simWrite) *observe.Observation {
	clear(k.Asked)
	o := k.simSketch.attempt(f, w)
	ver := judge.Compare(o, k.v)
	if ver.Kind != judge.Agree {
		k.t.Errorf("%s: %s: %q", k.v, ver.Kind, ver.Why())
	}
	k.cover.Add(o, ver)
	for fault := range k.Asked {
		if !k.truth[fault] {
			k.truth[fault] = judge.Compare(kernelOf(k.v, fault).attempt(f.clone(), w), k.v).Kind.Disagrees()
		}
	}
	return o
}

// noticed is in which scenarios check would notice each fault, and in which coverage says so of
// the writes of the right kernel.
func noticed(t *testing.T, v model.Variant) (truth, claimed map[sketch.Fault][]string) {
	t.Helper()
	truth, claimed = map[sketch.Fault][]string{}, map[sketch.Fault][]string{}
	scs := builtinScenarios(t)
	for i := range scs {
		k := witness{kernelOf(v, sketch.Fault{}), t, v, new(coverage.Coverage), map[sketch.Fault]bool{}}
		k.Asked = map[sketch.Fault]bool{}
		simulate(t, &scs[i], k, v.String())
		for f, is := range k.truth {
			if !is {
				continue
			}
			truth[f] = append(truth[f], scs[i].Name)
		}
		c := k.cover.Conditions(v)
		if c.Other > 0 {
			t.Errorf("%s: %s: %d writes are not repeated", v, scs[i].Name, c.Other)
		}
		for _, r := range c.Rows {
			if f := faultOf(r.Fault); r.State == coverage.Noticed {
				claimed[f] = append(claimed[f], scs[i].Name)
			}
		}
	}
	return truth, claimed
}

func faultOf(name string) sketch.Fault {
	condition, way, _ := strings.Cut(name, "/")
	return sketch.Fault{Condition: condition, Way: way}
}

// TestNoticedIsTrue: what coverage says that writes would have shown, check shows, and the other
// way round. What it does not say is in the golden, with the scenarios.
func TestNoticedIsTrue(t *testing.T) {
	for _, v := range sketched() {
		truth, claimed := noticed(t, v)
		var b strings.Builder
		all, said := 0, 0
		for _, r := range sketch.Of(v) {
			if len(truth[r.Fault]) > 0 == (r.Hidden(v) && !r.Untold()) || len(claimed[r.Fault]) > 0 == r.Hidden(v) {
				t.Errorf("%s: %s: check notices it in %v, coverage tells so of %v, and CONDITIONS.md has the contrary", v, r.Fault, truth[r.Fault], claimed[r.Fault])
			}
			for _, sc := range claimed[r.Fault] {
				if !slices.Contains(truth[r.Fault], sc) {
					t.Errorf("%s: the writes of %s are said to show %s, and do not", v, sc, r.Fault)
				}
			}
			less := slices.DeleteFunc(slices.Clone(truth[r.Fault]), func(sc string) bool { return slices.Contains(claimed[r.Fault], sc) })
			all, said = all+len(truth[r.Fault]), said+len(claimed[r.Fault])
			if len(less) > 0 {
				fmt.Fprintf(&b, "%s: %d of %d, not %s\n", r.Fault, len(claimed[r.Fault]), len(truth[r.Fault]), strings.Join(less, ", "))
			}
		}
		for f := range truth {
			if !slices.ContainsFunc(sketch.Of(v), func(r *sketch.Row) bool { return r.Fault == f }) {
				t.Errorf("%s: check notices %s, and it is no row of this kernel", v, f)
			}
		}
		fmt.Fprintf(&b, "all: %d of %d\n", said, all)
		testkit.Golden(t, "noticed-"+v.String()+".txt", b.String())
	}
}
