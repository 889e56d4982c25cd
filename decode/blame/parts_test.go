package blame

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

const sh, ex = record.LockShared, record.LockExclusive

// hold is one of the writer of a letter.
func hold(who string, mode record.Lock, from, to uint64) Hold {
	return Hold{Actor: observe.Actor{Op: observe.OpWrite, Comm: who, Tid: uint32(who[0]), ID: uint64(who[0])}, From: from, To: to, Mode: mode}
}

// as is a hold that stands on less.
func as(how seen, h Hold) Hold {
	h.seen, h.bound, h.Op = how, true, "fallocate"
	return h
}

func queuedFor(ns uint64, h Hold) Hold {
	h.QueuedNs = ns
	return h
}

// text is the parts of a wait: held by a exclusive for 5: "a! 5", by b and others shared:
// "b+1 5", queued behind c: "<c! 5", not known: "? 5", woken after a "^a! 5". A bound is "a!~ 5"; c who waited 3 of
// the 5 for d, at the end of whose chain of 2 is the holder, "<c!(d 3/2) 5".
func text(parts []observe.Part) string {
	var out []string
	for i := range parts {
		p := &parts[i]
		s := p.Comm
		if p.Mode == ex {
			s += "!"
		}
		if p.Others > 0 {
			s += fmt.Sprintf("+%d", p.Others)
		}
		switch p.Cause {
		case observe.CauseQueued:
			s = "<" + s
		case observe.CauseUnknown:
			s = "?"
		case observe.CauseWoken:
			s = "^" + s
		}
		if p.Bound {
			s += "~"
		}
		for _, l := range p.Behind {
			s += fmt.Sprintf("(%s", l.Comm)
			if l.Others > 0 {
				s += fmt.Sprintf("+%d", l.Others)
			}
			s += fmt.Sprintf(" %d/%d)", l.Ns, p.Chain)
		}
		out = append(out, fmt.Sprintf("%s %d", s, p.Ns))
	}
	return strings.Join(out, ", ")
}

func sum(parts []observe.Part) (ns uint64) {
	for i := range parts {
		ns += parts[i].Ns
	}
	return ns
}

