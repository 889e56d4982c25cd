package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/stats"
)

// Options say what counts as a change.
type Options struct {
	Level float64 // of intervals and of the test, 0.95
	Least float64 // a time or a rate has to change by more than this part, 0.05
	Seed  uint64  // of the bootstrap: the same one gives the same numbers
}

// Change is one number of a class in both recordings.
type Change struct {
	Name string
	Kind Kind
	Unit string
	A, B float64 // NaN where it is not known
	// Diff is B - A of a Share or a Time, and B / A of a Ratio; Low and High are the
	// interval around it. They are known where Judged.
	Diff, Low, High float64
	P               float64 // corrected for all that is compared
	Judged          bool
	Significant     bool
	Why             string // why it is not judged
	Detectable      float64
}

// Pair is a class in both recordings.
type Pair struct {
	Class
	FileB             string // its name in B, where it is another; else empty
	Shortest, Longest int64  // lengths of its writes
	WritesA, WritesB  uint64
	Changes           []Change
	timeNs            float64
	all               bool // all classes together
}

// Single is a class that only one recording has.
type Single struct {
	Class
	Shortest, Longest int64
	Writes            uint64
}

// Report is what changed.
type Report struct {
	Options
	A, B         *Side
	Pairs        []Pair // those in which something changed first, of these the ones with the most time
	OnlyA, OnlyB []Single
	Tests        int // how many numbers were judged
}

// Compare compares two recordings that were read to their ends.
func Compare(a, b *Side, o Options) *Report {
	r := &Report{Options: o, A: a, B: b}
	renamed := pairFiles(a.writes, b.writes)
	inA := map[Class]bool{}
	for c, sb := range b.classes {
		key := c
		if f, ok := renamed[c.File]; ok {
			key.File = f
		}
		sa := a.classes[key]
		if sa == nil {
			r.OnlyB = append(r.OnlyB, single(c, sb))
			continue
		}
		inA[key] = true
		p := r.pair(a.half(key, sa), b.half(c, sb))
		if p.Class = key; key.File != c.File {
			p.FileB = c.File
		}
		r.Pairs = append(r.Pairs, p)
	}
	for c, sa := range a.classes {
		if !inA[c] {
			r.OnlyA = append(r.OnlyA, single(c, sa))
		}
	}
	if (len(r.Pairs) == 0 || len(a.classes)+len(b.classes) > 2) && a.chosen > 0 && b.chosen > 0 {
		p := r.pair(a.mix(), b.mix())
		p.mixed()
		r.Pairs = append(r.Pairs, p)
	}
	r.judge()
	r.sort()
	return r
}

func single(c Class, s *series) Single {
	return Single{c, s.shortest, s.longest, uint64(s.sum(func(w *window) float64 { return w.writes }))}
}

// pair compares all numbers of a class.
func (r *Report) pair(a, b half) Pair {
	writes := func(w *window) float64 { return w.writes }
	p := Pair{
		Shortest: min(a.shortest, b.shortest), Longest: max(a.longest, b.longest),
		WritesA: uint64(a.sum(writes)), WritesB: uint64(b.sum(writes)), timeNs: a.timeNs + b.timeNs,
	}
	list := slices.Clone(metrics)
	reasons := slices.Concat(a.reasons(), b.reasons())
	slices.Sort(reasons)
	for _, name := range slices.Compact(reasons) {
		list = append(list, share("reason: "+name, func(w *window) (n, of float64) { return w.reasons[name], w.judged }))
	}
	for _, m := range list {
		// Draws of both sides are independent, as the sides are.
		of := [2]measured{m.of(a.series, 2*r.Seed), m.of(b.series, 2*r.Seed+1)}
		for i, h := range []half{a, b} {
			of[i].spread.SE = math.Hypot(of[i].spread.SE, m.order(of[i].value, h.others, h.waits))
		}
		c := r.change(m, of[0], of[1], max(a.latency(), b.latency()))
		if c.shown() {
			p.Changes = append(p.Changes, c)
		}
	}
	return p
}

// latency is the mean latency, ns.
func (s *series) latency() float64 {
	return s.timeNs / max(1, s.sum(func(w *window) float64 { return w.latencies }))
}

