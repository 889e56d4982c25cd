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
func (f *Failure) see(o *Outcome, s *validate.Seen) {
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

func (o *Outcome) scenarioFailures(c *Config) {
	if c.Scenarios == nil {
		return
	}
	for i := range c.Scenarios.Results {
		res := &c.Scenarios.Results[i]
		if res.Status != validate.Failed {
			continue
		}
		name := res.Theme + "/" + res.Scenario
		f := Failure{Config: c.Name, Part: "scenario", Theme: res.Theme, What: fmt.Sprintf("%s, line %d: %s", name, res.Line, res.Write), Count: 1}
		if res.Reason != "" {
			f.Detail = append(f.Detail, res.Reason)
		}
		for _, d := range res.Diffs {
			f.Detail = append(f.Detail, fmt.Sprintf("%s: expected %s, observed %s", d.Field, d.Expected, d.Observed))
		}
		if n := len(res.Seen); n > 0 {
			f.see(o, &res.Seen[n-1])
		}
		f.Concerns = merge(f.Concerns, res.Patches())
		f.Reproducer = fmt.Sprintf("ext4dio-trace validate %s --scenarios '%s' --writes 0 --storms none --verbose", o.where(c), name)
		o.Failures = append(o.Failures, f)
	}
}

// fileFailures are the files of scenarios that hold other bytes.
func (o *Outcome) fileFailures(c *Config) {
	if c.Scenarios == nil {
		return
	}
	for _, w := range c.Scenarios.WrongFiles {
		name := w.Theme + "/" + w.Scenario
		o.Failures = append(o.Failures, Failure{
			Config: c.Name, Part: "bytes", Theme: w.Theme, What: fmt.Sprintf("of the file of %s, line %d", name, w.Line), Detail: w.Why, Count: 1,
			Reproducer: fmt.Sprintf("ext4dio-trace validate %s --scenarios '%s' --writes 0 --storms none --keep", o.where(c), name),
		})
	}
}

// merge prefers what a wrong decision tells; what the scenario is about stands in
// where that is nothing.
func merge(told, about []int) []int {
	if len(told) > 0 {
		return told
	}
	return about
}

// where is how the command line names the place of c.
func (o *Outcome) where(c *Config) string {
	if c.Name == "" {
		return "--dir DIR"
	}
	return "--device DEV --destroy-data --config " + c.Name
}

func (o *Outcome) generatedFailures(c *Config) {
	if c.Generated == nil {
		return
	}
	for i := range c.Generated.Failures {
		g := &c.Generated.Failures[i]
		f := Failure{Config: c.Name, Part: "generated", Theme: g.Oracle.String(), Count: g.Count, Reproducer: g.Commands}
		f.What = fmt.Sprintf("%s: seed %d, case %d", g.Oracle, g.Seed, g.Case)
		if g.Write != "" {
			f.What += fmt.Sprintf(", step %d: %s", g.Step, g.Write)
		}
		f.Detail = slices.Clone(g.What)
		if g.Layout != "" {
			f.Detail = append(f.Detail, g.Blocks())
		}
		if g.Oracle != random.Bytes {
			f.see(o, &g.Seen)
		}
		f.kind += g.Oracle.String()
		o.Failures = append(o.Failures, f)
	}
}

func (o *Outcome) stormFailures(c *Config) {
	if c.Storms == nil {
		return
	}
	for i := range c.Storms.Failures {
		g := &c.Storms.Failures[i]
		f := Failure{Config: c.Name, Part: "storm", Theme: g.Storm, Detail: slices.Clone(g.What), Count: g.Count}
		f.What = fmt.Sprintf("%s: %s, %s", g.Oracle, g.Storm, g.Scene)
		if g.Round > 0 {
			f.What += fmt.Sprintf(", round %d", g.Round)
		}
		if g.Write != "" {
			f.What += fmt.Sprintf(", writer %d: %s", g.Writer, g.Write)
		}
		if g.Oracle == storm.Observed {
			f.see(o, &g.Seen)
		}
		f.kind += g.Oracle.String()
		f.Reproducer = fmt.Sprintf("ext4dio-trace validate %s --scenarios none --writes 0 --storms %s --seed %d", o.where(c), g.Storm, c.Storms.Seed)
		o.Failures = append(o.Failures, f)
	}
}

// stormTotal is what storms came to, all together.
type stormTotal struct{ writes, wrong, filesRight, filesWrong int }

func stormTotals(r *storm.Report) (t stormTotal) {
	if r == nil {
		return t
	}
	for i := range r.Storms {
		t.wrong += r.Storms[i].Wrong
	}
	t.writes = r.Writes()
	t.filesRight, t.filesWrong = r.Bytes.Right, r.Bytes.Wrong
	return t
}

// stormNames are the storms that ran.
func stormNames(r *storm.Report) []string {
	if r == nil {
		return nil
	}
	var out []string
	for i := range r.Storms {
		if r.Storms[i].Scenes > 0 {
			out = append(out, r.Storms[i].Name)
		}
	}
	return out
}
