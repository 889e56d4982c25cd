package validate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// notSimulated lists the fields that are not compared in a scenario, for want of
// something that the file in memory does not have, and why. An empty list of
// fields leaves the scenario out. At present none needs to be.
var notSimulated = map[string]struct {
	fields []string
	why    string
}{}

// miss is a judged write that is not as expected.
type miss struct {
	scenario, text string
	diffs          []trial.Diff
}

func (m miss) String() string {
	s := m.scenario + ": " + m.text
	for _, d := range m.diffs {
		s += fmt.Sprintf("\n\t%s: expected %s, simulated %s", d.Field, d.Expected, d.Observed)
	}
	return s
}

// simulate carries out a scenario on a file in memory and returns the writes that
// are not as expected of the variant.
func simulate(t *testing.T, sc *Scenario, k simKernel, variant string) []miss {
	t.Helper()
	skip, known := notSimulated[sc.Name]
	if known && len(skip.fields) == 0 {
		return nil
	}
	f := newSimFile(simBlockSize(sc))
	f.journalled = needs(sc, traitDirect, 0)
	var out []miss
	for _, st := range sc.Steps {
		if st.Setup != nil {
			if why := f.apply(st.Setup); why != "" {
				t.Fatalf("%s.txt:%d: %s (%s)", sc.Theme, st.Line, why, f)
			}
			continue
		}
		want := st.Write.Expect[variant]
		diffs := simulateWrite(&f, st.Write, k, want)
		diffs = slices.DeleteFunc(diffs, func(d trial.Diff) bool { return slices.Contains(skip.fields, d.Field) })
		if len(diffs) > 0 {
			out = append(out, miss{sc.Name, st.Text, diffs})
		}
	}
	return out
}

// simulateWrite makes one judged write, in each way that the expectation leaves
// open, and returns the differences of the best.
func simulateWrite(f **simFile, w *Write, k simKernel, want Fields) []trial.Diff {
	if w.Fresh >= 0 {
		(*f).freshen(w)
	}
	var best []trial.Diff
	var left *simFile
	for _, stale := range []bool{w.Fresh < 0, false} {
		g := (*f).clone()
		o := simulateAttempts(g, w, k, stale)
		if diffs := Compare(want, o); left == nil || len(diffs) < len(best) {
			best, left = diffs, g
		}
		if !uring(w) {
			break // only io_uring tries without waiting whatever the text says
		}
	}
	*f = left
	if w.Held >= 0 {
		(*f).buffered(w.Held, (*f).bs)
	}
	return best
}

// TestScenariosAgreeWithModel holds every expectation that was written down
// against what the model predicts for the layout that the scenario makes: two
// readings of the kernel's source by different ways.
func TestScenariosAgreeWithModel(t *testing.T) {
	scs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range scs {
		for _, v := range model.Variants() {
			for _, m := range simulate(t, &scs[i], modelKernel{variant: v}, v.String()) {
				t.Errorf("%s: %s", v, m)
			}
			n += scs[i].Writes()
		}
	}
	names := map[string]bool{}
	for _, sc := range scs {
		names[sc.Name] = true
	}
	for name, skip := range notSimulated {
		if !names[name] || strings.TrimSpace(skip.why) == "" {
			t.Errorf("%s is left out: no such scenario, or no reason", name)
		}
	}
	t.Logf("%d writes compared", n)
}
