package outcome

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/random"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Outcome is what a run came to.
type Outcome struct {
	Tool    string        `json:"tool"`    // version of this program
	Kernel  string        `json:"kernel"`  // release and build, as uname tells them
	Target  string        `json:"target"`  // directory, disk or image
	Started time.Time     `json:"started"` // wall clock
	Seconds float64       `json:"seconds"`
	Variant model.Variant `json:"variant"` // that decided what is right
	// Chosen says that the user named the variant.
	Chosen bool           `json:"chosen"`
	Seed   uint64         `json:"seed,omitempty"` // of generated writes and storms
	Series *series.Report `json:"series,omitempty"`
	// Configs are the configurations in the order in which they were made; a
	// directory of the user's is one without a name.
	Configs  []*Config `json:"configs"`
	Failures []Failure `json:"failures,omitempty"`
	// Coverage is which branches of the kernel the writes took, as coverage --json has it: of
	// one variant, or of none when nothing was judged.
	Coverage []coverage.Report `json:"coverage"`
	Losses   record.Losses     `json:"losses"`
	// Unprobed are the stages whose probes were not attached.
	Unprobed record.Stages `json:"-"`
	Result   Result        `json:"result"`
	// CutShort says what ended the run before its time; empty: it came to its end.
	CutShort string `json:"cut_short,omitempty"`
	// Why says in sentences what is wrong or not proven.
	Why []string `json:"why,omitempty"`
}

// Result is what the whole run means.
type Result string

// The results.
const (
	Passed      Result = "passed"
	Failed      Result = "failed"
	Unproven    Result = "unproven"     // nothing wrong was seen, but not all was seen
	NotPossible Result = "not possible" // nothing could be tested here
)

// Config is what was done on one file system.
type Config struct {
	Name string `json:"name,omitempty"`
	// NotPossible says why the configuration cannot be tested here.
	NotPossible string           `json:"not_possible,omitempty"`
	Scenarios   *validate.Report `json:"scenarios,omitempty"`
	Generated   *random.Report   `json:"generated,omitempty"`
	Storms      *storm.Report    `json:"storms,omitempty"`
	// Remounted says that files were compared once more after mounting again.
	Remounted bool `json:"remounted"`
	Checked   bool `json:"checked"` // by e2fsck
	// Fsck is what e2fsck found wrong, empty when nothing.
	Fsck    string  `json:"fsck,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Name of the configuration for people.
func (c *Config) title() string { return cmp.Or(c.Name, "directory") }

// reports are those of the three parts, empty for a part that was not done.
func (c *Config) reports() (s validate.Report, g random.Report, st storm.Report) {
	if c.Scenarios != nil {
		s = *c.Scenarios
	}
	if c.Generated != nil {
		g = *c.Generated
	}
	if c.Storms != nil {
		st = *c.Storms
	}
	return s, g, st
}

// Conclude collects the failures and says what the run means. What the identifier
// found has to be there before.
func (o *Outcome) Conclude() {
	o.Failures, o.Why = nil, nil
	for _, c := range o.Configs {
		s, g, st := c.reports()
		o.scenarioFailures(c, &s)
		o.generatedFailures(c, &g)
		o.stormFailures(c, &st)
		if c.Fsck != "" {
			o.fail(c, "e2fsck", "", "e2fsck found errors", strings.Split(strings.TrimSpace(c.Fsck), "\n"))
		}
	}
	o.Result = Passed
	for _, part := range []struct{ name, one, more string }{
		{"scenario", "write of a scenario was not as written down", "writes of scenarios were not as written down"},
		{"bytes", "file of a scenario holds wrong bytes", "files of scenarios hold wrong bytes"},
		{"generated", "kind of failure in generated writes", "kinds of failures in generated writes"},
		{"storm", "kind of failure in storms", "kinds of failures in storms"},
		{"e2fsck", "file system on which e2fsck found errors", "file systems on which e2fsck found errors"},
	} {
		n := 0
		for i := range o.Failures {
			if o.Failures[i].Part == part.name {
				n++
			}
		}
		switch {
		case n == 1:
			o.Result, o.Why = Failed, append(o.Why, "1 "+part.one)
		case n > 1:
			o.Result, o.Why = Failed, append(o.Why, fmt.Sprintf("%d %s", n, part.more))
		}
	}
	o.judgeSeries()
	if o.Result == Failed {
		return
	}
	switch writes, possible := o.count(); {
	case possible == 0:
		o.Result, o.Why = NotPossible, append(o.Why, "no configuration is possible here")
	case writes == 0:
		o.Result, o.Why = Unproven, append(o.Why, "no write was carried out")
	case o.Losses.Any():
		o.Result, o.Why = Unproven, append(o.Why, "records were lost: "+o.Losses.String())
	}
}

// Interrupt says what ended the run before its time. A run that was cut short proves nothing
// right; what it has seen to be wrong stays wrong.
func (o *Outcome) Interrupt(cause string) {
	o.CutShort = cause
	if o.Result == NotPossible {
		o.Why = nil // nothing was tried to its end
	}
	if o.Result != Failed {
		o.Result = Unproven
	}
	o.Why = append(o.Why, "the run was cut short: "+cause)
}

// Empty reports whether nothing was done.
func (c *Config) Empty() bool {
	return c == nil || c.Scenarios == nil || len(c.Scenarios.Results) == 0 && c.Generated == nil && c.Storms == nil
}

// Summary is one line about a configuration.
func (c *Config) Summary() string {
	if c.NotPossible != "" {
		return "not possible: " + c.NotPossible
	}
	var parts []string
	s, g, st := c.reports()
	if len(s.Results) > 0 {
		parts = append(parts, "scenarios: "+s.Summary())
	}
	if c.Generated != nil {
		parts = append(parts, fmt.Sprintf("generated: %d writes, %d kinds of failures", g.Writes, len(g.Failures)))
	}
	if n := st.Writes(); n > 0 {
		parts = append(parts, fmt.Sprintf("storms: %d writes, %d wrong", n, st.Wrong()))
	}
	parts = append(parts, fmt.Sprintf("%.0f s", c.Seconds))
	return strings.Join(parts, "; ")
}

// judgeSeries adds what the answers about the patches say.
func (o *Outcome) judgeSeries() {
	s := o.Series
	if s == nil || s.Writes == 0 {
		return
	}
	if !s.Explained() {
		o.Result = Failed
		o.Why = append(o.Why, "no known variant explains every decision")
	}
	for _, p := range s.Patches {
		if p.Answer == series.Contradictory {
			o.Result = Failed
			o.Why = append(o.Why, fmt.Sprintf("patch %d is there for some writes and not for others", p.Patch))
		}
	}
}

// count is the number of judged writes, and of configurations that are possible.
func (o *Outcome) count() (writes, possible int) {
	for _, c := range o.Configs {
		if c.NotPossible != "" {
			continue
		}
		possible++
		s, g, st := c.reports()
		writes += s.Passed + s.Failed + g.Writes + st.Writes()
	}
	return writes, possible
}
