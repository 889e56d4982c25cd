package outcome

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/random"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Failure is one thing that is wrong.
type Failure struct {
	Config string `json:"config,omitempty"`
	Part   string `json:"part"`            // scenario, generated, storm or e2fsck
	Theme  string `json:"theme,omitempty"` // of the scenario, or the storm
	What   string `json:"what"`
	// Detail says what was expected and observed, a sentence each.
	Detail   []string `json:"detail,omitempty"`
	Concerns []int    `json:"concerns,omitempty"` // patches
	Count    int      `json:"count"`              // how often it happened this way
	// Explanation is what "explain" says of the write.
	Explanation string `json:"explanation,omitempty"`
	// Record is the write as it was observed, as a line of "live --json".
	Record json.RawMessage `json:"record,omitempty"`
	// Reproducer is how to see it again: commands for a shell.
	Reproducer string `json:"reproducer,omitempty"`

	kind string // what failures that look alike have in common
}

// see adds what was observed of the write that failed.
func (f *Failure) see(o *Outcome, s *trial.Seen) {
	if s.Observation == nil {
		return
	}
	v := s.Verdict
	if v == nil || v.Variant == 0 {
		v = judge.CompareSeen(s.Observation, o.Variant, o.Unprobed)
	}
	f.Concerns = series.Concerns(s.Observation, o.Variant, o.Unprobed)
	f.kind = fmt.Sprint(f.Part, f.Concerns, v.Kind, v.Rules)
	var row export.Row
	new(export.Maker).Fill(&row, s.Observation, v)
	f.Record = json.RawMessage(strings.TrimSpace(string(row.AppendJSON(nil))))
	var b strings.Builder
	ob := explain.Observed{Title: f.What, Write: s.Observation, Variants: []model.Variant{o.Variant}}
	if err := ob.WriteText(&b); err == nil { // a strings.Builder takes everything
		f.Explanation = b.String()
	}
}

// fail adds a failure on a configuration, which the caller completes.
func (o *Outcome) fail(c *Config, part, theme, what string, detail []string) *Failure {
	o.Failures = append(o.Failures, Failure{Config: c.Name, Part: part, Theme: theme, What: what, Detail: slices.Clone(detail), Count: 1})
	return &o.Failures[len(o.Failures)-1]
}

// again is the command line that repeats a part of a run on a configuration.
func (o *Outcome) again(c *Config, part string, args ...any) string {
	where := "--dir DIR"
	if c.Name != "" {
		where = "--device DEV --destroy-data --config " + c.Name
	}
	return "ext4dio-trace validate " + where + " " + fmt.Sprintf(part, args...)
}

func (o *Outcome) scenarioFailures(c *Config, r *validate.Report) {
	for i := range r.Results {
		res := &r.Results[i]
		if res.Status != validate.Failed {
			continue
		}
		name := res.Theme + "/" + res.Scenario
		f := o.fail(c, "scenario", res.Theme, fmt.Sprintf("%s, line %d: %s", name, res.Line, res.Write), nil)
		if res.Reason != "" {
			f.Detail = append(f.Detail, res.Reason)
		}
		for _, d := range res.Diffs {
			f.Detail = append(f.Detail, d.String())
		}
		if n := len(res.Seen); n > 0 {
			f.see(o, &res.Seen[n-1])
		}
		if len(f.Concerns) == 0 { // where a decision tells nothing
			f.Concerns = res.Patches()
		}
		f.Reproducer = o.again(c, "--scenarios '%s' --writes 0 --storms none --verbose", name)
	}
	for _, w := range r.WrongFiles {
		name := w.Theme + "/" + w.Scenario
		f := o.fail(c, "bytes", w.Theme, fmt.Sprintf("of the file of %s, line %d", name, w.Line), w.Why)
		f.Reproducer = o.again(c, "--scenarios '%s' --writes 0 --storms none --keep", name)
	}
}

func (o *Outcome) generatedFailures(c *Config, r *random.Report) {
	for i := range r.Failures {
		g := &r.Failures[i]
		what := fmt.Sprintf("%s: seed %d, case %d", g.Oracle, g.Seed, g.Case)
		if g.Write != "" {
			what += fmt.Sprintf(", step %d: %s", g.Step, g.Write)
		}
		f := o.fail(c, "generated", string(g.Oracle), what, g.What)
		f.Count, f.Reproducer = g.Count, g.Commands
		if g.Layout != "" {
			f.Detail = append(f.Detail, g.Blocks())
		}
		if g.Oracle != trial.Bytes {
			f.see(o, &g.Seen)
		}
		f.kind += string(g.Oracle)
	}
}

func (o *Outcome) stormFailures(c *Config, r *storm.Report) {
	for i := range r.Failures {
		g := &r.Failures[i]
		what := fmt.Sprintf("%s: %s, %s", g.Oracle, g.Storm, g.Scene)
		if g.Round > 0 {
			what += fmt.Sprintf(", round %d", g.Round)
		}
		if g.Write != "" {
			what += fmt.Sprintf(", writer %d: %s", g.Writer, g.Write)
		}
		f := o.fail(c, "storm", g.Storm, what, g.What)
		f.Count, f.Reproducer = g.Count, o.again(c, "--scenarios none --writes 0 --storms %s --seed %d", g.Storm, r.Seed)
		if g.Oracle == trial.Observed {
			f.see(o, &g.Seen)
		}
		f.kind += string(g.Oracle)
	}
}
