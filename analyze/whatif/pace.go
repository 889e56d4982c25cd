package whatif

import (
	"cmp"
	"slices"
)

// pace is how a task goes on: what it does in its order, and what lies between.
type pace struct {
	steps  []int32 // of the window, by entry
	writes int     // among them; 0 of a task that only holds the lock
	holds  bool    // it makes no write at all
	// gaps lie before each write: behind the return of the one before it, or, with as
	// many in flight as ever, behind the completion that made room.
	gaps  []int64
	after [2][]int64 // of one who only holds the lock: behind what woke nobody, and somebody
	depth int        // most writes in flight at a time: 1 for a closed loop of one
	first int64      // when its first write began, ns behind the window's beginning
	last  int64      // when its last one was complete
	// steady: it does so all through the window, and would go on.
	steady bool
}

// scene is a window made ready for the simulation.
type scene struct {
	w     *window
	paces []pace
	disk  disk
	pools map[pool][]int32
	// The time in which all steady writers write, ns behind begin.
	begin    int64
	from, to int64
	steady   bool
	cut      int64  // pauses of all tasks that are left out, ns
	written  []bool // files to which somebody writes
	others   int    // writes that waited for somebody who is not in the trace
}

// newScene works out the writers' paces.
func newScene(w *window) *scene {
	sc := &scene{w: w, paces: make([]pace, len(w.writers)), written: make([]bool, len(w.files))}
	order := w.order()
	for _, i := range order {
		if w.steps[i].part == aWrite {
			sc.begin = w.steps[i].entry
			break
		}
	}
	others := w.writes < len(w.steps)
	if sc.cut = cutPauses(w, order); others { // some are moved, or left out
		order = w.order()
	}
	for i := range sc.paces {
		sc.paces[i].holds = true
	}
	for _, i := range order {
		p := &sc.paces[w.steps[i].writer]
		p.holds = p.holds && !w.steps[i].writes()
		p.steps = append(p.steps, i)
		if w.steps[i].part == aWrite {
			p.writes++
			sc.written[w.steps[i].file] = true
		}
	}
	end := int64(0)
	for i := range sc.paces {
		if p := &sc.paces[i]; len(p.steps) > 0 {
			p.measure(w, sc.begin)
		}
		if sc.paces[i].writes > 0 {
			end = max(end, sc.paces[i].last)
		}
	}
	sc.span(end)
	if w.writes < len(w.steps) {
		woke := wakers(w)
		for i := range sc.paces {
			if p := &sc.paces[i]; p.writes == 0 && p.steady {
				p.sort(woke)
			}
		}
	}
	sc.others = findOthers(w)
	sc.disk.learn(w)
	sc.pool()
	return sc
}

// order is that of the steps' entries.
func (w *window) order() []int32 {
	order := make([]int32, len(w.steps))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(w.steps[a].entry, w.steps[b].entry) })
	return order
}

// measure finds the depth of a task and its gaps.
func (p *pace) measure(w *window, begin int64) {
	s := w.steps
	p.first = s[p.steps[0]].entry - begin
	var flying []int64 // completion times, sorted
	for _, i := range p.steps {
		flying = fly(flying, &s[i])
		p.depth = max(p.depth, len(flying))
		p.last = max(p.last, s[i].entry+s[i].end-begin)
	}
	flying = flying[:0]
	returned := s[p.steps[0]].entry
	for _, i := range p.steps {
		st, ready := &s[i], returned
		if len(flying) >= p.depth {
			ready = max(ready, flying[len(flying)-p.depth])
		}
		p.gaps = append(p.gaps, max(0, st.entry-ready))
		flying = fly(flying, st)
		returned = st.entry + st.returned()
	}
	p.steady = p.writes >= steadySteps
}

// fly drops what was complete when st began and adds st.
func fly(flying []int64, st *step) []int64 {
	n := 0
	for _, end := range flying {
		if end > st.entry {
			flying[n] = end
			n++
		}
	}
	flying = append(flying[:n], st.entry+st.end)
	slices.Sort(flying)
	return flying
}

// span finds the time in which all steady writers write. Where there is none that is
// worth mentioning, the writers come and go as they did in the window.
func (sc *scene) span(end int64) {
	from, to, steps := int64(0), end, 0
	for i := range sc.paces {
		if p := &sc.paces[i]; p.steady && p.last-p.first < end/2 {
			p.steady = false // it is there for a while only
		}
		if p := &sc.paces[i]; p.steady {
			from, to = max(from, p.first), min(to, p.last)
			steps += p.writes
		}
	}
	sc.from, sc.to, sc.steady = 0, end, false
	if to-from >= end/2 && steps*5 >= sc.w.writes*4 {
		sc.from, sc.to, sc.steady = from, to, true
	}
	for i := range sc.paces {
		p := &sc.paces[i]
		if len(p.steps) == 0 {
			continue
		}
		if p.writes == 0 {
			p.steady = len(p.steps) >= steadySteps && p.last-p.first >= (sc.to-sc.from)/10*9
		}
		if p.steady = p.steady && sc.steady; p.steady {
			p.gaps[0] = middle(p.gaps[1:])
		} else {
			p.gaps[0] = max(0, end-p.last) + max(0, p.first)
		}
	}
}

// middle is the median, 0 of nothing.
func middle[T cmp.Ordered](all []T) (mid T) {
	if len(all) == 0 {
		return mid
	}
	all = slices.Clone(all)
	slices.Sort(all)
	return all[len(all)/2]
}

// pool groups the writes whose I/O was seen; those of all writers are under writer -1.
func (sc *scene) pool() {
	sc.pools = map[pool][]int32{}
	for i := range sc.w.steps {
		s := &sc.w.steps[i]
		if s.device <= 0 || !s.writes() {
			continue
		}
		for _, writer := range [...]int32{s.writer, -1} {
			k := pool{writer, int8(sizeClass(s.size))}
			sc.pools[k] = append(sc.pools[k], int32(i))
		}
	}
}
