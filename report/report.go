package report

import (
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// Fact is one line about where the writes were seen.
type Fact struct{ Name, Value string }

// Report gathers the parts of the page. Its zero value is empty and ready.
type Report struct {
	// Set before it is written.
	Title    string
	Facts    []Fact   // the environment
	Missing  []string // what the trace does not hold, beside the losses
	Redacted bool
	Summary  export.Summary
	Names    export.Names // paths of files; may be nil
	// Prediction is what another kernel would do, as text that is fit for a terminal;
	// empty for none.
	Prediction string
	Marks      []Mark // in their order; empty when the trace has none

	counts   export.Breakdown
	waits    [3]histogram.Times // by export.Lock
	latency  [3]histogram.Times
	blames   export.Blames // for each file
	timeline timeline
	cases    cases
}

// Add takes one row, which stays the caller's.
func (p *Report) Add(r *export.Row) {
	if p.Summary.Totals.Add(r); r.Inside.Known {
		return
	}
	p.counts.Add(r)
	if r.Lock.Known {
		if r.WaitNs.Known {
			p.waits[r.Lock.V].Add(r.WaitNs.V)
		}
		if r.LatencyNs.Known {
			p.latency[r.Lock.V].Add(r.LatencyNs.V)
		}
	}
	p.blames.PerFile = true
	p.blames.Add(r)
	p.timeline.add(r)
	p.cases.add(r, p.Summary.Totals.Writes)
}
