package recorded

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/testreport"
)

// Tests are recordings as test cases, a suite for each: what was seen of the writes, each kind of
// disagreement, each rule, and each requirement of a policy. A case fails exactly where the
// status of check is not 0 because of it.
func Tests(done []*Checked) *testreport.Report {
	all := &testreport.Report{Name: "ext4dio-trace check"}
	for _, c := range done {
		all.Add(testreport.Suite{Name: c.title(), Cases: c.cases()})
	}
	return all.OrNothing("check", "no write could be judged")
}

// title is what the recording is called.
func (c *Checked) title() string {
	var names []string
	for _, part := range c.in.Parts() {
		names = append(names, export.Safe(part.Name()))
	}
	return cmp.Or(strings.Join(names, ", "), "standard input")
}

func (c *Checked) cases() []testreport.Case {
	var s testreport.Suite
	c.seenCases(&s)
	c.verdictCases(&s)
	for _, r := range c.Expected() {
		s.Cases = append(s.Cases, expectedCase(&r))
	}
	return s.Cases
}

// seenCases say whether all was seen.
func (c *Checked) seenCases(s *testreport.Suite) {
	sum := &c.Summary
	whole := testreport.Case{Class: "seen", Name: "the trace is whole"}
	if c.Missing() {
		whole.Failed = "unproven: " + c.missing()
	}
	s.Cases = append(s.Cases, whole)
	lost := testreport.Case{Class: "seen", Name: "no write is lost"}
	if sum.Losses.Any() {
		lost.Failed = "unproven: " + sum.Losses.String()
	}
	s.Cases = append(s.Cases, lost)
	s.Check("seen", "every write is seen to its end", sum.Losses.Unfinished+sum.Totals.Unreturned+sum.Unpaired+sum.Unaccounted(), "writes are not: unproven")
	s.Check("seen", "the record of every write is complete", sum.Totals.Incomplete, "writes were not judged: unproven")
}

// verdictCases say which kinds of disagreement there are, and which rules are broken. Where no
// write was seen they prove nothing, and are skipped.
func (c *Checked) verdictCases(s *testreport.Suite) {
	from := len(s.Cases)
	for kind := judge.Unsafe; kind >= judge.Slower; kind-- {
		s.Check("verdict", "no write is "+kind.String(), c.Summary.Totals.Verdicts[kind], "writes are "+kind.String())
		last := &s.Cases[len(s.Cases)-1]
		for i := range c.wrong {
			if c.wrong[i].Verdict == kind.String() {
				var b strings.Builder
				c.wrong[i].appendText(&b)
				last.Detail += b.String()
			}
		}
	}
	broken := c.broken()
	for _, r := range rules.All() {
		s.Check("rule", r.ID+": "+strings.TrimSuffix(r.Text, "."), broken[r.ID], "writes break it")
	}
	if c.Summary.Totals.Writes > 0 {
		return
	}
	for i := from; i < len(s.Cases); i++ {
		s.Cases[i].Skipped = "no write was seen"
	}
}

// broken is the number of writes that break a rule, by its name.
func (c *Checked) broken() map[string]uint64 {
	out := map[string]uint64{}
	for _, t := range c.counts.Tables(nil) {
		for i := range t.Lines {
			if t.Title == "rule broken" {
				out[t.Lines[i].Name] += t.Lines[i].Writes
			}
		}
	}
	return out
}

// expectedCase is a requirement of a policy.
func expectedCase(r *expect.Result) testreport.Case {
	c := testreport.Case{Class: "expect", Name: export.SafeText(r.Requirement)}
	if about := cmp.Or(r.Meant, r.Where); about != "" {
		c.Name += fmt.Sprintf(" (%s)", export.SafeText(about))
	}
	if r.State != expect.Kept {
		c.Failed = r.Line()
	}
	return c
}
