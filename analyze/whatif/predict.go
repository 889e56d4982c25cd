package whatif

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Options say what to predict.
type Options struct {
	Variant model.Variant // the other one; 0: the one that was traced
	App     App           // what the application does otherwise
	All     bool          // all changes of the application that there are, and a newer kernel
	Seed    uint64
	Seeds   int   // simulations of each kind; 0: DefaultSeeds
	Jobs    []int // numbers of writers to sweep over; none when empty
	// Phase is the number of the phase that the answer is about, from 1; 0 is the steady one,
	// and Whole all of them.
	Phase int
}

// Whole, as Options.Phase, are all phases of a trace.
const Whole = -1

// DefaultSeeds is how often each simulation is repeated.
const DefaultSeeds = 5

// Tolerance is how far the simulation of the traced kernel may be from what was
// measured, as a part of that.
const Tolerance = 0.15

// Predictor takes in the writes of a trace, each once, and predicts. It is not safe for
// concurrent use.
type Predictor struct {
	opts     Options
	changes  []Change
	counters []*Counter // of each change
	besides  []*Counter // of writes that are simulated, and not counted
	traced   model.Variant
	ways     ways // of the write that is added
	differ   [maxChanges]uint64
	chosen   int // the change that the answer is about

	sample *sample
	holds  Holds
	open   uint64 // queued writes whose completion is not known
	broken uint64 // incomplete ones
	aside  uint64 // left out by a filter

	stretches stretches
	phases    []Phase // of the whole, when only the steady one is taken in
	only      *Phase  // nil: all is
}

// New returns a Predictor that has seen nothing.
func New(o Options) *Predictor {
	if o.Seeds == 0 {
		o.Seeds = DefaultSeeds
	}
	return &Predictor{opts: o, changes: o.changes(), sample: newSample(o.Seed)}
}

// Traced tells the variant that was traced, before the first write. Without it, changes are
// those of another variant.
func (p *Predictor) Traced(v model.Variant) {
	if p.counters != nil {
		return
	}
	p.traced = v
	for _, c := range p.changes {
		p.counters, p.besides = append(p.counters, NewChanged(c, v)), append(p.besides, NewChanged(c, v))
	}
}

// decide decides a write under each change, and returns how it went down.
func (p *Predictor) decide(o *observe.Observation, reason string, by []*Counter) (now way) {
	for i, c := range by {
		now, p.ways[i] = c.add(o, reason)
	}
	return now
}

// Narrow returns a Predictor for one phase of what p has taken in, which has to take in all
// of it once more: the one that was asked for, or the steady one. It returns nil when the
// answer is about all of it. Else p is of no use any more. The error is that there is no such
// phase.
func (p *Predictor) Narrow() (*Predictor, error) {
	phases, at := p.found(), p.opts.Phase-1
	if at >= max(len(phases), 1) {
		return nil, fmt.Errorf("%w %d: %d were found", ErrPhase, at+1, len(phases))
	}
	if p.opts.Phase == Whole || len(phases) == 0 || len(phases) == 1 && p.aside == 0 { // what is beside may be outside
		return nil, nil
	}
	if at < 0 {
		at = slices.IndexFunc(phases, func(f Phase) bool { return f.Steady })
	}
	p.sample = newSample(0) // it is not needed any more
	n := New(p.opts)
	n.phases, n.only = phases, &phases[at]
	return n, nil
}

// ErrPhase says that a trace has no phase of that number.
var ErrPhase = errors.New("no phase")

// found are the phases of the trace.
func (p *Predictor) found() []Phase {
	if p.only == nil && p.phases == nil {
		p.phases = p.stretches.phases()
	}
	return p.phases
}

// Add takes a write with the reason for its lock on the kernel that was traced. It keeps
// nothing of o.
func (p *Predictor) Add(o *observe.Observation, reason string) {
	if p.only.leavesOut(o.Time) {
		return
	}
	p.Traced(0)
	now := p.decide(o, reason, p.counters)
	for i := range p.changes {
		then := p.ways[i]
		if then.mayQueue = now.mayQueue; then != now && then.lock != Undecided {
			p.differ[i]++
		}
	}
	if p.only == nil {
		p.stretches.add(o, now.lock)
	}
	switch {
	case o.Incomplete != "":
		p.broken++
	case o.Queued && !o.Completed:
		p.open++
	}
	if o.Queued && !o.Completed {
		now.lock = Undecided // how long it took is not known
	}
	p.sample.add(o, now, &p.ways, aWrite)
}

// Beside takes a write that the answer is not about, but which held the lock or the disk
// beside the others. It keeps nothing of o.
func (p *Predictor) Beside(o *observe.Observation, reason string) {
	if p.only.leavesOut(o.Time) {
		return
	}
	p.Traced(0)
	now := p.decide(o, reason, p.besides)
	if p.aside++; !o.Queued || o.Completed {
		p.sample.add(o, now, &p.ways, aBeside)
	}
}

