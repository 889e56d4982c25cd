package validate

import (
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestSketchIsRight shows that the sketch without a fault does what the scenarios
// expect of each kernel that it can be. Without that, what a fault changes would
// say nothing.
func TestSketchIsRight(t *testing.T) {
	scs := builtinScenarios(t)
	for _, v := range sketched() {
		for i := range scs {
			for _, m := range simulate(t, &scs[i], kernelOf(v, sketch.Fault{}), v.String()) {
				t.Errorf("%s: %s", v, m)
			}
		}
	}
}

func builtinScenarios(t *testing.T) []Scenario {
	t.Helper()
	scs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return scs
}

// sketched are the kernels that the sketch can be and that have a name: those after 6.x.
func sketched() (out []model.Variant) {
	for _, v := range model.Distinct() {
		if sketch.Can(v) {
			out = append(out, v)
		}
	}
	return out
}

// kernelOf is the sketch of a variant with a fault.
func kernelOf(v model.Variant, f sketch.Fault) simSketch {
	return simSketch{&sketch.Kernel{Has: v.Behaviours(), Fault: f}}
}

// seen returns which fields show a fault in which scenarios.
func seen(t *testing.T, scs []Scenario, v model.Variant, fault sketch.Fault) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for i := range scs {
		for _, m := range simulate(t, &scs[i], kernelOf(v, fault), v.String()) {
			for _, d := range m.diffs {
				if !slices.Contains(out[m.scenario], d.Field) {
					out[m.scenario] = append(out[m.scenario], d.Field)
				}
			}
		}
	}
	return out
}

// TestConditionsAreNoticed holds CONDITIONS.md against the sketch: with the fault
// of a row on, each scenario of the row fails, and in the fields of the row.
func TestConditionsAreNoticed(t *testing.T) {
	scs := builtinScenarios(t)
	for _, c := range sketch.Rows() {
		if c.Section == sketch.NoDifference {
			for _, v := range []model.Variant{model.Linux73, model.SeriesV2} {
				if got := seen(t, scs, v, c.Fault); len(got) > 0 {
					t.Errorf("%s makes a difference to %s: %v", c.Fault, v, got)
				}
			}
			continue
		}
		v, err := model.ParseVariant(c.Section)
		if err != nil || !sketch.Can(v) {
			t.Errorf("no such kernel %q: %s", c.Section, c.Text)
			continue
		}
		got := seen(t, scs, v, c.Fault)
		for _, name := range c.Scenarios {
			for _, f := range c.Fields {
				if !slices.Contains(got[name], f) {
					t.Errorf("%s: %s of %s does not show it; it shows in %v", c.Fault, f, name, got[name])
				}
			}
		}
	}
}

// faults are the ways in which the sketch of a variant can be wrong.
func faults(t *testing.T, scs []Scenario, v model.Variant) map[sketch.Fault]bool {
	t.Helper()
	asked := map[sketch.Fault]bool{}
	for i := range scs {
		simulate(t, &scs[i], simSketch{&sketch.Kernel{Has: v.Behaviours(), Asked: asked}}, v.String())
	}
	return asked
}

// TestConditionsAreAll wants a row for every fault of the sketch, and a fault for
// every row.
func TestConditionsAreAll(t *testing.T) {
	scs := builtinScenarios(t)
	rows := map[sketch.Fault]bool{}
	for _, c := range sketch.Rows() {
		if rows[c.Fault] {
			t.Errorf("two rows of %s", c.Fault)
		}
		rows[c.Fault] = true
	}
	known := map[sketch.Fault]bool{}
	for _, v := range sketched() {
		for f := range faults(t, scs, v) {
			known[f] = true
			if !rows[f] {
				t.Errorf("%s: nothing about %s in CONDITIONS.md", v, f)
			}
		}
	}
	for f := range rows {
		if !known[f] {
			t.Errorf("CONDITIONS.md: the sketch has no fault %s", f)
		}
	}
	t.Logf("%d ways to be wrong", len(rows))
}
