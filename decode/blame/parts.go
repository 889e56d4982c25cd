package blame

import (
	"cmp"
	"math"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Bounds of what is said of one wait.
const (
	maxParts = 64 // the longest ones; the others are one more
	maxWith  = 7  // of those who held the lock together, besides the first
	maxDrain = 4  // of the writes for which a holder waited
)

// Hold is a time, ns of CLOCK_MONOTONIC, during which somebody held i_rwsem in a mode, or
// was queued for it.
type Hold struct {
	observe.Actor
	From, To uint64
	QueuedNs uint64 // queued for it before
	Mode     record.Lock
	seen     seen
	bound    bool // From or To is not when it took the lock or let go of it
	DrainNs  uint64
	drained  *drained // nil: none is known
}

// seen is what From and To of a Hold stand on. What stands on less does not speak against
// what stands on more.
type seen uint8

const (
	exact seen = iota // the lock was taken and given back then
	wide              // somewhere between
	owner             // the lock itself said who held it at From; To is not known when it is not later
)

// drained are writes for which a holder waited.
type drained struct {
	writes int
	named  []observe.Actor
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
//   - while nobody was seen to take and release it, it is that of who held it at some time
//     between, and then of who was seen as its owner before: a bound;
//   - while nobody is known to have done so, it is that of the first who had queued before,
//     and still was, for a mode that excludes what was waited for;
//   - then, where the wait is for the shared lock, of one who queued later and got it before
//     (PREEMPT_RT: a writer takes the rt_mutex inside from readers that have been woken);
//   - from when somebody was seen to let go of the lock until the next one had it, who had
//     been queued, or the wait was over, this one was woken and got a CPU, if all holders are
//     recorded and nobody else was seen. One that had not been queued overtook the first in
//     the queue, who was woken meanwhile: a bound, as it may have had the lock for some time;
//   - the rest is not known.
//
// The end of a hold is seen late, when its function returns: it is taken to be over when
// somebody else has got the lock whom it would have kept out.
func Parts(w *Hold, holds, queue []Hold, all bool) []observe.Part {
	if w.From >= w.To {
		return nil
	}
	d := division{wait: w, all: all}
	queued := func(q *Hold) bool { return q.From < w.From && q.To > w.From && !q.Is(&w.Actor) }
	for i := range queue {
		if q := &queue[i]; queued(q) && q.conflicts(w) {
			d.add(q, true)
		}
	}
	for i := range queue {
		if q := &queue[i]; w.Mode == record.LockShared && q.From >= w.From && q.To < w.To && q.conflicts(w) {
			d.add(q, true)
		}
	}
	chained := len(d.claims) > 0
	for i := range queue {
		if q := &queue[i]; chained && queued(q) && !q.conflicts(w) {
			d.add(q, true)
		}
	}
	for _, h := range clipped(w, holds) {
		if chained || h.conflicts(w) {
			d.add(&h, false)
		}
	}
	return d.divide()
}

// clipped lists the holds that meet w, each until another that it excludes began.
func clipped(w *Hold, holds []Hold) []Hold {
	var out, rough []Hold
	for i := range holds {
		switch h := &holds[i]; {
		case h.From >= w.To || h.Is(&w.Actor):
		case h.seen == owner:
			if o := *h; o.until(holds) > w.From {
				rough = append(rough, o)
			}
		case h.To <= w.From:
		case h.seen == wide:
			rough = append(rough, *h)
		default:
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
	return append(out, rough...)
}

// until finds out when who was seen as the owner let go of the lock at the latest: when
// the next one was seen to get it. One of whom more is known is over at once.
func (h *Hold) until(holds []Hold) uint64 {
	if h.To <= h.From {
		h.To = math.MaxUint64
	}
	for i := range holds {
		switch k := &holds[i]; {
		case k.seen != owner && k.Tid == h.Tid && k.From <= h.From && k.To >= h.From:
			h.To = h.From
			return h.To
		case k.seen != wide && k.From > h.From && k.conflicts(h) && k.Tid != h.Tid:
			h.To = min(h.To, k.From)
		}
	}
	return h.To
}

// claim is one hold, or one in the queue, as far as it falls into the wait.
type claim struct {
	Hold
	since, until uint64 // From and To, before and after the wait, too
	queued       bool
	later        bool // it came to the queue after the wait had begun
	aside        bool // it does not exclude what is waited for
}

// division divides a wait.
type division struct {
	wait   *Hold
	claims []claim
	parts  []part
	run    int    // 1 + the part of the shared holders of the moment before; 0 for none
	runs   seen   // what that stands on
	all    bool   // all holders are recorded
	gap    uint64 // nobody has had a claim for so long
	last   *claim // who was seen to hold the lock before that, at last
}

// part is one of the parts, and how long each of its holders held the lock.
type part struct {
	observe.Part
	by     []by
	behind []link
	told   uint64 // the since of the last hold that HeldNs counts
}

type by struct {
	observe.Actor
	ns, told               uint64
	held, before, queuedNs uint64
}

// link is one for whom one in the queue waited.
type link struct {
	observe.Link
	others []observe.Actor
}

func (d *division) add(h *Hold, queued bool) {
	c := claim{Hold: *h, since: h.From, until: h.To, queued: queued, aside: !h.conflicts(d.wait)}
	c.later = queued && h.From >= d.wait.From
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
	d.close(nil)
	return d.list()
}

// rank is the order in which claims count: holders before the queue, what was seen better
// first, exclusive before shared.
func (c *claim) rank() int {
	const inQueue = 2 * (int(owner) + 1)
	switch {
	case c.later:
		return inQueue + 1
	case c.queued:
		return inQueue
	case c.Mode == record.LockExclusive:
		return 2 * int(c.seen)
	}
	return 2*int(c.seen) + 1
}

// take gives ns to those who have a claim now.
func (d *division) take(now []*claim, ns uint64) {
	first := best(now, func(c *claim) bool { return !c.aside })
	if first == nil {
		d.gap += ns
		return
	}
	d.close(first)
	if d.last = nil; first.seen == exact && !first.queued {
		d.last = first
		for _, c := range now {
			if c.rank() == first.rank() && !c.aside && c.To > d.last.To {
				d.last = c
			}
		}
	}
	switch {
	case first.queued:
		d.run = 0
		p := d.of(observe.CauseQueued, first)
		p.Ns += ns
		p.QueuedNs, p.BeforeNs = first.until-first.since, d.before(first)
		p.chain(first, now, ns)
	case first.Mode != record.LockExclusive:
		d.shared(now, first.seen, ns)
	default:
		d.run = 0
		p := d.of(observe.CauseHeld, first)
		p.Ns += ns
		if p.told != first.since+1 {
			p.told = first.since + 1
			p.HeldNs += first.held()
			p.BeforeNs += d.before(first)
			p.QueuedNs += first.QueuedNs
			p.drain(first)
		}
	}
}

// close gives away the time since the last claim was over. next is the claim that comes
// then, nil for the end of the wait.
func (d *division) close(next *claim) {
	ns := d.gap
	if d.gap = 0; ns == 0 {
		return
	}
	found := next != nil && next.seen == exact && !next.queued
	overtook := found && next.QueuedNs == 0
	woken := next == nil || found && next.QueuedNs >= ns
	if d.all && d.last != nil && (woken || overtook) {
		p := d.of(observe.CauseWoken, d.last)
		p.Ns += ns
		p.Bound = p.Bound || overtook
		return
	}
	d.run = 0
	d.of(observe.CauseUnknown, nil).Ns += ns
}

// best is the first of the claims that are asked for.
func best(now []*claim, wanted func(*claim) bool) (first *claim) {
	for _, c := range now {
		if wanted(c) && (first == nil || c.rank() < first.rank()) {
			first = c
		}
	}
	return first
}

// before is how much of a claim was over when the wait began.
func (d *division) before(c *claim) uint64 { return d.wait.From - min(c.since, d.wait.From) }

// held is how long the lock was held; 0 when that is not known.
func (c *claim) held() uint64 {
	if c.seen == owner {
		return 0
	}
	return c.until - c.since
}

func (p *part) drain(c *claim) {
	p.Bound = p.Bound || c.bound
	p.DrainNs += c.DrainNs
	if d := c.drained; d != nil {
		p.DrainWrites += d.writes
		p.DrainedFor = append(p.DrainedFor, d.named[:min(len(d.named), maxDrain-min(len(p.DrainedFor), maxDrain))]...)
	}
}

// chain notes for whom first, who is in the queue, waits himself, and how long the chain is
// to who holds the lock.
func (p *part) chain(first *claim, now []*claim, ns uint64) {
	length := 1
	for c := first; ; length++ {
		next := best(now, func(n *claim) bool { return n != c && n.conflicts(&c.Hold) && (!n.queued || n.since < c.since) })
		if next == nil {
			break
		}
		if c == first {
			p.link(next, now, ns)
		}
		if c = next; !c.queued {
			length++
			break
		}
	}
	p.Chain = max(p.Chain, length)
}

// link adds one for whom the one in the queue waits.
func (p *part) link(c *claim, now []*claim, ns uint64) {
	cause := observe.CauseHeld
	if c.queued {
		cause = observe.CauseQueued
	}
	i := slices.IndexFunc(p.behind, func(l link) bool {
		return l.Cause == cause && l.Mode == c.Mode && (l.Is(&c.Actor) || c.Mode == record.LockShared && !c.queued)
	})
	if i < 0 {
		i = len(p.behind)
		p.behind = append(p.behind, link{Link: observe.Link{Cause: cause, Mode: c.Mode, Actor: c.Actor}})
	}
	l := &p.behind[i]
	l.Ns += ns
	for _, o := range now {
		if c.Mode == record.LockShared && !c.queued && o.rank() == c.rank() && !o.Is(&l.Actor) && !slices.ContainsFunc(l.others, func(a observe.Actor) bool { return a.Is(&o.Actor) }) {
			l.others = append(l.others, o.Actor)
		}
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
func (d *division) shared(now []*claim, sure seen, ns uint64) {
	if d.run == 0 || d.runs != sure {
		d.parts = append(d.parts, part{Part: observe.Part{Cause: observe.CauseHeld, Mode: record.LockShared}, by: []by{}})
		d.run, d.runs = len(d.parts), sure
	}
	p := &d.parts[d.run-1]
	p.Ns += ns
	for _, c := range now {
		if c.queued || c.aside || c.seen != sure || c.Mode == record.LockExclusive {
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
		b := &p.by[i]
		b.ns += ns
		if b.told != c.since+1 {
			b.told = c.since + 1
			b.held, b.before, b.queuedNs = b.held+c.held(), b.before+d.before(c), b.queuedNs+c.QueuedNs
			p.drain(c)
		}
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
				p.HeldNs, p.BeforeNs, p.QueuedNs = b.held, b.before, b.queuedNs
			case i <= maxWith:
				p.With = append(p.With, b.Actor)
			}
		}
		if len(p.behind) > 0 {
			l := slices.MaxFunc(p.behind, func(a, b link) int { return cmp.Compare(a.Ns, b.Ns) })
			l.Others = len(l.others)
			p.Behind = []observe.Link{l.Link}
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
