package recorded

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// A test case fails exactly where the status of check is not 0: of the ten recorded traces those of
// the wrong kernels, by the rules that they break.
func TestTests(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(paths) != 10 {
		t.Fatal(paths, err)
	}
	breaks := map[string]string{"wrong-tail-unchecked.e4d": "R1 R2 R9", "wrong-always-exclusive.e4d": "R6 R7 R8 R9"}
	// What a kernel does not promise, and what none of its writes could have broken, is not ok.
	skips := map[string]string{
		"base.e4d": "R4 R5 R12", "linux-6.1.e4d": "R5 R12", "linux-6.12.e4d": "R4 R5 R12", "linux-7.2.e4d": "R5 R12", "linux-7.3.e4d": "R5",
		"patch3.e4d": "R4 R5", "patch4.e4d": "R5", "series-v2.e4d": "R5", "wrong-always-exclusive.e4d": "R5", "wrong-tail-unchecked.e4d": "R5",
	}
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
		if err != nil || len(all) != 21 {
			t.Fatalf("%s: %d tests: %v\n%s", path, len(all), err, b.String())
		}
		var broken []string
		failed, untried := 0, []string{}
		for _, s := range all {
			if s.Skipped {
				untried = append(untried, strings.TrimPrefix(strings.SplitN(s.Name, ":", 3)[1], " "))
			}
			if s.OK {
				continue
			}
			failed++
			if rule, ok := strings.CutPrefix(s.Name, "rule: "); ok {
				broken = append(broken, strings.SplitN(rule, ":", 2)[0])
			}
		}
		name := filepath.Base(path)
		if got := strings.Join(untried, " "); got != skips[name] {
			t.Errorf("%s: skipped %q, want %q", name, got, skips[name])
		}
		if got := strings.Join(broken, " "); got != breaks[name] || (failed > 0) != (c.Summary.Totals.Disagreements() > 0) {
			t.Errorf("%s: %d failed, broken %q, want %q", name, failed, got, breaks[name])
		}
		if tests, bad, skipped, err := testkit.ParseJUnit(xml.String()); tests != 21 || bad != failed || skipped != len(untried) || err != nil {
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

// A rule that was not looked at is skipped: one of two writes in a sample, one without its probe,
// one that was broken as a hazard, one that no write could have broken.
func TestSkipped(t *testing.T) {
	all := rules.Set(1<<(rules.Last+1) - 2)
	for _, c := range []struct {
		what   string
		t      tried
		sample bool
		want   string
	}{
		{"all were tried", tried{rules: all, variant: model.Linux73, known: true}, false, ""},
		{"a sample", tried{rules: all, variant: model.Linux73, known: true}, true, "R2 R3 R5"},
		{"6.1", tried{rules: all, variant: model.Linux61, known: true}, false, "R5 R12"},
		{"no probe for zeroing", tried{rules: all, variant: model.Linux73, known: true, unprobed: record.StageZero}, false, "R1 R2 R3"},
		{"a hazard", tried{rules: all, variant: model.Linux73, known: true, hazards: [rules.Last + 1]uint64{4: 1}}, false, "R4"},
		{"writes that are aligned", tried{rules: all &^ (rules.R1 | rules.R2 | rules.R3), variant: model.Linux73, known: true}, false, "R1 R2 R3"},
	} {
		var got []string
		for _, r := range rules.All() {
			if c.t.skipped(&r, c.sample) != "" {
				got = append(got, r.ID)
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %s is skipped, want %s", c.what, got, c.want)
		}
	}
}
