package tui

import (
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// files is the tab of the files, which is the first.
func files(m *model) *listTab[tally.Group] { return m.tabs[0].(*listTab[tally.Group]) }

// The selected file stays selected, wherever the order puts it.
func TestGroupStaysSelected(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	m := newModel(nil, o)
	resize(m, 80, 24)
	take(m, s)
	press(m, "down", "down")
	g := files(m)
	want := g.rows[g.cursor].Key
	for range 6 {
		press(m, "s", "S")
		if got := g.rows[g.cursor].Key; got != want {
			t.Fatalf("sorted by %s, the selected file is %v, want %v", g.sort, got, want)
		}
	}
}

// What a column sorts by is what it shows: the rows come in its order.
func TestSorting(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	m := newModel(nil, o)
	resize(m, 300, 24)
	take(m, s)
	seen := map[string]bool{}
	for range 30 {
		g := files(m)
		seen[g.sort] = true
		order := g.by.orderOf(g.sort)
		if !slices.IsSortedFunc(g.rows, func(a, b tally.Group) int { return order(&a, &b) }) {
			t.Errorf("not sorted by %s", g.sort)
		}
		press(m, "s")
	}
	if len(seen) < 12 {
		t.Errorf("sorted by %d columns only", len(seen))
	}
}