// The wait is always one of w from 100 to 200.
func TestParts(t *testing.T) {
	for _, tt := range []struct {
		name         string
		mode         record.Lock
		holds, queue []Hold
		want         string
		all          bool // all holders are recorded
	}{
		{"nobody is known", ex, nil, nil, "? 100", false},
		{"one exclusive holder", ex, []Hold{hold("a", ex, 50, 200)}, nil, "a! 100", false},
		{"others at other times", ex, []Hold{hold("a", ex, 50, 100), hold("b", sh, 200, 300)}, nil, "? 100", false},
		{"one after the other", ex, []Hold{hold("a", ex, 50, 140), hold("b", ex, 140, 200)}, nil, "a! 40, b! 60", false},
		{"shared ones at the same time count once", ex, []Hold{hold("a", sh, 0, 180), hold("b", sh, 90, 200), hold("c", sh, 100, 120)}, nil, "b+2 100", false},
		{"shared ones that come and go are one part", ex, []Hold{hold("a", sh, 0, 130), hold("b", sh, 120, 200)}, nil, "b+1 100", false},
		{"a gap is not known", ex, []Hold{hold("a", ex, 50, 120), hold("b", ex, 150, 200)}, nil, "a! 20, ? 30, b! 50", false},
		{"all gaps are one part", ex, []Hold{hold("a", ex, 110, 120), hold("b", ex, 150, 190)}, nil, "? 50, a! 10, b! 40", false},
		{"a holder in the middle of shared ones", ex, []Hold{hold("a", sh, 0, 120), hold("b", ex, 120, 150), hold("c", sh, 150, 200)}, nil, "a 20, b! 30, c 50", false},
		{"the return is seen late: the next has it", ex, []Hold{hold("a", ex, 50, 160), hold("b", ex, 140, 200)}, nil, "a! 40, b! 60", false},
		{"the return of a shared one is seen late", ex, []Hold{hold("a", sh, 50, 190), hold("b", ex, 140, 200)}, nil, "a 40, b! 60", false},
		{"shared does not wait for shared", sh, []Hold{hold("a", sh, 50, 200)}, nil, "? 100", false},
		{"shared behind one who waits for shared ones", sh, []Hold{hold("a", sh, 50, 150), hold("b", ex, 150, 190)}, []Hold{hold("b", ex, 90, 150)}, "<b!(a 50/2) 50, b! 40, ? 10", false},
		{"a holder comes before the queue", ex, []Hold{hold("a", ex, 50, 150)}, []Hold{hold("b", ex, 90, 180)}, "a! 50, <b! 30, ? 20", false},
		{"who came to the queue later and got it first", sh, []Hold{hold("a", sh, 0, 150)}, []Hold{hold("b", ex, 110, 180)}, "? 30, <b!(a 40/2) 70", false},
		{"who came later and got it later", sh, nil, []Hold{hold("b", ex, 110, 300)}, "? 100", false},
		{"who came to the queue later is not waited for", ex, nil, []Hold{hold("b", ex, 110, 180)}, "? 100", false},
		{"shared before shared in the queue is not waited for", sh, nil, []Hold{hold("b", sh, 90, 180)}, "? 100", false},
		{"one before in the queue waits for readers", sh, []Hold{hold("a", sh, 50, 150), hold("r", sh, 60, 130)}, []Hold{hold("b", ex, 90, 180)}, "<b!(a+1 50/2) 80, ? 20", false},
		{"and another one before it", sh, []Hold{hold("a", sh, 50, 150)}, []Hold{hold("c", ex, 80, 190), hold("b", ex, 90, 160)}, "<c!(a 50/2) 90, ? 10", false},
		{"one before in the queue waits for another there", sh, nil, []Hold{hold("b", ex, 90, 200), hold("c", sh, 80, 160)}, "<b!(c 60/2) 100", false},
		{"what is seen to be held comes before a bound", ex, []Hold{as(wide, hold("b", ex, 90, 180)), hold("a", ex, 50, 150)}, nil, "a! 50, b!~ 30, ? 20", false},
		{"a bound does not end a hold", ex, []Hold{hold("a", ex, 50, 150), as(wide, hold("b", ex, 120, 200))}, nil, "a! 50, b!~ 50", false},
		{"an owner holds it until the next one is known to", ex, []Hold{as(owner, hold("a", ex, 100, 100)), hold("b", ex, 160, 190)}, nil, "a!~ 60, b! 30, ? 10", false},
		{"an owner of whom more is known", ex, []Hold{as(owner, hold("a", ex, 100, 100)), hold("a", ex, 90, 140)}, nil, "a! 40, ? 60", false},
		{"an owner of before, and somebody else had it since", ex, []Hold{as(owner, hold("a", ex, 20, 20)), hold("b", ex, 40, 60)}, nil, "? 100", false},
		{"an owner comes before the queue", ex, []Hold{as(owner, hold("a", ex, 100, 150))}, []Hold{hold("b", ex, 90, 200)}, "a!~ 50, <b! 50", false},
		{"a bound comes before an owner", ex, []Hold{as(owner, hold("a", ex, 100, 150)), as(wide, hold("b", ex, 120, 130))}, nil, "a!~ 40, b!~ 10, ? 50", false},
		{"readers of which bounds are known", ex, []Hold{as(wide, hold("a", sh, 90, 150)), as(wide, hold("b", sh, 140, 200))}, nil, "b+1~ 100", false},
		{"the first of the queue", ex, nil, []Hold{hold("c", ex, 95, 200), hold("b", sh, 90, 150)}, "<b 50, <c! 50", false},
		{"its own", ex, []Hold{hold("w", sh, 50, 100), hold("w", ex, 200, 300)}, []Hold{hold("w", ex, 100, 200)}, "? 100", false},
		{"a mode that is not known excludes all", sh, []Hold{hold("a", record.LockUnknown, 50, 150)}, nil, "a 50, ? 50", false},
		{"woken after the last one", ex, []Hold{hold("a", ex, 50, 120), hold("b", ex, 130, 160)}, nil, "a! 20, ^a!~ 10, b! 30, ^b! 40", true},
		{"the next one overtakes the queue", ex, []Hold{hold("a", ex, 50, 120), hold("b", ex, 130, 200)}, nil, "a! 20, ^a!~ 10, b! 70", true},
		{"not when the next one came to the queue meanwhile", ex, []Hold{hold("a", ex, 50, 120), queuedFor(5, hold("b", ex, 130, 200))}, nil, "a! 20, ? 10, b! 70", true},
		{"not when it is not known when the next one took it", ex, []Hold{hold("a", ex, 50, 120), as(wide, hold("b", ex, 130, 200))}, nil, "a! 20, ? 10, b!~ 70", true},
		{"the next one is woken", ex, []Hold{hold("a", ex, 50, 120), queuedFor(10, hold("b", ex, 130, 200))}, nil, "a! 20, ^a! 10, b! 70", true},
		{"a reader that does not matter comes meanwhile", sh, []Hold{hold("a", ex, 50, 120), hold("r", sh, 140, 300)}, []Hold{hold("q", ex, 90, 110)}, "a! 20, ^a! 80", true},
		{"woken after the last reader", ex, []Hold{hold("a", sh, 50, 150), hold("b", sh, 60, 140)}, nil, "a+1 50, ^a 50", true},
		{"not when others are not recorded", ex, []Hold{hold("a", ex, 50, 120)}, nil, "a! 20, ? 80", false},
		{"not when it was not seen to be let go of", ex, []Hold{as(wide, hold("a", ex, 50, 120))}, nil, "a!~ 20, ? 80", true},
		{"not when somebody stood before", ex, []Hold{hold("a", ex, 50, 120)}, []Hold{hold("b", ex, 90, 160)}, "a! 20, <b! 40, ? 40", true},
		{"not when nobody was seen", ex, nil, nil, "? 100", true},
	} {
		w := hold("w", tt.mode, 100, 200)
		got := Parts(&w, tt.holds, tt.queue, tt.all)
		if text(got) != tt.want || sum(got) != 100 {
			t.Errorf("%s: %s, which is %d of 100; want %s", tt.name, text(got), sum(got), tt.want)
		}
	}
}

