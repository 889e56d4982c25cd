package races

import "slices"

// visited is the set of states of one scenario, in the order in which they were
// found, each with the step that led to it.
type visited struct {
	known  map[state]bool
	states []state
	from   []int32
	by     []action
}

func newVisited() *visited { return &visited{known: map[state]bool{}} }

// reset empties the set and keeps its memory.
func (v *visited) reset() {
	clear(v.known)
	v.states, v.from, v.by = v.states[:0], v.from[:0], v.by[:0]
}

// add takes in a state, unless it is known.
func (v *visited) add(s *state, from int32, by action) {
	if v.known[*s] {
		return
	}
	v.known[*s] = true
	v.states, v.from, v.by = append(v.states, *s), append(v.from, from), append(v.by, by)
}

// path is the steps that led to state i.
func (v *visited) path(i int) []action {
	var out []action
	for ; v.from[i] >= 0; i = int(v.from[i]) {
		out = append(out, v.by[i])
	}
	slices.Reverse(out)
	return out
}
