package races

import (
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// explorer searches scenarios; it keeps its memory from one to the next.
type explorer struct {
	seen *visited
	acts []action
	next state
	// Shortest path to a finding of each class in the last scenario, as the index
	// of its last state; -1 for none.
	found [classes]int
}

func newExplorer() *explorer { return &explorer{seen: newVisited()} }

// explore visits every state that the scenario can reach, breadth first, and
// returns how many there are.
func (e *explorer) explore(m *machine) int {
	e.seen.reset()
	for c := range e.found {
		e.found[c] = -1
	}
	s := m.sc.start()
	e.seen.add(&s, -1, action{})
	for i := 0; i < len(e.seen.states); i++ {
		e.acts = m.actions(&e.seen.states[i], e.acts[:0])
		for _, a := range e.acts {
			e.next = e.seen.states[i]
			m.apply(&e.next, a)
			e.seen.add(&e.next, int32(i), a)
		}
		if len(e.acts) == 0 {
			e.note(m.judge(&e.seen.states[i]), i)
		}
	}
	return len(e.seen.states)
}

// note keeps the first, and so the shortest, finding of each class.
func (e *explorer) note(losses []loss, i int) {
	for _, l := range losses {
		if e.found[l.class] < 0 {
			e.found[l.class] = i
		}
	}
}

// newMachine makes a machine for a scenario.
func newMachine(sc *Scenario, v model.Variant, f Fault) *machine {
	return &machine{sc: sc, variant: v, fault: f, spb: sc.perBlock()}
}

// replay takes the steps of a path again, from the start, and says what happened.
func replay(m *machine, path []action) (state, []Step) {
	var steps []Step
	m.log = &steps
	defer func() { m.log = nil }()
	s := m.sc.start()
	for _, a := range path {
		m.apply(&s, a)
	}
	return s, steps
}
