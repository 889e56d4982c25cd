package expect

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// Watch looks at writes while they pass. Its memory is bounded, and one goroutine uses it.
type Watch struct {
	policies []*watched
	seen     uint64 // writes, whether they are meant or not
}

// watched is a policy and what was seen of it.
type watched struct {
	*Policy
	writes uint64 // that are meant
	unsure uint64 // of which it is not known whether they are meant
	needs  []counted
}

// counted is a requirement and what was seen of it.
type counted struct {
	*need
	of      *watched
	unknown uint64 // writes of which the fact is not known
	n       uint64 // writes of which it is

	yes uint64 // of writes: those that are counted

	// Of times: how many are below the limit and at it, so that it is exact whether a quantile
	// is beyond it, and the times by magnitude, to say where it is.
	below, equal uint64
	sum          uint64
	times        *histogram.Times

	offences []Offence // the first ones
	offended uint64
	told     bool // that it is broken
}

// maxOffences is how many writes are named.
const maxOffences = 5

// NewWatch begins to look at writes.
func NewWatch(policies []*Policy) *Watch {
	w := &Watch{}
	for _, p := range policies {
		of := &watched{Policy: p}
		for i := range p.needs {
			of.needs = append(of.needs, counted{need: &p.needs[i], of: of, times: &histogram.Times{}})
		}
		w.policies = append(w.policies, of)
	}
	return w
}

// Anew forgets what was counted: the same writes come again, as another variant.
func (w *Watch) Anew() {
	var all []*Policy
	for _, of := range w.policies {
		all = append(all, of.Policy)
	}
	*w = *NewWatch(all)
}

// Add looks at a write, which stays the caller's. One that has not returned is not judged by
// policies: that it is missing makes them unproven.
func (w *Watch) Add(r *export.Row) {
	if r.Inside.Known {
		return
	}
	w.seen++
	for _, of := range w.policies {
		switch on, known := of.meant.filter.Decide(r); {
		case !known:
			of.unsure++
		case on:
			of.writes++
			for i := range of.needs {
				of.needs[i].add(r)
			}
		}
	}
}

func (c *counted) add(r *export.Row) {
	switch c.what {
	case writes:
		c.count(r)
	case rate:
		c.n++
	default:
		c.take(r)
	}
}

// count takes a write that may be one of those that are counted.
func (c *counted) count(r *export.Row) {
	on, known := c.only.Decide(r)
	if c.reasoned && (r.Missing != "" || r.Incomplete != "") {
		known = false
	}
	if !known {
		c.unknown++
		return
	}
	c.n++
	if on {
		c.yes++
	}
	// It is the ones that are counted which are too many, or the others.
	few := strings.HasPrefix(c.op, "<") || c.op == "=" && c.limit == 0
	many := strings.HasPrefix(c.op, ">") || c.op == "=" && c.share && c.limit == million
	if on && few || !on && many {
		c.offend(r, nil)
	}
}

// take takes the time of a write.
func (c *counted) take(r *export.Row) {
	ns, known := c.time(r)
	if !known || ns < 0 {
		c.unknown++
		return
	}
	c.n++
	c.sum = add(c.sum, uint64(ns))
	c.times.Add(uint64(ns))
	order := 0
	switch {
	case ns < c.limit:
		c.below++
		order = -1
	case ns == c.limit:
		c.equal++
	default:
		order = 1
	}
	if !holds(c.op, order) {
		u := uint64(ns)
		c.offend(r, &u)
	}
}

// add is the sum, or the largest number.
func add(a, b uint64) uint64 {
	sum, over := bits.Add64(a, b, 0)
	return sum | -over
}

// holds reports whether an operator holds for how a value compares with the limit.
func holds(op string, order int) bool {
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "=":
		return order == 0
	}
	return order != 0
}

// Offence is a write that a requirement does not want.
type Offence struct {
	Seq      *uint64 `json:"seq" doc:"as explain --seq takes it; null when it has none"`
	Pos      int64   `json:"pos" doc:"position, bytes"`
	Len      int64   `json:"len" doc:"length, bytes"`
	Path     string  `json:"path" doc:"empty when it is not known"`
	Dev      string  `json:"dev" doc:"MAJOR:MINOR"`
	Ino      uint64  `json:"ino" doc:"inode"`
	Pid      uint32  `json:"pid" doc:"process"`
	Comm     string  `json:"comm" doc:"name of the thread"`
	Lock     *string `json:"lock" doc:"null when it is not known"`
	Reason   string  `json:"reason" doc:"why it went so; empty when it is not known"`
	Measured *uint64 `json:"measured_ns" doc:"of a requirement about times: its own; else null"`
	Ret      *int64  `json:"ret" doc:"null when it is not known"`
	TimeNs   uint64  `json:"time_ns" doc:"entry, CLOCK_MONOTONIC"`
}

// offend notes a write, when it is one of the first.
func (c *counted) offend(r *export.Row, measured *uint64) {
	c.offended++
	if len(c.offences) == maxOffences {
		return
	}
	o := Offence{
		Pos: r.Pos, Len: r.Len, Path: strings.Clone(r.Path), Dev: export.DevName(r.Dev), Ino: r.Ino, Pid: r.Pid, Comm: strings.Clone(r.Comm),
		Reason: strings.Clone(r.ReasonText()), Measured: measured, TimeNs: r.TimeNs,
	}
	if r.Seq.Known {
		seq := r.Seq.V
		o.Seq = &seq
	}
	if r.Lock.Known {
		lock := r.Lock.V.String()
		o.Lock = &lock
	}
	if r.Ret.Known {
		ret := r.Ret.V
		o.Ret = &ret
	}
	c.offences = append(c.offences, o)
}

// News says which requirements are broken by now and were not before, each once. One whose
// value moves with every write is not told of before a single write could not break it alone.
func (w *Watch) News() []Result {
	var out []Result
	for _, of := range w.policies {
		for i := range of.needs {
			c := &of.needs[i]
			if c.told || !c.settled() {
				continue
			}
			if res := c.result(w, Whole{}); res.State == Broken {
				c.told = true
				out = append(out, res)
			}
		}
	}
	return out
}

// settled reports whether it means something that a requirement is broken before the end.
func (c *counted) settled() bool {
	switch {
	case c.what == rate, c.what == mean:
		return false
	case c.what == quantile:
		return c.n*min(c.part, million-c.part) >= million
	case c.what == writes && c.share && c.limit > 0 && c.limit < million:
		return c.n*uint64(min(c.limit, million-c.limit)) >= million
	case c.what == writes && c.share:
		return true
	}
	return slices.Contains([]string{"<", "<=", "="}, c.op) && !(c.op == "=" && c.limit > 0)
}
