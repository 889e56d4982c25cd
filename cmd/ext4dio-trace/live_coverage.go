package main

import (
	"math"
	"os"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// fewWays is how many of the missing ways a terminal shows.
const fewWays = 12

// registerCoverage adds the flag that has the ways counted that the writes go.
func (o *liveOptions) registerCoverage(flags *pflag.FlagSet) {
	flags.BoolVar(&o.coverage, "coverage", false, "count which branches of the kernel all writes took, whatever is shown")
}

// covering counts the ways of all judged writes beside the adviser, which is told of the same:
// of what is judged again, too.
type covering struct {
	session.Adviser
	c *coverage.Coverage
}

// covered has the ways counted, if that is asked for.
func (t *trace) covered() {
	if t.opts.coverage {
		t.coverage = &coverage.Coverage{Unprobed: t.Plan.Unattached}
		t.Adviser = covering{t.Adviser, t.coverage}
	}
}

// Add implements session.Adviser.
func (a covering) Add(o *observe.Observation, v *judge.Verdict) {
	a.Adviser.Add(o, v)
	a.c.Add(o, v)
}

// Anew implements session.Adviser.
func (a covering) Anew() {
	a.Adviser.Anew()
	*a.c = coverage.Coverage{Unprobed: a.c.Unprobed}
}

// sumCoverage adds to the summary what was counted. It is called after the end.
func (t *trace) sumCoverage() {
	if t.coverage != nil && t.Summary.Coverage == nil {
		t.Summary.Coverage = t.coverage.Reports()
	}
}

// sayCoverage says at the end what was taken, and what is missing.
func (t *trace) sayCoverage() {
	t.sumCoverage()
	all, asked := t.Summary.Coverage.([]coverage.Report)
	if !asked {
		return
	}
	most := math.MaxInt
	if isTerminal(os.Stderr) {
		most = fewWays
	}
	_ = coverage.WriteShort(t.stderr, all, most) // there may be nobody to tell any more
}
