package whatif

import (
	"cmp"
	"slices"
)

// unexplained is how long a lock has to have been held by nobody in the trace, while an
// exclusive write queued for it, to count; less is waking up. ns.
const unexplained = 500_000

// findOthers finds what reads, buffered writes and truncate held of the locks, which are
// not in the trace: the end of an exclusive write's wait in which nobody who is held
// the lock. It returns the number of writes that waited so.
func findOthers(w *window) (n int) {
	var order []int32
	for i := range w.steps {
		if l := w.steps[i].now.lock; l == Shared || l == Exclusive {
			order = append(order, int32(i))
		}
	}
	at := func(i int32) int64 { return w.steps[i].entry + w.steps[i].locked }
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(at(a), at(b)) })
	released := make([]int64, len(w.files))
	for _, i := range order {
		st := &w.steps[i]
		if st.writes() && st.now.lock == Exclusive && st.queue > 0 {
			if held := at(i) - max(released[st.file], at(i)-st.queue); held > unexplained {
				st.others = held
				n++
			}
		}
		released[st.file] = max(released[st.file], st.entry+st.done)
	}
	return n
}
