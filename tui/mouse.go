package tui

import tea "charm.land/bubbletea/v2"

// wheelLines is how far one notch of the wheel goes.
const wheelLines = 3

// wheel moves the top screen.
func (m *model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	switch msg.Button {
	case tea.MouseWheelUp:
		return m.top().Mouse(mouse{wheel: -wheelLines})
	case tea.MouseWheelDown:
		return m.top().Mouse(mouse{wheel: wheelLines})
	}
	return nil
}

// clicked brings a click to the top screen, or turns to the tab whose name it is on: that
// line is the last one above a tab.
func (m *model) clicked(msg tea.MouseClickMsg) tea.Cmd {
	if msg.Button != tea.MouseLeft {
		return nil
	}
	line := msg.Y - m.layout(m.top()).header
	if line == -1 && len(m.over) == 0 {
		for _, t := range m.tabNames() {
			if msg.X >= t.from && msg.X < t.to {
				return m.turn(t.tab)
			}
		}
	}
	if line < 0 {
		return nil
	}
	return m.top().Mouse(mouse{x: msg.X, line: line})
}
