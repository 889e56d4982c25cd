package validate

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestSketchIsRight shows that the sketch without a fault does what the scenarios
// expect of each kernel that it can be. Without that, what a fault changes would
// say nothing.
func TestSketchIsRight(t *testing.T) {
	scs := builtinScenarios(t)
	for v, has := range sketched {
		for i := range scs {
			for _, m := range simulate(t, &scs[i], &sketch{patches: has}, v) {
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

// condition is a row of CONDITIONS.md that names a fault of the sketch.
type condition struct {
	kernel    string // a section with the name of a variant; or noDifference
	fault     string
	scenarios []string
	fields    []string
	text      string
}

const noDifference = "No difference"

// conditions reads the rows of CONDITIONS.md that end in the name of a fault.
func conditions(t *testing.T) []condition {
	t.Helper()
	text, err := os.ReadFile("scenarios/CONDITIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []condition
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if h, ok := strings.CutPrefix(line, "## "); ok {
			section = h
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		fault, ok := strings.CutPrefix(cells[len(cells)-1], "`")
		if !ok || !strings.HasPrefix(line, "| ext4_") && !strings.HasPrefix(line, "| kiocb_") {
			continue
		}
		c := condition{kernel: section, fault: strings.TrimSuffix(fault, "`"), text: line}
		if section != noDifference {
			if len(cells) != 6 {
				t.Fatalf("a row of %d cells: %s", len(cells), line)
			}
			c.scenarios, c.fields = strings.Split(cells[3], ", "), strings.Split(cells[4], ", ")
		}
		out = append(out, c)
	}
	return out
}

// seen returns which fields show a fault in which scenarios.
func seen(t *testing.T, scs []Scenario, kernel, fault string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for i := range scs {
		for _, m := range simulate(t, &scs[i], &sketch{patches: sketched[kernel], fault: fault}, kernel) {
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
	for _, c := range conditions(t) {
		if c.kernel == noDifference {
			for _, v := range []string{"linux-7.3", "series-v2"} {
				if got := seen(t, scs, v, c.fault); len(got) > 0 {
					t.Errorf("%s makes a difference to %s: %v", c.fault, v, got)
				}
			}
			continue
		}
		if _, ok := sketched[c.kernel]; !ok {
			t.Errorf("no such kernel %q: %s", c.kernel, c.text)
			continue
		}
		got := seen(t, scs, c.kernel, c.fault)
		for _, name := range c.scenarios {
			for _, f := range c.fields {
				if !slices.Contains(got[name], f) {
					t.Errorf("%s: %s of %s does not show it; it shows in %v", c.fault, f, name, got[name])
				}
			}
		}
	}
}

// faults lists the ways in which the sketch of a variant can be wrong.
func faults(t *testing.T, scs []Scenario, kernel string) []string {
	t.Helper()
	asked := map[string]bool{}
	for i := range scs {
		simulate(t, &scs[i], &sketch{patches: sketched[kernel], asked: asked}, kernel)
	}
	return slices.Sorted(maps.Keys(asked))
}

// TestConditionsAreAll wants a row for every fault of the sketch, and a fault for
// every row.
func TestConditionsAreAll(t *testing.T) {
	scs := builtinScenarios(t)
	rows := map[string]bool{}
	for _, c := range conditions(t) {
		if rows[c.fault] {
			t.Errorf("two rows of %s", c.fault)
		}
		rows[c.fault] = true
	}
	known := map[string]bool{}
	for _, v := range []string{"patch3", "linux-7.3", "series-v2"} {
		for _, f := range faults(t, scs, v) {
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
