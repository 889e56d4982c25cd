package races

import (
	"hash/maphash"
	"slices"
)

// visited is the set of states of one scenario, in the order in which they were
// found, each with the step that led to it.
type visited struct {
	states []state
	from   []int32
	by     []action

	seed  maphash.Seed
	slots []int32 // index of a state + 1; 0 is free
}

func newVisited() *visited {
	return &visited{seed: maphash.MakeSeed(), slots: make([]int32, 1<<10)}
}

// reset empties the set and keeps its memory.
func (v *visited) reset() {
	v.states, v.from, v.by = v.states[:0], v.from[:0], v.by[:0]
	clear(v.slots)
}

// add takes in a state, unless it is known.
func (v *visited) add(s *state, from int32, by action) {
	if 2*len(v.states) >= len(v.slots) {
		v.grow()
	}
	mask := uint64(len(v.slots) - 1)
	for h := v.hash(s); ; h++ {
		slot := &v.slots[h&mask]
		if *slot == 0 {
			v.states = append(v.states, *s)
			v.from = append(v.from, from)
			v.by = append(v.by, by)
			*slot = int32(len(v.states))
			return
		}
		if v.states[*slot-1] == *s {
			return
		}
	}
}

func (v *visited) hash(s *state) uint64 { return maphash.Comparable(v.seed, *s) }

func (v *visited) grow() {
	v.slots = make([]int32, 2*len(v.slots))
	mask := uint64(len(v.slots) - 1)
	for i := range v.states {
		h := v.hash(&v.states[i])
		for v.slots[h&mask] != 0 {
			h++
		}
		v.slots[h&mask] = int32(i + 1)
	}
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