// Hold takes somebody who held i_rwsem and made no recorded write. It keeps nothing of h.
func (p *Predictor) Hold(h *observe.Hold) {
	if p.only != nil && (h.To <= p.only.From || h.From >= p.only.To) {
		return
	}
	if p.holds.count(h) {
		p.sample.hold(h)
	}
}

// Trace is what a whole trace says of itself.
type Trace struct {
	Began   uint64 // ns of CLOCK_MONOTONIC
	Losses  record.Losses
	Missing string // what could not be read of it, empty when that is nothing
	// Holders says who is recorded that held i_rwsem besides writes: all, auto or others.
	// Unseen are those for whom there was no probe.
	Holders string
	Unseen  []string
}

// Predict sums up, and simulates.
func (p *Predictor) Predict(ctx context.Context, t Trace) (*Report, error) {
	p.sample.close()
	p.holds.Recorded, p.holds.Unseen = t.Holders, t.Unseen
	p.Traced(0)
	r := &Report{Seed: p.opts.Seed, Seeds: p.opts.Seeds, Holds: p.holds.told()}
	r.choose(p, 0)
	r.Beside = p.aside
	r.setPhases(p, t.Began)
	r.doubts(p, &t)
	if !p.opts.All {
		r.vague(p)
	}
	if r.Refused != "" || len(p.sample.kept) == 0 {
		r.refuse("no write of it can be simulated")
		return r, nil
	}
	var scenes []*scene
	for _, w := range p.sample.kept {
		scenes = append(scenes, newScene(w))
	}
	r.assume(scenes, p.sample.seen)
	if err := p.calibrate(ctx, r, scenes); err != nil || r.Refused != "" {
		return r, err
	}
	if p.opts.All {
		if err := p.best(ctx, r, scenes); err != nil || r.Refused != "" || len(r.Remedies) == 0 {
			return r, err
		}
	}
	if err := p.predict(ctx, r, scenes); err != nil {
		return r, err
	}
	if err := p.sweep(ctx, r, scenes); err != nil {
		return r, err
	}
	r.Sentence = r.sentence() + r.about()
	return r, nil
}

// doubts refuses a trace that lacks more than one write in a hundred, and marks one that lacks fewer.
func (r *Report) doubts(p *Predictor, t *Trace) {
	const most = 100 // one in so many
	l := t.Losses
	l.LostHold = 0
	n := r.Decisions.Writes
	mark := func(part, of uint64, text string) {
		if part == 0 {
			return
		}
		r.Marks = append(r.Marks, text)
		if part*most > of+part {
			r.refuse(text)
		}
	}
	if t.Missing != "" {
		r.Marks = append(r.Marks, t.Missing)
	}
	mark(l.Lost(), n, fmt.Sprintf("%d writes are lost: %s", l.Lost(), l))
	if l.Lost() == 0 && l.Any() {
		r.Marks = append(r.Marks, l.String())
	}
	lost := t.Losses.LostHold
	mark(lost, p.holds.simulated(), fmt.Sprintf("%d others held i_rwsem and are lost (try --ring)", lost))
	mark(p.broken, n, fmt.Sprintf("%d writes are incomplete", p.broken))
	mark(p.open, n, fmt.Sprintf("of %d queued writes the completion is not known", p.open))
}

// vague marks what is undecided under the change that was chosen, and refuses it where that
// is much.
func (r *Report) vague(p *Predictor) {
	d := &r.Decisions
	if und := d.undecided() - min(p.broken, d.undecided()); und > 0 {
		r.Marks = append(r.Marks, fmt.Sprintf("%d writes are undecided: the simulation repeats them as they were", und))
	}
	if text := d.tooVague(p.broken); text != "" {
		r.refuse(text)
	}
}

// choose makes a change the one that the answer is about.
func (r *Report) choose(p *Predictor, change int) {
	c := p.changes[change]
	p.chosen, r.App, r.Variant, r.Decisions = change, c.App, c.Variant, p.counters[change].Decisions()
	r.Costs = c.App.costs()
}

// best makes the table, and answers for what is best in it.
func (p *Predictor) best(ctx context.Context, r *Report, scenes []*scene) error {
	if err := p.table(ctx, r, scenes); err != nil {
		return err
	}
	if len(r.Remedies) == 0 {
		r.Sentence = "No change that whatif knows would let a write go down otherwise." + r.about()
		return nil
	}
	if m := &r.Remedies[0]; m.Refused == "" {
		r.choose(p, m.at)
		r.vague(p)
		return nil
	}
	r.refuse(r.Remedies[0].Refused)
	return nil
}

func (r *Report) refuse(why string) {
	if r.Refused == "" {
		r.Refused = why
	}
}

// How long a writer that was woken takes until it tries to lock, ns. The trace does not
// tell; the extremes widen what is predicted.
const (
	wakeMid  = 50_000
	wakeFast = 10_000
	wakeSlow = 200_000
)

