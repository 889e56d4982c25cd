package outcome

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/random"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// sample is a write of package exporttest.
func sample(name string) trial.Seen {
	for _, s := range exporttest.Samples() {
		if s.Name == name {
			return trial.Seen{Observation: s.Obs, Verdict: s.Ver}
		}
	}
	panic("no sample " + name)
}

// good is a run without failures on two configurations.
func good() *Outcome {
	o := &Outcome{
		Tool: "v1", Kernel: "7.3.4 (#1 SMP)", Target: "/dev/sda", Variant: model.Linux73, Seed: 7,
		Started: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Seconds: 61.4,
	}
	id := series.New([]model.Variant{model.Linux73, model.SeriesV2}, 0)
	stripe := sample("two lookups")
	id.Add(stripe.Observation)
	o.Series = id.Report()
	rep := &validate.Report{Variant: model.Linux73, Counts: validate.Counts{Passed: 2, Skipped: 1}, Results: []validate.Result{
		{Theme: "aligned", Scenario: "one", Covers: []string{"checks-with-patch-4/g", "patch-3"}, Line: 3, Write: "write pos=0 len=4K", Status: validate.Passed, Verdict: "agree"},
		{Theme: "unaligned", Scenario: "two", Covers: []string{"patch-4"}, Line: 9, Write: "write pos=512 len=1K", Status: validate.Passed, Verdict: "agree"},
		{Theme: "unaligned", Scenario: "three", Line: 12, Write: "write pos=512 len=2K", Status: validate.Skipped, Reason: "needs <sectors>"},
	}}
	gen := &random.Report{Seed: 7, Variant: model.Linux73, Cases: 3, Writes: 20, Attempts: 21, Observed: trial.Tally{Right: 20, Undecided: 1},
		Known: trial.Tally{Right: 21}, Bytes: trial.Tally{Right: 3}, Remounted: trial.Tally{Right: 3}}
	st := &storm.Report{Seed: 7, Variant: model.Linux73, Storms: []storm.Storm{{Name: "halves", Scenes: 2, Writes: 40, Seen: 41}}, Bytes: trial.Tally{Right: 4}, Observed: trial.Tally{Right: 41}}
	o.Configs = []*Config{
		{Name: "4k", Scenarios: rep, Generated: gen, Storms: st, Checked: true, Remounted: true, Seconds: 60},
		{Name: "dax", NotPossible: "no pmem"},
	}
	return o
}

// bad is one in which each part found something.
func bad() *Outcome {
	o := good()
	c := o.Configs[0]
	c.Fsck = "Block bitmap differences: +1\nFix? no\n"
	c.Scenarios.Passed, c.Scenarios.Failed = 1, 1
	res := &c.Scenarios.Results[1]
	res.Status, res.Diffs = validate.Failed, []trial.Diff{{Field: "lock", Expected: "shared", Observed: "exclusive"}}
	res.Seen = []trial.Seen{sample("zeroing with drain")}
	c.Scenarios.Files, c.Scenarios.WrongFiles = 1, []validate.WrongFile{{Theme: "unaligned", Scenario: "two", Line: 7, Why: []string{"1 bytes differ"}}}
	c.Generated.Bytes = trial.Tally{Right: 2, Wrong: 1}
	c.Generated.Failures = []random.Failure{{Oracle: trial.Bytes, Seed: 7, Case: 2, What: []string{"byte 512 is 0, not 1"}, Commands: "rm -f f && touch f\n", Shrunk: true, Count: 2}}
	c.Storms.Failures = []storm.Failure{{Oracle: trial.Observed, Storm: "halves", Scene: "holes", Round: 3, Writer: 2, Write: "pwrite 0+2048", What: []string{"the model's verdict is unsafe"}, Count: 1, Seen: sample("extending")}}
	c.Storms.Storms[0].Wrong = 1
	o.Series.Patches[3].Answer = series.Contradictory
	return o
}

func TestText(t *testing.T) {
	for name, o := range map[string]*Outcome{"good.txt": good(), "bad.txt": bad()} {
		o.Conclude()
		var b strings.Builder
		if err := o.WriteText(&b, name == "bad.txt"); err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, name, b.String())
	}
}

func TestJUnit(t *testing.T) {
	o := bad()
	o.Conclude()
	var b strings.Builder
	if err := o.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "junit.xml", b.String())
	tests, failures, skipped, err := testkit.ParseJUnit(b.String())
	if err != nil || failures != 6 || skipped < 2 || tests != 10+9 {
		t.Errorf("%d failures, %d skipped, %d tests: %v", failures, skipped, tests, err)
	}
	b.Reset()
	if err := o.WriteKTAP(&b); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "validate.ktap", b.String())
	all, err := testkit.ParseKTAP(b.String())
	bad := 0
	for i := range all {
		if !all[i].OK {
			bad++
		}
	}
	if err != nil || len(all) != tests || bad != failures {
		t.Errorf("KTAP has %d tests and %d failures, JUnit XML %d and %d: %v", len(all), bad, tests, failures, err)
	}
}

