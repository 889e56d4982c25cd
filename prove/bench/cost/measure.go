package cost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// DirName is the directory that is made, and removed at the end.
const DirName = "ext4dio-cost"

// Options say what is measured.
type Options struct {
	Rounds  int
	For     time.Duration // of each load in each round
	Loads   []Load
	Tracers []*Tracer
	Other   Files         // where loads on another file system have their files
	Stats   bool          // let the kernel count the runs of our programs, too
	Scratch string        // directory for the tracers' output, not on the traced disk
	Start   time.Duration // a tracer may take to see its first write; 0: DefaultStart
	Notice  func(string)  // takes a line about the progress
}

// measurement is a measurement in progress.
type measurement struct {
	opts   Options
	runs   []*run
	canary *run
	report *Report
}

// Measure runs all loads, untraced and under each tracer by turns. On an error or
// when ctx ends, what was measured so far is lost.
func Measure(ctx context.Context, d Files, o Options) (rep *Report, err error) {
	m := &measurement{opts: o, report: newReport(o)}
	defer func() {
		for _, r := range append(m.runs, m.canary) {
			if r != nil {
				err = errors.Join(err, r.close())
			}
		}
	}()
	small := Load{Name: "canary", Len: 4096, Step: 4096, Size: 1 << 20, Written: true}
	if m.canary, err = small.start(d, small.Name); err != nil {
		return nil, err
	}
	for _, l := range o.Loads {
		where := d
		if l.Other {
			where = o.Other
		}
		r, err := l.start(where, l.Name)
		if err != nil {
			return nil, err
		}
		m.runs = append(m.runs, r)
	}
	if _, err := m.all(ctx); err != nil { // warms up
		return nil, err
	}
	before, err := m.all(ctx)
	if err != nil {
		return nil, err
	}
	for round := range o.Rounds {
		for i, t := range o.Tracers {
			if before, err = m.turn(ctx, t, &m.report.Tracers[i], before); err != nil {
				return nil, fmt.Errorf("round %d: %w", round+1, err)
			}
		}
		o.Notice(fmt.Sprintf("round %d of %d", round+1, o.Rounds))
	}
	for i, t := range o.Tracers {
		if t.Stats && o.Stats {
			if err := m.stats(ctx, t, &m.report.Tracers[i]); err != nil {
				return nil, err
			}
		}
	}
	return m.report, nil
}

// stats measures each load once more while the kernel counts the runs of each program.
func (m *measurement) stats(ctx context.Context, t *Tracer, rep *TracerReport) error {
	counting := *t
	counting.Args = append(slices.Clone(t.Args), "--stats")
	for i, r := range m.runs {
		p, err := counting.start(ctx, m.opts.Scratch, m.opts.Start, m.watched)
		if err != nil {
			return err
		}
		under, err := r.measure(m.opts.For)
		counts, stopErr := p.stop()
		if err := errors.Join(err, stopErr); err != nil {
			return err
		}
		rep.Loads[i].Counted, rep.Loads[i].Programs = under.calls, counts.Programs
	}
	return nil
}

// watched is a write that a tracer which has just been started is to see.
func (m *measurement) watched() error {
	m.canary.next %= m.canary.load.Size / m.canary.load.Step
	return m.canary.once()
}

// all measures each load once.
func (m *measurement) all(ctx context.Context) ([]sample, error) {
	var all []sample
	for _, r := range m.runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := r.measure(m.opts.For)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// turn measures the loads under one tracer, and again without.
func (m *measurement) turn(ctx context.Context, t *Tracer, rep *TracerReport, before []sample) ([]sample, error) {
	p, err := t.start(ctx, m.opts.Scratch, m.opts.Start, m.watched)
	if err != nil {
		return nil, err
	}
	under, err := m.all(ctx)
	if err != nil {
		_, stopErr := p.stop()
		return nil, errors.Join(err, stopErr)
	}
	counts, err := p.stop()
	if err != nil {
		return nil, err
	}
	after, err := m.all(ctx)
	if err != nil {
		return nil, err
	}
	rep.Start = append(rep.Start, float64(p.started))
	rep.Lost += counts.Lost
	for i, r := range m.runs {
		l := &rep.Loads[i]
		l.CPU.add(&before[i], &under[i], &after[i], func(s *sample) time.Duration { return s.cpu })
		l.Wall.add(&before[i], &under[i], &after[i], func(s *sample) time.Duration { return s.took })
		l.Issued += under[i].calls
		l.Captured += counts.Writes[r.ino]
	}
	return after, nil
}
