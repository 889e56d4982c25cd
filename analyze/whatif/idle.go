package whatif

// A pause of all tasks is one of at least so long, ns, and of so many writes' time.
const (
	pauseNs    = 100_000_000
	pauseTimes = 10
)

// cutPauses moves writes together where no task wrote for long: tasks that begin again
// at the same time do not drift apart then. order is by entry. It returns the time that
// was left out, ns.
func cutPauses(w *window, order []int32) (cut int64) {
	busy := int64(0)
	for i := range w.steps {
		busy += w.steps[i].end
	}
	least := max(pauseNs, pauseTimes*busy/int64(len(w.steps)))
	end := w.steps[order[0]].entry
	for _, i := range order {
		st := &w.steps[i]
		if st.entry -= cut; st.entry-end > least {
			cut += st.entry - end
			st.entry = end
		}
		end = max(end, st.entry+st.end)
	}
	return cut
}
