package recorded

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

// A test case fails exactly where the status of check is not 0: of the ten recorded traces those of
// the wrong kernels, by the rules that they break.
func TestTests(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(paths) != 10 {
		t.Fatal(paths, err)
	}
	rules := map[string]string{"wrong-tail-unchecked.e4d": "R1 R2 R9", "wrong-always-exclusive.e4d": "R6 R7 R8 R9"}
	for _, path := range paths {
		c, err := Check(t.Context(), recording(t, path), "auto")
		if err != nil {
			t.Fatal(err)
		}
		var b, xml strings.Builder
		if err := Tests([]*Checked{c}).WriteKTAP(&b); err != nil {
			t.Fatal(err)
		}
		if err := Tests([]*Checked{c}).WriteJUnit(&xml); err != nil {
			t.Fatal(err)
		}
		all, err := testkit.ParseKTAP(b.String())
		if err != nil || len(all) != 20 {
			t.Fatalf("%s: %d tests: %v\n%s", path, len(all), err, b.String())
		}
		var broken []string
		failed := 0
		for _, s := range all {
			if s.OK {
				continue
			}
			failed++
			if rule, ok := strings.CutPrefix(s.Name, "rule: "); ok {
				broken = append(broken, strings.SplitN(rule, ":", 2)[0])
			}
		}
		name := filepath.Base(path)
		if got := strings.Join(broken, " "); got != rules[name] || (failed > 0) != (c.Summary.Totals.Disagreements() > 0) {
			t.Errorf("%s: %d failed, broken %q, want %q", name, failed, got, rules[name])
		}
		if tests, bad, skipped, err := testkit.ParseJUnit(xml.String()); tests != 20 || bad != failed || skipped != 0 || err != nil {
			t.Errorf("%s: JUnit XML of %d tests, %d failed, %d skipped: %v", name, tests, bad, skipped, err)
		}
	}
}

// What is not proven fails, and says that it is unproven: writes that are lost, a trace that is cut
// off, a requirement of which nothing is known. What nobody saw is skipped.
func TestTestsUnproven(t *testing.T) {
	policies, err := expect.Parse("", `path~"nowhere": undecided=0`)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Check(t.Context(), recording(t, "../../testdata/traces/linux-7.3.e4d"), "auto", policies...)
	if err != nil {
		t.Fatal(err)
	}
	c.Summary.Losses.LostRing = 3
	c.Summary.Totals.Incomplete = 2
	var b strings.Builder
	if err := Tests([]*Checked{c}).WriteKTAP(&b); err != nil {
		t.Fatal(err)
	}
	all, err := testkit.ParseKTAP(b.String())
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, s := range all {
		if !s.OK {
			failed = append(failed, s.Name)
			if len(s.Notes) == 0 || !strings.HasPrefix(strings.ToLower(s.Notes[0]), "unproven: ") {
				t.Errorf("%+v", s)
			}
		}
	}
	want := `seen: no write is lost, seen: the record of every write is complete, expect: undecided=0 (path~"nowhere")`
	if got := strings.Join(failed, ", "); got != want {
		t.Errorf("failed: %s", got)
	}
	c.Summary.Totals.Writes = 0
	for _, s := range c.cases() {
		if (s.Class == "rule" || s.Class == "verdict") && s.Skipped == "" {
			t.Errorf("nothing was seen, and %+v", s)
		}
	}
	if empty := Tests(nil); len(empty.Suites) != 1 || empty.Suites[0].Cases[0].Failed == "" {
		t.Errorf("of nothing %+v", empty)
	}
}
