package whatif

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Change is what is asked for: another kernel, another application, or both.
type Change struct {
	Variant model.Variant // 0: the kernel that was traced
	App     App
}

// ParseChange reads the name of a variant, or changes of the application.
func ParseChange(text string) (c Change, err error) {
	if c.Variant, err = model.ParseVariant(text); err == nil {
		return c, nil
	}
	app, none := ParseApp(text)
	if none != nil {
		return c, err
	}
	return Change{App: app}, nil
}

// maxChanges bounds what is decided of each write at a time.
const maxChanges = 10

// newest is the kernel that a table of remedies has.
const newest = model.Linux73

// changes are what is asked for: one, or all that there are.
func (o *Options) changes() []Change {
	if !o.All {
		return []Change{{o.Variant, o.App}}
	}
	var out []Change
	every := App{}
	for i := range remedies {
		c := Change{Variant: o.Variant}
		remedies[i].set(&c.App)
		remedies[i].set(&every)
		out = append(out, c)
	}
	every.ISizeAhead = false // prewritten is that and more
	both := App{Align: AlignBlock, ISizeAhead: true}
	out = append(out, Change{o.Variant, both}, Change{o.Variant, every})
	return append(out, Change{Variant: cmp.Or(o.Variant, newest)})
}

// Remedy is what one change is worth.
type Remedy struct {
	App       App            `json:"app"`
	Variant   *model.Variant `json:"variant"` // null: the kernel that was traced
	Changed   uint64         `json:"changed"` // writes that go down otherwise
	Undecided uint64         `json:"undecided"`
	Refused   string         `json:"refused,omitempty"`
	PerSecond Interval       `json:"writes_per_second"`
	Exclusive float64        `json:"exclusive_share"`
	WaitNs    float64        `json:"wait_mean_ns"`
	Times     float64        `json:"times"` // the throughput of now; 0 when it is refused
	Costs     string         `json:"costs,omitempty"`

	at int // of the changes
}

// Name is what --app or --variant takes.
func (m *Remedy) Name() string {
	switch app := m.App.String(); {
	case m.Variant == nil:
		return app
	case app == "":
		return m.Variant.String()
	default:
		return app + " under " + m.Variant.String()
	}
}

// Each remedy of a table is simulated so often, and in so many parts of the trace, at most.
const (
	tableSeeds  = 2
	tableScenes = 4
)

// matters is the least gain of one who changes no decision.
const matters = 1.02

// table simulates each change, and sorts the best to the front. Those that change nothing are
// left out.
func (p *Predictor) table(ctx context.Context, r *Report, scenes []*scene) error {
	seeds := p.opts.Seeds
	p.opts.Seeds = min(seeds, tableSeeds)
	defer func() { p.opts.Seeds = seeds }()
	now := r.Now.PerSecond.Mid
	if all := scenes; len(all) > tableScenes {
		scenes = nil
		for i := range tableScenes { // of all times
			scenes = append(scenes, all[i*len(all)/tableScenes])
		}
		s, err := p.summary(ctx, scenes, runOptions{wakeNs: wakeMid})
		if err != nil {
			return err
		}
		now = s.PerSecond.Mid
	}
	for i, c := range p.changes {
		d := p.counters[i].Decisions()
		m := Remedy{App: c.App, Changed: d.Changed, Undecided: d.undecided(), Costs: c.App.costs(), at: i}
		if c.Variant != 0 {
			m.Variant = &c.Variant
		}
		alone := c.App == App{Alone: true} && othersIn(scenes)
		none := c == Change{Variant: p.traced} // but where that kernel was wrong
		if none || p.differ[i] == 0 && !alone {
			continue
		}
		if m.Refused = d.tooVague(p.broken); m.Refused == "" {
			s, err := p.summary(ctx, scenes, runOptions{then: true, change: i, alone: c.App.Alone, wakeNs: wakeMid})
			if err != nil {
				return err
			}
			m.PerSecond, m.Exclusive, m.WaitNs, m.Times = s.PerSecond, s.ExclusiveShare, s.MeanWaitNs, s.PerSecond.Mid/now
		}
		if alone && m.Times < matters {
			continue
		}
		r.Remedies = append(r.Remedies, m)
	}
	slices.SortStableFunc(r.Remedies, func(a, b Remedy) int { return cmp.Compare(b.Times, a.Times) })
	r.Remedies = simplest(r.Remedies)
	return nil
}

// simplest leaves out what is no better than a part of it.
func simplest(all []Remedy) (out []Remedy) {
	for i := range all {
		m := &all[i]
		if !slices.ContainsFunc(all, func(o Remedy) bool {
			return o.at != m.at && o.Refused == "" && m.App.includes(o.App) && sameKernel(&o, m) && o.Times >= 0.98*m.Times
		}) {
			out = append(out, *m)
		}
	}
	return out
}

func sameKernel(a, b *Remedy) bool {
	return (a.Variant == nil) == (b.Variant == nil) && (a.Variant == nil || *a.Variant == *b.Variant)
}

// includes reports whether a is o and more.
func (a App) includes(o App) bool {
	return a != o && (o.Align == 0 || o.Align == a.Align) && (!o.Prewritten || a.Prewritten) && (!o.ISizeAhead || a.ahead()) &&
		(!o.NoNowait || a.NoNowait) && (!o.Nosec || a.Nosec) && (!o.Alone || a.Alone)
}

// othersIn reports whether somebody else held i_rwsem.
func othersIn(scenes []*scene) bool {
	return slices.ContainsFunc(scenes, func(sc *scene) bool { return sc.others > 0 || sc.w.writes < len(sc.w.steps) })
}

// tooVague says why nothing can be said with so many writes undecided; empty when it can.
func (d *Decisions) tooVague(broken uint64) string {
	und := d.undecided() - min(broken, d.undecided())
	if und*5 > d.Writes {
		return fmt.Sprintf("%d of %d writes are undecided", und, d.Writes)
	}
	return ""
}