// What is told of a holder besides: how long it had the lock, how much of that before, how
// long it was queued for it, and that it waited for writes.
func TestOfTheHolder(t *testing.T) {
	a := as(exact, hold("a", ex, 40, 150))
	a.bound, a.QueuedNs, a.DrainNs = false, 30, 70
	a.drained = &drained{writes: 9, named: []observe.Actor{{Write: 5}, {Write: 6}}}
	again := a
	again.From, again.To, again.QueuedNs, again.DrainNs, again.drained = 160, 190, 0, 0, nil
	w := hold("w", ex, 100, 200)
	got := Parts(&w, []Hold{a, again, hold("b", sh, 150, 160)}, []Hold{hold("q", ex, 70, 200)}, false)
	if text(got) != "a! 80, b 10, <q! 10" {
		t.Fatal(text(got))
	}
	p := &got[0]
	if p.HeldNs != 110+30 || p.BeforeNs != 60 || p.QueuedNs != 30 || p.DrainNs != 70 || p.DrainWrites != 9 || len(p.DrainedFor) != 2 || p.DrainedFor[1].Write != 6 || p.Bound {
		t.Errorf("%+v", *p)
	}
	if q := &got[2]; q.HeldNs != 0 || q.BeforeNs != 30 || q.QueuedNs != 130 {
		t.Errorf("%+v", *q)
	}
}

// Too many holders are put together, and still add up.
func TestManyParts(t *testing.T) {
	var holds []Hold
	for i := range uint64(300) {
		h := hold("a", ex, 100+i*i, 100+(i+1)*(i+1))
		h.ID = 1000 + i
		holds = append(holds, h)
	}
	w := hold("w", ex, 100, 100+300*300)
	got := Parts(&w, holds, nil, false)
	if last := got[len(got)-1]; len(got) > maxParts+1 || sum(got) != 300*300 || last.Op != "" || last.Others != 300-len(got)+1 {
		t.Errorf("%d parts of %d, the last %+v", len(got), sum(got), last)
	}
}

// rwsem is a lock that serves its queue in order, as far as a test needs it.
type rwsem struct {
	t       *testing.T
	now     uint64
	queue   []Hold // From is when it came
	holders []Hold
	held    []Hold // over
	waited  []Hold
	random  *rand.Rand
	nextID  uint64
	seen    map[uint64]bool // of which holds the tracer knows
	behind  int             // chains that were seen
}

func (l *rwsem) grant() {
	for len(l.queue) > 0 {
		first := &l.queue[0]
		for i := range l.holders {
			if l.holders[i].conflicts(first) {
				return
			}
		}
		w := *first
		w.To = l.now
		l.queue = l.queue[1:]
		if w.From < w.To {
			l.waited = append(l.waited, w)
		}
		w.From = l.now
		l.holders = append(l.holders, w)
	}
}

