package outcome

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/testreport"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
)

// WriteJUnit writes the report as JUnit XML.
func (o *Outcome) WriteJUnit(w io.Writer) error { return o.tests().WriteJUnit(w) }

// WriteKTAP writes the report as KTAP.
func (o *Outcome) WriteKTAP(w io.Writer) error { return o.tests().WriteKTAP(w) }

// tests are a suite for each configuration and one for the patches, a test case for each
// scenario, oracle and storm.
func (o *Outcome) tests() *testreport.Report {
	all := &testreport.Report{Name: "ext4dio-trace validate: " + o.Kernel, Started: o.Started, Seconds: o.Seconds}
	for _, c := range o.Configs {
		all.Add(testreport.Suite{Name: c.title(), Cases: o.configCases(c)})
	}
	if o.Series != nil {
		all.Add(testreport.Suite{Name: "patches", Cases: seriesCases(o.Series)})
	}
	run := testreport.Case{Class: "run"}
	switch { // Nothing else in here may be wrong, and yet it is no success.
	case o.CutShort != "":
		run.Name, run.Failed = "came to its end", "the run was cut short: "+o.CutShort
	case o.Result == Unproven:
		run.Name, run.Failed = "proves something", strings.Join(o.Why, "; ")
	default:
		return all
	}
	all.Add(testreport.Suite{Name: "run", Cases: []testreport.Case{run}})
	return all
}

// seriesCases are the answers about the patches.
func seriesCases(s *series.Report) (out []testreport.Case) {
	for _, p := range s.Patches {
		c := testreport.Case{Class: "patches", Name: fmt.Sprintf("patch %d %s: %s", p.Patch, p.Answer, p.Title)}
		switch p.Answer {
		case series.Contradictory:
			c.Failed = cmp.Or(p.Why, "contradictory")
		case series.NotTestable:
			c.Skipped = cmp.Or(p.Why, "not testable here")
		}
		out = append(out, c)
	}
	c := testreport.Case{Class: "patches", Name: "one variant explains every decision"}
	if !s.Explained() {
		c.Failed = "no known variant explains every decision"
	}
	return append(out, c)
}

// configCases are the test cases of one configuration.
func (o *Outcome) configCases(c *Config) []testreport.Case {
	if c.NotPossible != "" {
		return []testreport.Case{{Class: c.title(), Name: "configuration", Skipped: "not possible: " + c.NotPossible}}
	}
	scenarios, _, st := c.reports()
	var storms []string // that ran
	for i := range st.Storms {
		if st.Storms[i].Scenes > 0 {
			storms = append(storms, st.Storms[i].Name)
		}
	}
	out := scenarioCases(&scenarios)
	add := func(there bool, part string, names ...string) {
		for _, name := range names {
			if there {
				out = append(out, o.partCase(c, part, name))
			}
		}
	}
	add(c.Scenarios != nil, "bytes", "")
	add(c.Generated != nil, "generated", "observed", "known", "bytes")
	add(true, "storm", storms...)
	add(c.Checked, "e2fsck", "")
	return append(out, o.otherCases(c, out)...)
}

// otherCases are the failures on a configuration that are of none of its cases, such as those of a
// storm that came to no scene: no failure is left out.
func (o *Outcome) otherCases(c *Config, cases []testreport.Case) (out []testreport.Case) {
	for i := range o.Failures {
		f := &o.Failures[i]
		if f.Config != c.Name || f.Part == "scenario" {
			continue
		}
		one := o.partCase(c, f.Part, f.Theme)
		known := func(other testreport.Case) bool {
			return other.Class == f.Part && (other.Name == one.Name || other.Name == f.Part) && other.Failed != ""
		}
		if !slices.ContainsFunc(cases, known) && !slices.ContainsFunc(out, known) {
			out = append(out, one)
		}
	}
	return out
}

// scenarioCases are the scenarios of a report, each with its writes together.
func scenarioCases(r *validate.Report) []testreport.Case {
	var out []testreport.Case
	for i := range r.Results {
		res := &r.Results[i]
		if n := len(out); n == 0 || out[n-1].Class != res.Theme || out[n-1].Name != res.Scenario {
			out = append(out, testreport.Case{Class: res.Theme, Name: res.Scenario})
		}
		c := &out[len(out)-1]
		switch res.Status {
		case validate.Failed:
			var b strings.Builder
			res.AppendText(&b)
			c.Failed, c.Skipped = "a write was not as written down", ""
			c.Detail += b.String()
		case validate.Skipped:
			if c.Failed == "" {
				c.Skipped = cmp.Or(res.Reason, "not possible here")
			}
		}
	}
	return out
}

// partCase is one oracle of the generated writes, one storm, or e2fsck.
func (o *Outcome) partCase(c *Config, part, name string) testreport.Case {
	out := testreport.Case{Class: part, Name: strings.TrimSpace(part + " " + name)}
	for i := range o.Failures {
		f := &o.Failures[i]
		if f.Config != c.Name || f.Part != part || name != "" && f.Theme != name {
			continue
		}
		if out.Failed == "" {
			out.Failed = cmp.Or(f.What, part)
		}
		out.Detail += f.What + "\n" + strings.Join(f.Detail, "\n") + "\n" + f.Reproducer + "\n"
	}
	return out
}
