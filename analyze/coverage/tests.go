package coverage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/testreport"
)

// Demand is what is asked of a coverage.
type Demand struct {
	Least   string  // the share that is to be taken as it was asked for; empty: all that can be reached
	Share   float64 // the same as a number
	Against []Difference
	NoLoss  bool // nothing of Against may be lost
	Gaps    []Gap
	Blind   bool // no write of those that were compared with counts
}

// Tests are reports as test cases, a suite for each variant and in it a case for each point. One
// that no write can reach is skipped. One that is missing fails, unless the share that was asked
// for was taken without it: then it is skipped. With NoLoss one that is lost fails in any case.
func Tests(reports []Report, d *Demand) *testreport.Report {
	all := &testreport.Report{Name: "ext4dio-trace coverage"}
	for i := range reports {
		r := &reports[i]
		s := testreport.Suite{Name: r.Variant, Notes: r.notes(d.Gaps)}
		enough := d.Least != "" && r.Share >= d.Share
		s.Cases = append(s.Cases, d.seen(Empty(reports)), d.whole())
		if d.Least != "" {
			c := testreport.Case{Class: "coverage", Name: "at least " + d.Least + " is taken"}
			if !enough {
				c.Failed = fmt.Sprintf("%s was taken, %d of %d", r.Percent(), r.Taken, r.Reachable)
			}
			s.Cases = append(s.Cases, c)
		}
		lost := d.lost(r.Variant)
		for k := range r.Points {
			s.Cases = append(s.Cases, r.Points[k].test(enough, lost))
		}
		all.Add(s)
	}
	return all.OrNothing("coverage", "no write counts")
}

// seen is the case that there was anything to count.
func (d *Demand) seen(nothing bool) testreport.Case {
	c := testreport.Case{Class: "coverage", Name: "some writes count"}
	switch {
	case nothing:
		c.Failed = "unproven: no write counts"
	case d.Blind:
		c.Failed = "unproven: no write of what it is compared with counts"
	}
	return c
}

// whole is the case that nothing is missing of the recordings.
func (d *Demand) whole() testreport.Case {
	c := testreport.Case{Class: "coverage", Name: "nothing is missing of the recordings"}
	if g := worstGap(d.Gaps); g != nil && g.Unproven() {
		c.Failed = "unproven: " + g.Line(oneText)
	} else if g != nil {
		c.Skipped = g.Line(oneText)
	}
	return c
}

func oneText(s string) string { return s }

// notes are what has to be known of all points.
func (r *Report) notes(gaps []Gap) (out []string) {
	for _, g := range gaps {
		out = append(out, g.Line(oneText))
	}
	if r.Disagree > 0 {
		out = append(out, r.disagreeText())
	}
	if r.Open > 0 {
		out = append(out, r.openText())
	}
	return out
}

// lost are the points that a variant must not have lost.
func (d *Demand) lost(variant string) []Point {
	for i := range d.Against {
		if d.NoLoss && d.Against[i].Variant == variant {
			return d.Against[i].Lost
		}
	}
	return nil
}

func (p *Point) test(enough bool, lost []Point) testreport.Case {
	c := testreport.Case{Class: p.Function, Name: p.Condition + ": " + p.Way}
	isLost := slices.ContainsFunc(lost, func(q Point) bool {
		return cmp.Or(cmp.Compare(p.Function, q.Function), cmp.Compare(p.Condition, q.Condition), cmp.Compare(p.Way, q.Way)) == 0
	})
	switch {
	case isLost:
		c.Failed = "lost: it was taken before"
	case p.State == Unreachable:
		c.Skipped = "no direct write can take it on this kernel"
	case p.State == Missing && enough:
		c.Skipped = "not taken, but --min is met without it"
	case p.State == Missing:
		c.Failed = "not taken"
	}
	switch about := p.disputed(); {
	case about == "":
	case c.Failed != "":
		c.Failed += "; " + about
	case c.Skipped != "":
		c.Skipped += "; " + about
	default:
		c.Note = about
	}
	return c
}

// disputed says what writes that disagree have to do with a point; empty for nothing.
func (p *Point) disputed() string {
	var parts []string
	if p.Disputed > 0 {
		parts = append(parts, fmt.Sprintf("disputed: by the model %s that disagree took it", plural(p.Disputed)))
	}
	if p.Parted > 0 {
		parts = append(parts, fmt.Sprintf("the way of %s parts from the model's here", plural(p.Parted)))
	}
	return strings.Join(parts, "; ")
}