func (l *rwsem) step() {
	l.now += 1 + l.random.Uint64N(5)
	if l.random.IntN(2) == 0 || len(l.holders) == 0 {
		l.nextID++
		mode := sh
		if l.random.IntN(3) == 0 {
			mode = ex
		}
		who := observe.Actor{Op: observe.OpWrite, Comm: "x", Tid: uint32(l.nextID), ID: l.nextID}
		if l.random.IntN(3) == 0 {
			who.Op = "fallocate"
		}
		l.queue = append(l.queue, Hold{Actor: who, From: l.now, Mode: mode})
		l.seen[l.nextID] = l.random.IntN(5) > 0
	} else {
		i := l.random.IntN(len(l.holders))
		h := l.holders[i]
		l.holders = append(l.holders[:i], l.holders[i+1:]...)
		h.To = l.now
		l.held = append(l.held, h)
	}
	l.grant()
}

// For any schedule, the parts of each wait add up to it. Where all holders are known, no
// part is unknown, and for each moment that an exclusive holder had the lock, he has it.
func TestPartsOfAnySchedule(t *testing.T) {
	chains := 0
	for seed := range uint64(300) {
		l := &rwsem{t: t, random: rand.New(rand.NewPCG(seed, 7)), seen: map[uint64]bool{}}
		for range 200 {
			l.step()
		}
		var known, late []Hold
		for _, h := range l.held {
			if l.seen[h.ID] {
				known = append(known, h)
			}
			h.To += l.random.Uint64N(4) // the return comes after the unlock
			late = append(late, h)
			if l.random.IntN(3) == 0 { // who is not known may have been seen as the owner, or in its function
				o := as(owner, h)
				o.From = h.From + l.random.Uint64N(h.To-h.From)
				o.To = o.From
				known = append(known, o)
			}
			if l.random.IntN(5) == 0 {
				o := as(wide, h)
				o.From, o.To = h.From-min(h.From, l.random.Uint64N(9)), h.To+l.random.Uint64N(9)
				known = append(known, o)
			}
		}
		for _, h := range l.holders {
			h.To = l.now + 1
			late = append(late, h)
		}
		for i := range l.waited {
			w := &l.waited[i]
			for what, holds := range map[string][]Hold{"some": known, "all": late} {
				parts := Parts(w, holds, l.waited, what == "all")
				if got := sum(parts); got != w.To-w.From {
					t.Fatalf("seed %d, %s known: the parts of a wait of %d add up to %d: %s", seed, what, w.To-w.From, got, text(parts))
				}
				for k := range parts {
					p := &parts[k]
					l.checkBehind(seed, w, p)
					if p.Cause == observe.CauseUnknown && what == "all" {
						t.Fatalf("seed %d: all holders are known, and yet %s of %+v", seed, text(parts), *w)
					}
					if got, want := p.Ns, l.exclusive(w, p.ID); p.Cause == observe.CauseHeld && p.Mode == ex && what == "all" && got != want {
						t.Fatalf("seed %d: %d held it for %d of the wait, not for %d", seed, p.ID, want, got)
					}
				}
			}
		}
		chains += l.behind
	}
	if chains < 1000 {
		t.Errorf("only %d chains were seen", chains)
	}
}

// checkBehind: who stands before in the queue waits himself only for who excludes it, for no
// longer than the part is, and not for who waits for it.
func (l *rwsem) checkBehind(seed uint64, w *Hold, p *observe.Part) {
	for _, b := range p.Behind {
		q, h := Hold{Mode: p.Mode}, Hold{Mode: b.Mode}
		if p.Cause != observe.CauseQueued || b.Ns == 0 || b.Ns > p.Ns || !q.conflicts(&h) || b.Is(&p.Actor) || b.Is(&w.Actor) || p.Chain < 2 {
			l.t.Fatalf("seed %d: behind %+v: %+v of a chain of %d", seed, p.Actor, b, p.Chain)
		}
		l.behind++
	}
}

// exclusive is for how long of a wait a writer held the lock.
func (l *rwsem) exclusive(w *Hold, id uint64) uint64 {
	for _, h := range append(l.held, l.holders...) {
		if h.ID == id {
			if h.To == 0 || h.To < h.From {
				h.To = l.now + 1
			}
			return min(h.To, w.To) - max(h.From, w.From)
		}
	}
	return 0
}