// calibrate simulates what was traced. It refuses when that does not give what was
// measured.
func (p *Predictor) calibrate(ctx context.Context, r *Report, scenes []*scene) (err error) {
	seen := newMerged(scenes)
	for i, sc := range scenes {
		seen.add(i, sc.measured())
	}
	r.Measured = seen.summary()
	if r.Now, err = p.summary(ctx, scenes, runOptions{wakeNs: wakeMid}); err == nil {
		r.judge()
	}
	return err
}

// judge compares the calibration with what was measured. A mean wait counts as off only
// when it matters beside the time that the writes took.
func (r *Report) judge() {
	m, s := &r.Measured, &r.Now
	if m.PerSecond.Mid == 0 || s.PerSecond.Mid == 0 {
		r.refuse("too few writes to measure a throughput")
		return
	}
	r.Off = math.Abs(s.PerSecond.Mid/m.PerSecond.Mid - 1)
	r.WaitsOff = math.Abs(s.MeanWaitNs-m.MeanWaitNs) / max(m.MeanLatencyNs, 1)
	switch {
	case r.WaitsOff > Tolerance && m.MeanWaitNs > s.MeanWaitNs:
		r.refuse(fmt.Sprintf("writes waited %s in the mean, and the recorded writes explain %s of it: %s", duration(m.MeanWaitNs), duration(s.MeanWaitNs), r.unexplainedBy()))
	case r.WaitsOff > Tolerance:
		r.refuse(fmt.Sprintf("writes wait %s in the mean in the simulation of the traced kernel, and %s were measured", duration(s.MeanWaitNs), duration(m.MeanWaitNs)))
	case r.Off > Tolerance:
		r.refuse(fmt.Sprintf("the simulation of the traced kernel gives %.0f writes a second, and %.0f were measured", s.PerSecond.Mid, m.PerSecond.Mid))
	}
}

// most bounds the writes of one simulation, so that a kernel that is many times faster
// does not cost many times the work.
const most = 4

// run simulates all scenes with one seed.
func (p *Predictor) run(ctx context.Context, scenes []*scene, o runOptions, seed int, each func(scene int, t *tally)) error {
	for i, sc := range scenes {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("simulate: %w", err)
		}
		o.seed = p.opts.Seed<<16 + uint64(seed)<<8 + uint64(i)
		each(i, newSim(sc, o).run(max(sc.to-sc.from, 1), max(1000, most*len(sc.w.steps))))
	}
	return nil
}

// summary simulates with all seeds.
func (p *Predictor) summary(ctx context.Context, scenes []*scene, o runOptions) (Summary, error) {
	all := newMerged(scenes)
	var rates []float64
	for seed := range p.opts.Seeds {
		one := newMerged(scenes)
		err := p.run(ctx, scenes, o, seed, func(i int, t *tally) {
			all.add(i, t)
			one.add(i, t)
		})
		if err != nil {
			return Summary{}, err
		}
		rates = append(rates, one.perSecond())
	}
	s := all.summary()
	s.PerSecond = interval(rates)
	return s, nil
}

// predict simulates with the other variant's locks, and finds who gains.
func (p *Predictor) predict(ctx context.Context, r *Report, scenes []*scene) error {
	var err error
	alone := r.App.Alone
	if r.Then, err = p.summary(ctx, scenes, runOptions{then: true, change: p.chosen, alone: alone, wakeNs: wakeMid}); err != nil {
		return err
	}
	in := &r.Then.PerSecond
	for _, wake := range [...]int64{wakeFast, wakeSlow} {
		one := newMerged(scenes)
		if err := p.run(ctx, scenes, runOptions{then: true, change: p.chosen, alone: alone, wakeNs: wake}, 0, one.add); err != nil {
			return err
		}
		in.Low, in.High = min(in.Low, one.perSecond()), max(in.High, one.perSecond())
	}
	now, then := newGains(scenes), newGains(scenes)
	for _, g := range [...]*gains{now, then} {
		o := runOptions{then: g == then, change: p.chosen, alone: alone && g == then, wakeNs: wakeMid}
		if err := p.run(ctx, scenes, o, 0, func(i int, t *tally) { g.add(scenes[i], t) }); err != nil {
			return err
		}
	}
	r.Files, r.Writers = compareGains(now, then)
	return nil
}

// sweep simulates with other numbers of writers.
func (p *Predictor) sweep(ctx context.Context, r *Report, scenes []*scene) error {
	for _, n := range p.opts.Jobs {
		row := SweepRow{Jobs: n}
		for _, to := range []*Interval{&row.Now, &row.Then} {
			s, err := p.summary(ctx, scenes, runOptions{
				then: to == &row.Then, change: p.chosen, alone: r.App.Alone && to == &row.Then, wakeNs: wakeMid, writers: n,
			})
			if err != nil {
				return err
			}
			*to = s.PerSecond
		}
		r.Sweep = append(r.Sweep, row)
	}
	return nil
}

// interval is the middle and the extremes of what repeated seeds gave.
func interval(all []float64) Interval {
	if len(all) == 0 {
		return Interval{}
	}
	return Interval{Low: slices.Min(all), Mid: middle(all), High: slices.Max(all)}
}
