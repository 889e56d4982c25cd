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
	"github.com/ext4dio/ext4dio-trace/trace/replay"
)

// Tests are recordings as test cases, a suite for each: what was seen of the writes, each kind of
// disagreement, each rule, and each requirement of a policy. A case fails exactly where the
// status of check is not 0 because of it; one of a rule that no write could have broken is skipped.
func Tests(done []*Checked) *testreport.Report {
	all := &testreport.Report{Name: "ext4dio-trace check"}
	for _, c := range done {
		all.Add(testreport.Suite{Name: c.title(), Notes: c.notes(), Cases: c.cases()})
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

// notes say what has to be known of all cases.
func (c *Checked) notes() (out []string) {
	if text := replay.Sampled(c.in); text != "" {
		out = append(out, "SAMPLE: "+text)
	}
	return out
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
	whole, lost := "", ""
	if c.Missing() {
		whole = "unproven: " + c.missing()
	}
	if sum.Losses.Any() {
		lost = "unproven: " + sum.Losses.String()
	}
	s.Check("seen", "the trace is whole", whole)
	s.Check("seen", "no write is lost", lost)
	s.Cases = append(s.Cases, testreport.Case{Class: "seen", Name: "not only a sample was recorded", Skipped: replay.Sampled(c.in)})
	s.Check("seen", "every write is seen to its end", some("unproven: not so of", sum.Losses.Unfinished+sum.Totals.Unreturned+sum.Unpaired+sum.Unaccounted()))
	s.Check("seen", "the record of every write is complete", some("unproven: not judged:", sum.Totals.Incomplete))
}

// noneOf are the cases that no write is of a kind.
var noneOf = map[judge.Kind]string{
	judge.Unsafe: "no write is unsafe", judge.Differs: "no write differs from the model", judge.Slower: "no write is slower than it has to be",
}

// some says of how many writes something is so; nothing of none.
func some(what string, n uint64) string {
	if n == 0 {
		return ""
	}
	return what + " " + export.Plural(n, "write")
}

// verdictCases say which kinds of disagreement there are, and which rules are broken. Where no
// write was seen they prove nothing, and are skipped.
func (c *Checked) verdictCases(s *testreport.Suite) {
	from := len(s.Cases)
	for _, kind := range []judge.Kind{judge.Unsafe, judge.Differs, judge.Slower} {
		s.Check("verdict", noneOf[kind], some(kind.String()+":", c.Summary.Totals.Verdicts[kind]))
		last := &s.Cases[len(s.Cases)-1]
		for i := range c.wrong {
			if c.wrong[i].Verdict == kind.String() {
				var b strings.Builder
				c.wrong[i].appendText(&b)
				last.Detail += b.String()
			}
		}
	}
	broken, sample := c.broken(), c.Summary.Sample.OneIn > 0
	for _, r := range rules.All() {
		s.Check("rule", r.ID+": "+strings.TrimSuffix(r.Text, "."), some("broken by", broken[r.ID]))
		s.Cases[len(s.Cases)-1].Skipped = c.rules.skipped(&r, sample)
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
