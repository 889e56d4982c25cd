package cost

import (
	"slices"
	"time"
)

// Report is what a measurement gave. Times are in nanoseconds.
type Report struct {
	Tool    string         `json:"tool"`
	Kernel  string         `json:"kernel"`
	Rounds  int            `json:"rounds"`
	Tracers []TracerReport `json:"tracers"`
}

// TracerReport is one tracer's.
type TracerReport struct {
	Name  string    `json:"name"`
	Ours  bool      `json:"ours"`
	Start []float64 `json:"start_ns"` // from its start until it was ready, each round
	// LeavesOut is set when its filter leaves every write out; then it was ready when
	// attached, otherwise when it saw its first write.
	LeavesOut bool         `json:"leaves_out,omitempty"`
	Lost      uint64       `json:"lost"` // as it says itself
	Loads     []LoadReport `json:"loads"`
}

// LoadReport is one load under one tracer.
type LoadReport struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Direct   bool   `json:"direct"` // writes that a tracer is to see
	CPU      Times  `json:"cpu"`    // of the calling task
	Wall     Times  `json:"wall"`   // with what it waits for a CPU that the tracer uses
	Issued   int    `json:"issued"`
	Captured int    `json:"captured"`

	// Programs are those that ran while Counted calls were made, when that was asked for.
	Counted  int       `json:"counted,omitempty"`
	Programs []Program `json:"programs,omitempty"`
}

// Times are what a call takes, one value a round, ns.
type Times struct {
	Off   []float64 `json:"off_ns"`   // untraced, mean of before and after
	Added []float64 `json:"added_ns"` // by the tracer
}

// add takes the samples of one round, of which of reads one time.
func (t *Times) add(before, under, after *sample, of func(*sample) time.Duration) {
	each := func(s *sample) float64 { return float64(of(s).Nanoseconds()) / float64(s.calls) }
	off := (each(before) + each(after)) / 2
	t.Off = append(t.Off, off)
	t.Added = append(t.Added, each(under)-off)
}

func newReport(o Options) *Report {
	rep := &Report{Rounds: o.Rounds}
	for _, t := range o.Tracers {
		tr := TracerReport{Name: t.Name, Ours: t.Ours, LeavesOut: t.LeavesOut}
		for _, l := range o.Loads {
			tr.Loads = append(tr.Loads, LoadReport{Name: l.Name, Title: l.Title, Direct: l.Direct()})
		}
		rep.Tracers = append(rep.Tracers, tr)
	}
	return rep
}

// Spread is the median and the quartiles of some values.
type Spread struct{ Low, Median, High float64 }

// SpreadOf sorts a copy. Without values all is zero.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Clone(values)
	slices.Sort(v)
	at := func(q float64) float64 {
		x := q * float64(len(v)-1)
		i := int(x)
		if i+1 == len(v) {
			return v[i]
		}
		return v[i] + (x-float64(i))*(v[i+1]-v[i])
	}
	return Spread{at(0.25), at(0.5), at(0.75)}
}

// ratios are, round by round, what t adds to load i as a part of what the better of the
// tracers of others adds: of those the one with the lowest median. nil when there is none.
func (r *Report) ratios(i int, t *TracerReport, of func(*LoadReport) *Times) []float64 {
	var best []float64
	for k := range r.Tracers {
		if r.Tracers[k].Ours {
			continue
		}
		added := of(&r.Tracers[k].Loads[i]).Added
		if best == nil || SpreadOf(added).Median < SpreadOf(best).Median {
			best = added
		}
	}
	var all []float64
	for k, added := range of(&t.Loads[i]).Added {
		if k < len(best) && best[k] > 0 {
			all = append(all, added/best[k])
		}
	}
	return all
}

// OursLost tells whether a tracer of ours missed a write that it was to see.
func (r *Report) OursLost() bool {
	return slices.ContainsFunc(r.Tracers, func(t TracerReport) bool {
		return t.Ours && (t.Lost > 0 || slices.ContainsFunc(t.Loads, func(l LoadReport) bool {
			return l.Direct && !t.LeavesOut && l.Captured < l.Issued
		}))
	})
}
