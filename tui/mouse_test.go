package tui

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

// The wheel moves, a click selects and opens, a click on a title sorts, on a name of a
// screen changes to it.
func TestMouse(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	m := newModel(nil, o)
	resize(m, 80, 24)
	take(m, s)
	click := func(x, y int) { send(m, tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }
	g := files(m)
	top := g.room.header
	m.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if g.cursor != wheelLines {
		t.Errorf("the wheel moves to %d", g.cursor)
	}
	click(5, top+2)
	if g.cursor != 1 {
		t.Errorf("a click selects %d", g.cursor)
	}
	click(3, top)
	if g.sort != "FILE" || g.reverse {
		t.Errorf("a click on the title sorts by %q", g.sort)
	}
	for i, tab := range m.tabs {
		name := m.tabNames()[i] // which is wider when it is shown
		click(name.from+1, m.layout(m.tab).header-1)
		if m.tab != tab {
			t.Errorf("a click on %q leads to %s", name.text, m.tab.About().name)
		}
	}
	click(1, m.layout(m.tab).header-1)
	click(5, top+1+g.cursor-g.top)
	if m.tab != m.writes || m.writes.filter == "" {
		t.Error("a second click does not open")
	}
}
