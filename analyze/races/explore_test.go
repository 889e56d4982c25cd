package races

import (
	"slices"
	"testing"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// finals collects the last states of all orders, without any set of states seen.
func finals(m *machine, s state, out map[state]bool) {
	acts := m.actions(&s, nil)
	if len(acts) == 0 {
		out[s] = true
	}
	for _, a := range acts {
		next := s
		m.apply(&next, a)
		finals(m, next, out)
	}
}

func familyOf(t *testing.T, name string) *family {
	all := families()
	at := slices.IndexFunc(all, func(f family) bool { return f.name == name })
	if at < 0 {
		t.Fatalf("no family %s", name)
	}
	return &all[at]
}

// The set of states seen loses no end of a run.
func TestVisitedLosesNothing(t *testing.T) {
	t.Parallel()
	w := Write{Len: 1, Async: true}
	scs := []*Scenario{
		{Format: Indirect, Blkbits: twoSectors, Blocks: []model.BlockState{model.Hole}, ISize: 2, Writes: []Write{w, {Pos: 1, Len: 1}}},
		{Format: Extents, Blkbits: twoSectors, Blocks: []model.BlockState{model.Unwritten}, ISize: 2, Writes: []Write{w, {Len: 2, Async: true}}},
	}
	for sc := range familyOf(t, EOFTailScenario).each(Extents) {
		scs = append(scs, sc)
	}
	e := newExplorer()
	for _, sc := range scs {
		m := newMachine(sc, model.Linux73, NoFault)
		want := map[state]bool{}
		finals(m, sc.start(), want)
		e.explore(m)
		got := 0
		for i := range e.seen.states {
			s := &e.seen.states[i]
			if len(m.actions(s, nil)) == 0 {
				got++
				if !want[*s] {
					t.Errorf("%s: state %d cannot be reached", sc, i)
				}
			}
		}
		if got != len(want) || got == 0 {
			t.Errorf("%s: %d ends, want %d", sc, got, len(want))
		}
	}
}

// The set of states is emptied between scenarios, and grows.
func TestVisited(t *testing.T) {
	v := newVisited()
	for range 2 {
		for n := range 5000 {
			s := state{disk: row(n)}
			v.add(&s, int32(n-1), action{})
			v.add(&s, 0, action{})
		}
		if len(v.states) != 5000 {
			t.Fatalf("%d states", len(v.states))
		}
		if p := v.path(17); len(p) != 17 {
			t.Errorf("path of %d steps", len(p))
		}
		v.reset()
	}
}

// Pairs are enumerated in one order only, and each once.
func TestFamilies(t *testing.T) {
	counts := map[string][2]int{
		"pairs": {34 * 55, 13 * 55}, "block": {14 * 210, 9 * 210}, "stripe": {27 * 21, 8 * 21}, "append": {34 * 23, 13 * 23},
		"nosec": {8 * 21, 5 * 21}, "odd": {8 * 15, 5 * 15}, "reader": {18 * 55, 8 * 55}, "dirty": {2 * 18 * 55, 2 * 8 * 55}, EOFTailScenario: {1, 1},
		"three": {8 * 10, 5 * 10}, "three-blocks": {9 * 220, 4 * 220},
	}
	for _, fam := range families() {
		for i, f := range []Format{Extents, Indirect} {
			seen := map[string]bool{}
			n := 0
			for sc := range fam.each(f) {
				n++
				seen[sc.String()] = true
				if len(sc.Writes) != len(fam.writes) || sc.Family != fam.name || sc.limit() > maxSectors || len(sc.Blocks) > maxBlocks {
					t.Errorf("%s: %s", fam.name, sc)
				}
			}
			if n != counts[fam.name][i] || len(seen) != n {
				t.Errorf("%s, %s: %d scenarios, %d different, want %d", fam.name, f, n, len(seen), counts[fam.name][i])
			}
		}
	}
}

// Every write gets where it should when nothing else happens.
func TestOneWriter(t *testing.T) {
	t.Parallel()
	e := newExplorer()
	for _, v := range model.Distinct() {
		for _, f := range []Format{Extents, Indirect} {
			for _, sc := range files(Scenario{Format: f, Blkbits: fourSectors}, 2, 0)(f) {
				for _, w := range append(writes(8, true), Write{Len: 3, Append: true}, Write{Len: 4, Odd: true}) {
					sc.Writes = []Write{w}
					m := newMachine(&sc, v, NoFault)
					e.explore(m)
					for c, at := range e.found {
						if at >= 0 {
							t.Fatalf("%s, %s: %s", v, m.sc, Class(c))
						}
					}
				}
			}
		}
	}
}

// The first write sets S_NOSEC under the exclusive lock.
func TestNosecIsSet(t *testing.T) {
	e := newExplorer()
	sc := &Scenario{Format: Extents, Blkbits: twoSectors, Blocks: []model.BlockState{model.Written}, ISize: 2, Writes: []Write{{Len: 2}}, Insecure: true}
	m := newMachine(sc, model.Linux73, NoFault)
	e.explore(m)
	exclusive := false
	for i := range e.seen.states {
		s := &e.seen.states[i]
		exclusive = exclusive || s.w[0].held == model.Exclusive
		if len(m.actions(s, nil)) == 0 && !s.nosec {
			t.Error("S_NOSEC is still clear at the end")
		}
	}
	if !exclusive {
		t.Error("the first write did not need the exclusive lock")
	}
}
