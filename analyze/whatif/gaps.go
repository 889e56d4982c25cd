package whatif

import (
	"cmp"
	"slices"
)

// edge is when a step gets, gives back or begins to queue for the lock of its file.
type edge struct {
	at   int64
	step int32
	kind edgeKind
}

type edgeKind uint8

const (
	gaveBack edgeKind = iota // before who got it at the same time
	got
	queued
)

// wakers finds the steps that left a lock free for which somebody was queued: they woke
// that one, and go on later than others do where there are not CPUs enough for both. Who
// was queued for a shared lock and is none of the writes has it from when it was given
// back, which is before he was awake.
func wakers(w *window) []bool {
	var edges []edge
	for i := range w.steps {
		st := &w.steps[i]
		if l := st.now.lock; l != Shared && l != Exclusive {
			continue
		}
		at := st.entry + st.locked
		edges = append(edges, edge{st.entry + st.done, int32(i), gaveBack}, edge{at, int32(i), got})
		if st.queue > 0 {
			edges = append(edges, edge{at - st.queue, int32(i), queued})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.step, b.step))
	})
	woke := make([]bool, len(w.steps))
	held, waiting, back := make([]int, len(w.files)), make([]int, len(w.files)), make([]int64, len(w.files))
	for _, e := range edges {
		st := &w.steps[e.step]
		switch e.kind {
		case queued:
			waiting[st.file]++
		case got:
			held[st.file]++
			if st.queue > 0 {
				waiting[st.file]--
				st.awake(e.at - max(back[st.file], e.at-st.queue))
			}
		case gaveBack:
			held[st.file]--
			if st.now.lock == Exclusive {
				back[st.file] = e.at
			}
			woke[e.step] = held[st.file] == 0 && waiting[st.file] > 0
		}
	}
	return woke
}

// awake lets one hold the lock from when it was his, so long before he was awake.
func (s *step) awake(since int64) {
	if s.writes() || s.now.lock != Shared || since > unexplained {
		return
	}
	if s.part == aTransfer {
		s.device += since
	} else {
		s.submit += since
	}
}

// sort tells the gaps of one who only holds the lock apart, by whether he woke somebody.
func (p *pace) sort(woke []bool) {
	for k, i := range p.steps[:len(p.steps)-1] {
		to := &p.after[0]
		if woke[i] {
			to = &p.after[1]
		}
		*to = append(*to, p.gaps[k+1])
	}
}

// gap is the one before an actor's next step; woke: his last one woke somebody who queues.
func (s *sim) gap(a *actor, woke bool) int64 {
	from := a.pace.after[0]
	if woke {
		from = a.pace.after[1]
	}
	if len(from) == 0 {
		return a.pace.gaps[a.next]
	}
	return from[s.rng.IntN(len(from))]
}
