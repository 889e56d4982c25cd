package whatif

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Phase is a part of a trace in which about as many threads make about as many writes a
// second of about the same kinds. Times are ns of CLOCK_MONOTONIC, and in a report since
// the recording began.
type Phase struct {
	From      uint64  `json:"from_ns"`
	To        uint64  `json:"to_ns"` // it is not in it
	Writes    int     `json:"writes"`
	Writers   int     `json:"writers"` // threads; an estimate when they are many
	PerSecond float64 `json:"writes_per_second"`
	Together  float64 `json:"in_flight"` // writes, in the mean
	Steady    bool    `json:"steady"`
	Answered  bool    `json:"answered"` // the answer is about it
}

// leavesOut reports whether what began then is in another phase than p; nil is all.
func (p *Phase) leavesOut(at uint64) bool { return p != nil && (at < p.From || at >= p.To) }

// What makes two parts two phases.
const (
	otherTimes = 1.5  // so many times the writes a second, the writers, or the writes in flight
	otherKinds = 0.3  // this part of the writes is of another kind
	phaseLeast = 64   // writes; fewer tell nothing
	splitCost  = 3    // what a border has to explain, in noise of a stretch and logarithms of their number
	splitFloor = 0.25 // that much at least, of differences squared
	aloneBelow = 1.2  // writes in flight: nobody to share a lock with
)

// features are what phases differ by: logarithms of the writes a second, of the writers and
// of the writes in flight, and the parts of the kinds.
type features [3 + kindsOfWrite]float64

func (s *stretch) features() (f features) {
	f[0], f[1], f[2] = math.Log2(s.perSecond()), math.Log2(float64(max(s.writers(), 1))), math.Log2(max(s.together(), 0.5))
	for i, n := range s.kinds {
		f[3+i] = float64(n) / float64(s.writes)
	}
	return f
}

// other reports whether s and o are no part of one phase.
func (s *stretch) other(o *stretch) bool {
	a, b := s.features(), o.features()
	kinds := 0.0
	for i := 3; i < len(a); i++ {
		kinds += math.Abs(a[i]-b[i]) / 2
	}
	for i := range 3 {
		if math.Abs(a[i]-b[i]) > math.Log2(otherTimes) {
			return true
		}
	}
	return kinds > otherKinds
}

// absorb joins two parts. One that is too short to be a phase has the writers of both sides.
func (s *stretch) absorb(o *stretch) {
	who := s.who
	if s.writes < phaseLeast {
		who = o.who
	}
	short := min(s.writes, o.writes) < phaseLeast
	if s.join(o); short {
		s.who = who
	}
}

// phases finds the phases of what was added, the steady one among them. It is exact: of all
// ways to cut the stretches, it takes the one with the least squared differences from the
// mean of each part and a price for each cut.
func (s *stretches) phases() []Phase {
	parts := s.parts()
	for i := 1; i < len(parts); { // too alike, or too short
		if parts[i-1].other(&parts[i]) && parts[i-1].writes >= phaseLeast && parts[i].writes >= phaseLeast {
			i++
			continue
		}
		parts[i-1].absorb(&parts[i])
		parts, i = slices.Delete(parts, i, i+1), max(1, i-1)
	}
	parts = recurring(parts)
	out := make([]Phase, len(parts))
	for i := range parts {
		p := &parts[i]
		out[i] = Phase{From: p.from, To: p.to + 1, Writes: p.writes, Writers: p.writers(), PerSecond: p.perSecond(), Together: p.together()}
		if i > 0 {
			out[i-1].To = min(out[i-1].To, p.from)
		}
	}
	if len(out) > 0 {
		out[steadiest(parts)].Steady = true
	}
	return out
}

// parts cuts the stretches where that explains more than it costs.
func (s *stretches) parts() []stretch {
	all := s.all
	if n := len(all); n > 1 && all[n-1].writes < s.each {
		last := all[n-1]
		all = slices.Clone(all[:n-1])
		all[n-2].join(&last)
	}
	n := len(all)
	sum, square, price := sums(all)
	best, from := make([]float64, n+1), make([]int, n+1)
	for end := 1; end <= n; end++ {
		best[end] = math.Inf(1)
		for at := range end {
			cost := best[at] + price + square[end] - square[at]
			for k := range sum[0] {
				d := sum[end][k] - sum[at][k]
				cost -= d * d / float64(end-at)
			}
			if cost < best[end] {
				best[end], from[end] = cost, at
			}
		}
	}
	var out []stretch
	for end := n; end > 0; end = from[end] {
		var one stretch
		for i := from[end]; i < end; i++ {
			one.join(&all[i])
		}
		if end-from[end] > 2 { // the outer ones may have writers of the next part
			one.who = all[from[end]+1].who
			for i := from[end] + 2; i < end-1; i++ {
				one.count(&all[i])
			}
		}
		out = append(out, one)
	}
	slices.Reverse(out)
	return out
}