// mixed makes p all classes together: of a mix only the throughput is compared, as other parts
// of it make every other number another one.
func (p *Pair) mixed() {
	p.all = true
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Judged && c.Name != "throughput" {
			c.Judged, c.Why = false, isMix
		}
	}
}

// change compares one number. A wait has to change by a part of what a write takes.
func (r *Report) change(m metric, a, b measured, latency float64) Change {
	c := Change{Name: m.name, Kind: m.kind, Unit: m.unit, A: a.value, B: b.value, P: 1, Why: cmp.Or(a.few, b.few)}
	if c.Why != "" {
		return c
	}
	least := map[Kind]float64{Share: leastShare, Ratio: math.Log1p(r.Least), Time: r.Least * latency}[m.kind]
	d, ok := stats.Between(a.spread, b.spread, least, r.Level)
	if !ok {
		c.Why = tooFew
		return c
	}
	c.Diff, c.Low, c.High, c.P, c.Judged = d.Value, d.Low, d.High, d.P, true
	c.Detectable = stats.Detectable(a.spread, b.spread, least, r.Level)
	switch m.kind {
	case Ratio:
		c.Diff, c.Low, c.High, c.Detectable = math.Exp(c.Diff), math.Exp(c.Low), math.Exp(c.High), math.Exp(c.Detectable)
	case Share:
		c.Low, c.High = max(c.Low, -1), min(c.High, 1)
	}
	return c
}

// shown reports whether a number says anything: not a share or a wait that is 0 on both sides.
func (c *Change) shown() bool {
	return !(math.IsNaN(c.A) && math.IsNaN(c.B)) && (c.A != 0 || c.B != 0)
}

// judge corrects for all numbers of all classes.
func (r *Report) judge() {
	var all []*Change
	var p []float64
	for i := range r.Pairs {
		for k := range r.Pairs[i].Changes {
			if c := &r.Pairs[i].Changes[k]; c.Judged {
				all, p = append(all, c), append(p, c.P)
			}
		}
	}
	r.Tests = len(all)
	for i, corrected := range stats.Holm(p) {
		all[i].P = corrected
		all[i].Significant = corrected < 1-r.Level
	}
}

// changed lists what changed in a class.
func (p *Pair) changed() (out []*Change) {
	for i := range p.Changes {
		if p.Changes[i].Significant {
			out = append(out, &p.Changes[i])
		}
	}
	return out
}

// sort puts first what matters most, and otherwise in an order that depends on nothing else.
func (r *Report) sort() {
	rank := func(p *Pair) int {
		switch {
		case p.all:
			return 2
		case len(p.changed()) > 0:
			return 0
		}
		return 1
	}
	slices.SortFunc(r.Pairs, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), cmp.Compare(b.timeNs, a.timeNs), a.compare(&b.Class))
	})
	for _, list := range [][]Single{r.OnlyA, r.OnlyB} {
		slices.SortFunc(list, func(a, b Single) int { return cmp.Or(cmp.Compare(b.Writes, a.Writes), a.compare(&b.Class)) })
	}
}

func (c *Class) compare(o *Class) int {
	return cmp.Compare(fmt.Sprintf("%+v", *c), fmt.Sprintf("%+v", *o))
}

// judgedPairs counts the classes in which at least one number was judged.
func (r *Report) judgedPairs() (n int) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; !p.all && slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Judged }) {
			n++
		}
	}
	return n
}

// Proven reports whether nothing is missing on either side, and something was judged.
func (r *Report) Proven() bool {
	return r.judgedPairs() > 0 && r.A.proven() && r.B.proven()
}

func (s *Side) proven() bool { return len(s.missing()) == 0 && s.more == 0 && !s.Summary.Unproven() }

// left says which writes of a side were not compared, one text each.
func (s *Side) left() (out []string) {
	if s.unknown > 0 {
		out = append(out, export.Plural(s.unknown, "write")+" of which too much is not known")
	}
	if s.more > 0 {
		out = append(out, fmt.Sprintf("%s of further classes, beyond the first %d", export.Plural(s.more, "write"), maxClasses))
	}
	return out
}
