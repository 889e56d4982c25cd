package outcome

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
)

// The elements of JUnit XML, as far as CI systems read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string    `xml:"classname,attr"`
		Name    string    `xml:"name,attr"`
		Failure *junitWhy `xml:"failure,omitempty"`
		Skipped *junitWhy `xml:"skipped,omitempty"`
	}
	junitWhy struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit XML: a suite for each configuration and one
// for the patches, a test case for each scenario, oracle and storm.
func (o *Outcome) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "ext4dio-trace validate: " + o.Kernel, Time: fmt.Sprintf("%.3f", o.Seconds)}
	stamp := o.Started.UTC().Format("2006-01-02T15:04:05")
	for _, c := range o.Configs {
		all.add(junitSuite{Name: c.title(), Timestamp: stamp, Cases: o.junitCases(c)})
	}
	if o.Series != nil {
		s := junitSuite{Name: "patches", Timestamp: stamp}
		for _, p := range o.Series.Patches {
			jc := junitCase{Class: "patches", Name: fmt.Sprintf("patch %d %s: %s", p.Patch, p.Answer, p.Title)}
			switch p.Answer {
			case series.Contradictory:
				jc.Failure = &junitWhy{Message: p.Why}
			case series.NotTestable:
				jc.Skipped = &junitWhy{Message: p.Why}
			}
			s.Cases = append(s.Cases, jc)
		}
		jc := junitCase{Class: "patches", Name: "one variant explains every decision"}
		if !o.Series.Explained() {
			jc.Failure = &junitWhy{Message: "no known variant explains every decision"}
		}
		s.Cases = append(s.Cases, jc)
		all.add(s)
	}
	if o.CutShort != "" {
		// Nothing else in here may be wrong, and yet it is no success.
		all.add(junitSuite{Name: "run", Timestamp: stamp, Cases: []junitCase{
			{Class: "run", Name: "came to its end", Failure: &junitWhy{Message: "the run was cut short: " + o.CutShort}},
		}})
	}
	text, err := xml.MarshalIndent(&all, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	}
	if err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	return nil
}

func (all *junitSuites) add(s junitSuite) {
	for i := range s.Cases {
		s.Tests++
		switch {
		case s.Cases[i].Failure != nil:
			s.Failures++
		case s.Cases[i].Skipped != nil:
			s.Skipped++
		}
	}
	all.Suites = append(all.Suites, s)
	all.Tests += s.Tests
	all.Failures += s.Failures
	all.Skipped += s.Skipped
}

// junitCases are the test cases of one configuration.
func (o *Outcome) junitCases(c *Config) []junitCase {
	if c.NotPossible != "" {
		return []junitCase{{Class: c.title(), Name: "configuration", Skipped: &junitWhy{Message: "not possible: " + c.NotPossible}}}
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
				out = append(out, o.junitPart(c, part, name))
			}
		}
	}
	add(c.Scenarios != nil, "bytes", "")
	add(c.Generated != nil, "generated", "observed", "known", "bytes")
	add(true, "storm", storms...)
	add(c.Checked, "e2fsck", "")
	return out
}

// scenarioCases are the scenarios of a report, each with its writes together.
func scenarioCases(r *validate.Report) []junitCase {
	var out []junitCase
	for i := range r.Results {
		res := &r.Results[i]
		if n := len(out); n == 0 || out[n-1].Class != res.Theme || out[n-1].Name != res.Scenario {
			out = append(out, junitCase{Class: res.Theme, Name: res.Scenario})
		}
		jc := &out[len(out)-1]
		var b strings.Builder
		res.AppendText(&b)
		switch {
		case res.Status == validate.Failed && jc.Failure == nil:
			jc.Failure, jc.Skipped = &junitWhy{Message: "a write was not as written down", Text: xmlText(b.String())}, nil
		case res.Status == validate.Failed:
			jc.Failure.Text += xmlText(b.String())
		case res.Status == validate.Skipped && jc.Failure == nil:
			jc.Skipped = &junitWhy{Message: xmlText(res.Reason)}
		}
	}
	return out
}

// junitPart is one oracle of the generated writes, one storm, or e2fsck.
func (o *Outcome) junitPart(c *Config, part, name string) junitCase {
	jc := junitCase{Class: part, Name: strings.TrimSpace(part + " " + name)}
	for i := range o.Failures {
		f := &o.Failures[i]
		if f.Config != c.Name || f.Part != part || name != "" && f.Theme != name {
			continue
		}
		if jc.Failure == nil {
			jc.Failure = &junitWhy{Message: xmlText(f.What)}
		}
		jc.Failure.Text += xmlText(f.What + "\n" + strings.Join(f.Detail, "\n") + "\n" + f.Reproducer + "\n")
	}
	return jc
}

// xmlText leaves out what XML cannot hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}
