package blame

import (
	"cmp"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Bounds of what is said of one wait.
const (
	maxParts = 64 // the longest ones; the others are one more
	maxWith  = 7  // of those who held the lock together, besides the first
)

// Hold is a time, ns of CLOCK_MONOTONIC, during which somebody held i_rwsem in a mode, or
// was queued for it.
type Hold struct {
	observe.Actor
	From, To uint64
	Mode     record.Lock
}

// conflicts reports whether the two exclude each other. A mode that is not known does.
func (h *Hold) conflicts(with *Hold) bool {
	return h.Mode != record.LockShared || with.Mode != record.LockShared
}

// Parts divides a wait among those who held the lock and those who stood before in the
// queue. The parts are disjoint and add up to the wait:
//
//   - while somebody held the lock in a mode that excludes what was waited for, it is the
//     part of the one exclusive holder, or one part of all shared ones together;
//   - while nobody is known to have done so, it is that of the first who had queued before,
//     and still was, for a mode that excludes what was waited for;
//   - the rest is not known.
//
// The end of a hold is seen late, when its function returns: it is taken to be over when
// somebody else has got the lock whom it would have kept out.
func Parts(w *Hold, holds, queue []Hold) []observe.Part {
	if w.From >= w.To {
		return nil
	}
	d := division{wait: w}
	for _, h := range clipped(w, holds) {
		if h.conflicts(w) {
			d.add(&h, false)
		}
	}
	for i := range queue {
		if q := &queue[i]; q.From < w.From && q.conflicts(w) && !q.Is(&w.Actor) {
			d.add(q, true)
		}
	}
	return d.divide()
}

// clipped lists the holds that meet w, each until another that it excludes began.
func clipped(w *Hold, holds []Hold) []Hold {
	var out []Hold
	for i := range holds {
		if h := &holds[i]; h.From < w.To && h.To > w.From && !h.Is(&w.Actor) {
			out = append(out, *h)
		}
	}
	slices.SortStableFunc(out, func(a, b Hold) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	anybody, exclusive := w.To, w.To // the first who got it later
	for i := len(out) - 1; i >= 0; i-- {
		h := &out[i]
		if h.Mode == record.LockExclusive {
			h.To = min(h.To, anybody)
			exclusive = h.From
		} else {
			h.To = min(h.To, exclusive)
		}
		anybody = h.From
	}
	return out
}

// claim is one hold, or one in the queue, as far as it falls into the wait.
type claim struct {
	Hold
	since  uint64 // From, before the wait, too
	queued bool
}

// division divides a wait.
type division struct {
	wait   *Hold
	claims []claim
	parts  []part
	run    int // 1 + the part of the shared holders of the moment before; 0 for none
}

// part is one of the parts, and how long each of its holders held the lock.
type part struct {
	observe.Part
	by []by
}

type by struct {
	observe.Actor
	ns uint64
}

func (d *division) add(h *Hold, queued bool) {
	c := claim{*h, h.From, queued}
	if c.From, c.To = max(h.From, d.wait.From), min(h.To, d.wait.To); c.From < c.To {
		d.claims = append(d.claims, c)
	}
}

// divide goes through the wait from one change to the next.
func (d *division) divide() []observe.Part {
	slices.SortStableFunc(d.claims, func(a, b claim) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.since, b.since)) })
	var now []*claim
	next := 0
	for at := d.wait.From; at < d.wait.To; {
		now = slices.DeleteFunc(now, func(c *claim) bool { return c.To <= at })
		for ; next < len(d.claims) && d.claims[next].From <= at; next++ {
			now = append(now, &d.claims[next])
		}
		until := d.wait.To
		if next < len(d.claims) {
			until = min(until, d.claims[next].From)
		}
		for _, c := range now {
			until = min(until, c.To)
		}
		d.take(now, until-at)
		at = until
	}
	return d.list()
}

// take gives ns to those who have a claim now.
func (d *division) take(now []*claim, ns uint64) {
	var first *claim // exclusive before shared, holders before the queue
	rank := func(c *claim) int {
		switch {
		case c.queued:
			return 2
		case c.Mode == record.LockExclusive:
			return 0
		}
		return 1
	}
	for _, c := range now {
		if first == nil || rank(c) < rank(first) {
			first = c
		}
	}
	switch {
	case first == nil:
		d.run = 0
		d.of(observe.CauseUnknown, nil).Ns += ns
	case rank(first) == 1:
		d.shared(now, ns)
	default:
		d.run = 0
		d.of(map[bool]observe.Cause{false: observe.CauseHeld, true: observe.CauseQueued}[first.queued], first).Ns += ns
	}
}

// of is the part of one claim, or the one of which nothing is known.
func (d *division) of(cause observe.Cause, c *claim) *part {
	for i := range d.parts {
		p := &d.parts[i]
		if p.Cause == cause && (c == nil || p.by == nil && p.Actor.Is(&c.Actor)) {
			return p
		}
	}
	p := part{Part: observe.Part{Cause: cause}}
	if c != nil {
		p.Actor, p.Mode = c.Actor, c.Mode
	}
	d.parts = append(d.parts, p)
	return &d.parts[len(d.parts)-1]
}

// shared gives ns to all who hold the lock together. As long as somebody does, it is one
// part, whoever comes and goes.
func (d *division) shared(now []*claim, ns uint64) {
	if d.run == 0 {
		d.parts = append(d.parts, part{Part: observe.Part{Cause: observe.CauseHeld, Mode: record.LockShared}, by: []by{}})
		d.run = len(d.parts)
	}
	p := &d.parts[d.run-1]
	p.Ns += ns
	for _, c := range now {
		if c.queued {
			continue
		}
		if c.Mode != record.LockShared {
			p.Mode = c.Mode
		}
		i := slices.IndexFunc(p.by, func(b by) bool { return b.Is(&c.Actor) })
		if i < 0 {
			i = len(p.by)
			p.by = append(p.by, by{Actor: c.Actor})
		}
		p.by[i].ns += ns
	}
}

// list is the parts, the first to be waited for first.
func (d *division) list() []observe.Part {
	out := make([]observe.Part, 0, len(d.parts))
	for i := range d.parts {
		p := &d.parts[i]
		slices.SortStableFunc(p.by, func(a, b by) int { return cmp.Compare(b.ns, a.ns) })
		for i, b := range p.by {
			switch {
			case i == 0:
				p.Actor, p.Others = b.Actor, len(p.by)-1
			case i <= maxWith:
				p.With = append(p.With, b.Actor)
			}
		}
		out = append(out, p.Part)
	}
	return bounded(out)
}

// bounded puts the shortest parts together when there are too many.
func bounded(parts []observe.Part) []observe.Part {
	if len(parts) <= maxParts {
		return parts
	}
	lengths := make([]uint64, len(parts))
	for i := range parts {
		lengths[i] = parts[i].Ns
	}
	slices.Sort(lengths)
	least := lengths[len(lengths)-maxParts]
	rest := observe.Part{Cause: observe.CauseHeld}
	parts = slices.DeleteFunc(parts, func(p observe.Part) bool {
		if p.Ns >= least || p.Cause == observe.CauseUnknown {
			return false
		}
		rest.Ns += p.Ns
		rest.Others += 1 + p.Others
		return true
	})
	return append(parts, rest)
}
