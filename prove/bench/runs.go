package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/stats"
	"github.com/ext4dio/ext4dio-trace/internal/table"
)

// level is that of intervals, and of the test whether there is a difference.
const level = 0.95

// NoDifference is said where a difference may as well be noise.
const NoDifference = "no difference shown"

// merge makes one report of several runs: of their IOPS the geometric mean, whose ratio to
// another one is the speedup, and of all else the sum.
func merge(name string, runs []*Report) (*Report, error) {
	out := *runs[0]
	out.Steps, out.CutShort = nil, nil
	for i, r := range runs {
		switch {
		case r.Kernel != out.Kernel:
			return nil, fmt.Errorf("%s holds runs of two kernels, %q and %q", name, safe(out.Kernel), safe(r.Kernel))
		case r.conditions() != out.conditions():
			return nil, fmt.Errorf("the runs of %s are not alike: %s, and %s", name, out.conditions(), r.conditions())
		case !r.Started.IsZero() && slices.ContainsFunc(runs[:i], func(o *Report) bool { return o.Started.Equal(r.Started) }):
			return nil, fmt.Errorf("%s holds the run of %s that began at %s twice", name, r.Test, r.Started.Format("2006-01-02 15:04:05.999"))
		}
		for k := range r.Steps {
			out.add(&r.Steps[k])
		}
	}
	for i := range out.Steps {
		out.Steps[i].average(steps(runs, out.Steps[i].Jobs))
	}
	return &out, nil
}

// steps are those of some runs with so many jobs.
func steps(runs []*Report, jobs int) (out []*Step) {
	for _, r := range runs {
		if s := r.step(jobs); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// add adds a step to the one of as many jobs.
func (r *Report) add(s *Step) {
	to := r.step(s.Jobs)
	if to == nil {
		r.Steps = append(r.Steps, Step{Jobs: s.Jobs})
		to = &r.Steps[len(r.Steps)-1]
	}
	to.Measure.add(&s.Measure)
	if s.Traced == nil {
		return
	}
	if to.Traced == nil {
		to.Traced = &Traced{}
	}
	to.Traced.Measure.add(&s.Traced.Measure)
	to.Traced.Locks.add(&s.Traced.Locks)
}

func (m *Measure) add(o *Measure) {
	m.Writes, m.WallNs, m.CPUNs, m.Rounds = m.Writes+o.Writes, m.WallNs+o.WallNs, m.CPUNs+o.CPUNs, m.Rounds+o.Rounds
	m.CheckedBytes, m.WrongBytes = m.CheckedBytes+o.CheckedBytes, m.WrongBytes+o.WrongBytes
	if m.FirstWrong == "" {
		m.FirstWrong = o.FirstWrong
	}
}

func (l *Locks) add(o *Locks) {
	l.Seen, l.Shared, l.Exclusive, l.WaitNs = l.Seen+o.Seen, l.Shared+o.Shared, l.Exclusive+o.Exclusive, l.WaitNs+o.WaitNs
	l.Lost, l.Incomplete, l.Disagree = l.Lost+o.Lost, l.Incomplete+o.Incomplete, l.Disagree+o.Disagree
	if o.Unproven && !l.Unproven || l.Losses == "" {
		l.Losses = o.Losses // of the first run that lacks something
	}
	l.Unproven = l.Unproven || o.Unproven
}

// average sets what is no sum.
func (s *Step) average(runs []*Step) {
	s.IOPS = math.Exp(stats.Runs(logs(runs)).Value)
	s.Writes /= int64(len(runs))
	s.WallNs /= int64(len(runs))
	s.CPUNs /= int64(len(runs))
	if s.Traced == nil {
		return
	}
	var traced []*Step
	for _, r := range runs {
		if r.Traced != nil {
			traced = append(traced, &Step{Measure: r.Traced.Measure})
		}
	}
	s.Traced.IOPS = math.Exp(stats.Runs(logs(traced)).Value)
	s.Traced.Writes /= int64(len(traced))
	s.Traced.WallNs /= int64(len(traced))
}

// logs are the logarithms of their IOPS.
func logs(runs []*Step) (out []float64) {
	for _, s := range runs {
		out = append(out, math.Log(s.IOPS))
	}
	return out
}

// repeated reports whether any column has more than one run of a test.
func (c Comparison) repeated(test string) bool {
	return slices.ContainsFunc(c, func(x Column) bool { return len(x.runs[test]) > 1 })
}

// spread is what the runs of a column tell of a step's IOPS.
func (x *Column) spread(test string, jobs int) stats.Spread {
	return stats.Runs(logs(steps(x.runs[test], jobs)))
}

// verdict is what the runs tell of the speedup of the last column over the first.
type verdict struct {
	low, high float64 // times
	p         float64 // corrected
}

func (v *verdict) differs() bool { return v.p < 1-level }

// verdicts are those of all steps of all tests. They are corrected together, and a step that
// was not run twice on both sides has none.
func (c Comparison) verdicts(of *Column) map[string]map[int]*verdict {
	out := map[string]map[int]*verdict{}
	var all []*verdict
	var p []float64
	for _, t := range c.tests() {
		out[t.Name] = map[int]*verdict{}
		for _, n := range c.jobs(t.Name) {
			d, ok := stats.Between(c[0].spread(t.Name, n), of.spread(t.Name, n), 0, level)
			if !ok {
				continue
			}
			v := &verdict{low: math.Exp(d.Low), high: math.Exp(d.High)}
			out[t.Name][n] = v
			all, p = append(all, v), append(p, d.P)
		}
	}
	for i, corrected := range stats.Holm(p) {
		all[i].p = corrected
	}
	return out
}

// intervals is the table of what the runs tell; nil where there is one run of each.
func (c Comparison) intervals(test string) *table.Table {
	if !c.repeated(test) {
		return nil
	}
	g := &table.Table{Head: []string{"JOBS"}, LineWidth: lineWidth}
	for _, x := range c {
		g.Head = append(g.Head, safe(x.Name))
	}
	g.Head = append(g.Head, "speedup")
	told := c.verdicts(&c[len(c)-1])[test]
	for _, n := range c.jobs(test) {
		row := []string{fmt.Sprint(n)}
		for i := range c {
			row = append(row, c[i].within(test, n))
		}
		g.Rows = append(g.Rows, append(row, told[n].text()))
	}
	return g
}

// within is the interval around a column's IOPS.
func (x *Column) within(test string, jobs int) string {
	s := x.spread(test, jobs)
	if !s.Known() {
		return none
	}
	low, high := s.Interval(level)
	return grouped(math.Exp(low)) + " to " + grouped(math.Exp(high))
}

func (v *verdict) text() string {
	if v == nil {
		return none
	}
	if !v.differs() {
		return NoDifference
	}
	return times(v.low) + " to " + times(v.high)
}

// about says what the intervals are, and of how many runs.
func (c Comparison) about(test string) string {
	var runs []string
	for _, x := range c {
		runs = append(runs, fmt.Sprintf("%s %d", safe(x.Name), len(x.runs[test])))
	}
	return fmt.Sprintf("Runs: %s. The table above has geometric means; these are %g %% intervals of them, "+
		"and %q where the speedup may as well be noise:", strings.Join(runs, ", "), 100*level, NoDifference)
}