// sums are the features and their squares added up, and the price of a cut: what one may
// explain by chance, by how much stretches differ from the next.
func sums(all []stretch) (sum []features, square []float64, price float64) {
	sum, square = make([]features, len(all)+1), make([]float64, len(all)+1)
	var last features
	var steps []float64
	for i := range all {
		f, sq, step := all[i].features(), 0.0, 0.0
		for k, v := range f {
			sum[i+1][k] = sum[i][k] + v
			sq += v * v
			step += (v - last[k]) * (v - last[k])
		}
		square[i+1], last = square[i]+sq, f
		if i > 0 {
			steps = append(steps, step/2)
		}
	}
	return sum, square, splitCost * math.Log(float64(len(all)+1)) * max(splitFloor, middle(steps))
}

// recurring joins parts that take turns, such as writes and checkpoints: of those that are
// one phase, each is alike to another one.
func recurring(parts []stretch) []stretch {
	for size := len(parts); size > 3; size-- {
		for at := 0; at+size <= len(parts); at++ {
			if takeTurns(parts[at : at+size]) {
				for i := at + 1; i < at+size; i++ {
					parts[at].join(&parts[i])
				}
				return recurring(slices.Delete(parts, at+1, at+size))
			}
		}
	}
	return parts
}

func takeTurns(parts []stretch) bool {
	for i := range parts {
		if !slices.ContainsFunc(parts, func(o stretch) bool { return o.from != parts[i].from && !parts[i].other(&o) }) {
			return false
		}
	}
	return true
}

// steadiest is the part in which writes meet most: the time that two writes were in flight,
// of all pairs of them. Where they hardly meet, it is that with most writes.
func steadiest(parts []stretch) (at int) {
	most, meets := 0.0, false
	for i := range parts {
		p := &parts[i]
		n := p.together()
		value := float64(p.writes)
		if n >= aloneBelow {
			value = float64(p.spent) * n * (n - 1)
		}
		if meet := n >= aloneBelow; meet && !meets || meet == meets && value > most {
			most, meets, at = value, meet, i
		}
	}
	return at
}

// setPhases tells of the phases, and which of them the answer is about.
func (r *Report) setPhases(p *Predictor, began uint64) {
	for _, f := range p.found() {
		f.Answered = p.only == nil || p.only.From == f.From
		f.From, f.To = f.From-min(began, f.From), f.To-min(began, f.To)
		r.Phases = append(r.Phases, f)
	}
}

// partial reports whether the answer is about one of several phases.
func (r *Report) partial() bool {
	return slices.ContainsFunc(r.Phases, func(f Phase) bool { return !f.Answered })
}

// maxPhases is how many phases a sentence names.
const maxPhases = 4

// about says which phase the answer is about, and what is left out.
func (r *Report) about() string {
	at := slices.IndexFunc(r.Phases, func(f Phase) bool { return f.Answered })
	if !r.partial() {
		if len(r.Phases) > 1 {
			return fmt.Sprintf(" This is of all %d phases of the trace together.", len(r.Phases))
		}
		return ""
	}
	var others []string
	for i := range r.Phases {
		switch f := &r.Phases[i]; {
		case i == at:
		case i < at:
			others = append(others, f.String()+" before it")
		default:
			others = append(others, f.String()+" after it")
		}
	}
	if more := len(others) - maxPhases; more > 0 {
		others = append(others[:maxPhases], fmt.Sprintf("%d more phases", more))
	}
	name := "the steady phase"
	if !r.Phases[at].Steady {
		name = fmt.Sprintf("phase %d", at+1)
	}
	return fmt.Sprintf(" This is of %s, %s from %s on; left out: %s.", name, &r.Phases[at], duration(float64(r.Phases[at].From)), strings.Join(others, ", "))
}

// String says how long a phase is, and its writes.
func (f *Phase) String() string {
	threads := "threads"
	if f.Writers == 1 {
		threads = "thread"
	}
	return fmt.Sprintf("%s with %d writes by %d %s", duration(float64(f.To-f.From)), f.Writes, f.Writers, threads)
}
