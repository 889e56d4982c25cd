package cost

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
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
	Name  string       `json:"name"`
	Ours  bool         `json:"ours"`
	Start []float64    `json:"start_ns"` // from its start to the first write that it saw, each round
	Lost  uint64       `json:"lost"`     // as it says itself
	Loads []LoadReport `json:"loads"`
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

	// Programs are those that ran while Counted writes were made, when that was asked for.
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
		tr := TracerReport{Name: t.Name, Ours: t.Ours}
		for _, l := range o.Loads {
			tr.Loads = append(tr.Loads, LoadReport{Name: l.Name, Title: l.Title, Direct: !l.Read && !l.Cached})
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

// best is the least that a tracer of others adds to load i; false when there is none.
func (r *Report) best(i int, of func(*LoadReport) *Times) (added float64, ok bool) {
	for _, t := range r.Tracers {
		if t.Ours {
			continue
		}
		if m := SpreadOf(of(&t.Loads[i]).Added).Median; !ok || m < added {
			added, ok = m, true
		}
	}
	return added, ok
}

// Text writes a table for each load.
func (r *Report) Text(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	if len(r.Tracers) == 0 {
		return nil
	}
	cpu := func(l *LoadReport) *Times { return &l.CPU }
	wall := func(l *LoadReport) *Times { return &l.Wall }
	for i, l := range r.Tracers[0].Loads {
		fmt.Fprintf(tw, "%s: %.2f µs of CPU time and %.2f µs in all when untraced\n", l.Title,
			SpreadOf(l.CPU.Off).Median/1000, SpreadOf(l.Wall.Off).Median/1000)
		fmt.Fprint(tw, "tracer\tCPU added, µs\tquartiles\t%\tof bpftrace's\ttime added, µs\tquartiles\t%\tof bpftrace's\tcaptured\t\n")
		for _, t := range r.Tracers {
			l := t.Loads[i]
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t\n", t.Name, r.cells(i, &t, cpu), r.cells(i, &t, wall), l.share())
		}
		fmt.Fprintln(tw)
	}
	fmt.Fprint(tw, "tracer\tfirst write seen after, s\tquartiles\tlost\t\n")
	for _, t := range r.Tracers {
		s := SpreadOf(t.Start)
		fmt.Fprintf(tw, "%s\t%.2f\t%.2f-%.2f\t%d\t\n", t.Name, s.Median/1e9, s.Low/1e9, s.High/1e9, t.Lost)
	}
	r.programs(tw)
	return tw.Flush()
}

// programs writes which program ran how often for a write, and for how long.
func (r *Report) programs(w io.Writer) {
	for _, t := range r.Tracers {
		for _, l := range t.Loads {
			if l.Counted == 0 {
				continue
			}
			fmt.Fprintf(w, "\n%s, attached by %s\n", l.Title, t.Name)
			fmt.Fprint(w, "program\tat\tby\truns a write\tns a run\tns a write\tinstructions\tmachine code, bytes\t\n")
			var runs, ns float64
			for _, p := range l.Programs {
				if p.Runs == 0 {
					continue
				}
				n := float64(l.Counted)
				runs, ns = runs+float64(p.Runs)/n, ns+float64(p.Ns)/n
				fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.0f\t%.0f\t%d\t%d\t\n", p.Name, p.Func, p.How,
					float64(p.Runs)/n, float64(p.Ns)/float64(p.Runs), float64(p.Ns)/n, p.Insns, p.Machine)
			}
			fmt.Fprintf(w, "all\t\t\t%.2f\t\t%.0f\t\t\t\n", runs, ns)
		}
	}
}

// cells are the columns of one kind of time.
func (r *Report) cells(i int, t *TracerReport, of func(*LoadReport) *Times) string {
	times := of(&t.Loads[i])
	off, added := SpreadOf(times.Off), SpreadOf(times.Added)
	part := "-"
	if best, ok := r.best(i, of); ok && t.Ours && best > 0 {
		part = fmt.Sprintf("%.2f", added.Median/best)
	}
	return fmt.Sprintf("%.2f\t%.2f-%.2f\t%.1f\t%s", added.Median/1000, added.Low/1000, added.High/1000,
		100*added.Median/off.Median, part)
}

// share is how much was captured, in words that never round up to all.
func (l *LoadReport) share() string {
	switch {
	case !l.Direct:
		return "-"
	case l.Captured == l.Issued:
		return "all"
	}
	return fmt.Sprintf("%.1f %%", min(99.9, 100*float64(l.Captured)/float64(l.Issued)))
}
