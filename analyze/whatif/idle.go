package whatif

import (
	"cmp"
	"math"
	"slices"
)

// A pause of all tasks is one of at least so long, ns, and of so many writes' time.
const (
	pauseNs    = 100_000_000
	pauseTimes = 10
)

// pause is a time in which no task wrote, ns.
type pause struct {
	from, to int64
	cut      int64 // all that is left out until its end
}

// cutPauses moves writes together where no task wrote for long: tasks that begin again
// at the same time do not drift apart then. Who else held the lock in between, or before the
// first write or after the last, is left out. order is by entry. It returns the time that was left out, ns.
func cutPauses(w *window, order []int32) (cut int64) {
	busy, n := int64(0), int64(0)
	for i := range w.steps {
		if st := &w.steps[i]; st.writes() {
			busy += st.end
			n++
		}
	}
	least := max(pauseNs, pauseTimes*busy/n)
	var pauses []pause
	end := int64(0)
	for _, i := range order {
		st := &w.steps[i]
		if !st.writes() {
			continue
		}
		if pauses == nil {
			end = st.entry
			pauses = append(pauses, pause{from: math.MinInt64, to: end})
		}
		if st.entry -= cut; st.entry-end > least {
			p := pause{from: end + cut, to: st.entry + cut}
			cut += st.entry - end
			st.entry, p.cut = end, cut
			pauses = append(pauses, p)
		}
		end = max(end, st.entry+st.end)
	}
	cutHolds(w, append(pauses, pause{from: end + cut, to: math.MaxInt64, cut: cut}))
	return cut
}

// cutHolds leaves out who held the lock in a pause only, and moves the others.
func cutHolds(w *window, pauses []pause) {
	if w.writes == len(w.steps) {
		return
	}
	w.steps = slices.DeleteFunc(w.steps, func(st step) bool {
		return !st.writes() && slices.ContainsFunc(pauses, func(p pause) bool { return st.entry >= p.from && st.entry+st.end <= p.to })
	})
	for i := range w.steps {
		st := &w.steps[i]
		if st.writes() {
			continue
		}
		if n, _ := slices.BinarySearchFunc(pauses, st.entry, func(p pause, at int64) int { return cmp.Compare(p.from, at) }); n > 0 {
			st.entry -= pauses[n-1].cut
		}
	}
}