func TestConclude(t *testing.T) {
	lost := record.Losses{}
	lost.LostRing = 3
	for name, tt := range map[string]struct {
		change func(*Outcome)
		want   Result
		why    string
	}{
		"all right":     {func(*Outcome) {}, Passed, ""},
		"lost":          {func(o *Outcome) { o.Losses = lost }, Unproven, "records were lost: "},
		"none possible": {func(o *Outcome) { o.Configs = o.Configs[1:] }, NotPossible, "no configuration is possible here"},
		"nothing made": {func(o *Outcome) {
			o.Configs[0] = &Config{Name: "4k", Scenarios: &validate.Report{}}
		}, Unproven, "no write was carried out"},
		"bytes":    {func(o *Outcome) { o.Configs[0].Scenarios.WrongFiles = make([]validate.WrongFile, 2) }, Failed, "2 files of scenarios hold wrong bytes"},
		"scenario": {func(o *Outcome) { o.Configs[0].Scenarios.Results[0].Status = validate.Failed }, Failed, "1 write of a scenario was not as written down"},
		"generated": {func(o *Outcome) { o.Configs[0].Generated.Failures = make([]random.Failure, 2) }, Failed,
			"2 kinds of failures in generated writes"},
		"storm":       {func(o *Outcome) { o.Configs[0].Storms.Failures = make([]storm.Failure, 1) }, Failed, "1 kind of failure in storms"},
		"e2fsck":      {func(o *Outcome) { o.Configs[0].Fsck = "bad" }, Failed, "1 file system on which e2fsck found errors"},
		"contrary":    {func(o *Outcome) { o.Series.Patches[0].Answer = series.Contradictory }, Failed, "patch 1 is there for some writes and not for others"},
		"unexplained": {func(o *Outcome) { o.Series.Explains[0].Disagree = 1 }, Failed, "no known variant explains every decision"},
		"wrong and lost": {func(o *Outcome) { o.Losses, o.Configs[0].Fsck = lost, "bad" }, Failed,
			"1 file system on which e2fsck found errors"},
	} {
		o := good()
		tt.change(o)
		o.Conclude()
		why := strings.Join(o.Why, "; ")
		if o.Result != tt.want || !strings.HasPrefix(why, tt.why) || tt.why == "" && why != "" {
			t.Errorf("%s: %s: %q, want %s: %q", name, o.Result, why, tt.want, tt.why)
		}
		// A test case fails exactly where the run proves something wrong, or nothing at all.
		var ktap strings.Builder
		if err := o.WriteKTAP(&ktap); err != nil {
			t.Fatal(err)
		}
		all, err := testkit.ParseKTAP(ktap.String())
		failed := slices.ContainsFunc(all, func(s testkit.Subtest) bool { return !s.OK })
		if err != nil || failed != (tt.want == Failed || tt.want == Unproven) {
			t.Errorf("%s is %s: %v\n%s", name, o.Result, err, ktap.String())
		}
	}
}

// A run that was cut short proves nothing right, and takes back nothing that is wrong.
func TestInterrupt(t *testing.T) {
	for name, tt := range map[string]struct {
		o    *Outcome
		want Result
		why  string
	}{
		"nothing wrong": {good(), Unproven, "the run was cut short: the disk failed"},
		"nothing made":  {&Outcome{}, Unproven, "the run was cut short: the disk failed"},
		"wrong": {bad(), Failed, "1 write of a scenario was not as written down; 1 file of a scenario holds wrong bytes; " +
			"1 kind of failure in generated writes; 1 kind of failure in storms; 1 file system on which e2fsck found errors; " +
			"patch 4 is there for some writes and not for others; the run was cut short: the disk failed"},
	} {
		tt.o.Conclude()
		tt.o.Interrupt("the disk failed")
		var junit strings.Builder
		if err := tt.o.WriteJUnit(&junit); err != nil || !strings.Contains(junit.String(), `<failure message="the run was cut short: the disk failed">`) {
			t.Errorf("%s: %v, %s", name, err, junit.String())
		}
		if why := strings.Join(tt.o.Why, "; "); tt.o.Result != tt.want || why != tt.why || tt.o.CutShort != "the disk failed" {
			t.Errorf("%s: %s, %q: %q", name, tt.o.Result, tt.o.CutShort, why)
		}
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	o := bad()
	o.Conclude()
	if err := o.Save(dir, false); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"coverage.json", "failures.jsonl", "failures.txt", "junit.xml", "report.json", "report.txt"}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	var back map[string]any
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil || json.Unmarshal(text, &back) != nil || back["result"] != "failed" {
		t.Errorf("report.json: %v, %s", err, text)
	}
	text, err = os.ReadFile(filepath.Join(dir, "failures.jsonl"))
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("failures.jsonl: %v, %s", err, text)
	}
	text, err = os.ReadFile(filepath.Join(dir, "failures.txt"))
	if err != nil || !strings.Contains(string(text), "verdict under linux-7.3") {
		t.Errorf("failures.txt: %v, %s", err, text)
	}
}

// TestConcernsComeFromTheWrite: what a scenario is about stands in only where its
// write tells nothing.
func TestConcernsComeFromTheWrite(t *testing.T) {
	o := bad()
	o.Conclude()
	if f := o.Failures[0]; f.Part != "scenario" || !slices.Equal(f.Concerns, []int{4}) {
		t.Errorf("%+v", f)
	}
	s := sample("aligned overwrite")
	s.Observation = s.Observation.Clone()
	s.Observation.Fmod, s.Verdict = record.FmodFile, judge.Compare(s.Observation, model.Linux73)
	o.Configs[0].Scenarios.Results[1].Seen = []trial.Seen{s}
	o.Conclude()
	if f := o.Failures[0]; !slices.Equal(f.Concerns, []int{5}) {
		t.Errorf("%+v", f.Concerns)
	}
}
