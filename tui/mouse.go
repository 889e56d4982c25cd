package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// wheelLines is how far one notch of the wheel goes.
const wheelLines = 3

// wheel moves the selection, or what is read.
func (m *model) wheel(msg tea.MouseWheelMsg) {
	by := wheelLines
	switch msg.Button {
	case tea.MouseWheelUp:
		by = -wheelLines
	case tea.MouseWheelDown:
	default:
		return
	}
	switch {
	case m.help:
		m.helped.top = max(min(m.helped.top+by, len(m.helpText())-m.layout().body), 0)
	case m.one != nil:
		m.scrollOne(by)
	default:
		m.move(by)
	}
	m.settle()
}

// clicked selects what was clicked on; a second click opens it. A click on a title sorts.
func (m *model) clicked(msg tea.MouseClickMsg) tea.Cmd {
	if msg.Button != tea.MouseLeft || m.help || m.one != nil || m.prompt != nil {
		return nil
	}
	l := m.layout()
	line := msg.Y - l.header
	switch {
	case line == -1:
		for _, t := range m.tabs() {
			if msg.X >= t.from && msg.X < t.to {
				m.screen = t.screen
				m.settle()
				return m.enterWrites()
			}
		}
	case line == 0 && m.screen <= onReasons:
		g := &m.groups[m.screen]
		columns := fitColumns(groupColumns(m.screen, &m.styles), m.width, g.shift)
		if i := columnAt(columns, msg.X); i >= 0 && columns[i].order != nil {
			m.sortBy(columns[i].title)
		}
	case line > 0 && line <= l.rows:
		return m.clickedRow(line - 1)
	}
	m.settle()
	return nil
}

// sortBy sorts by a column, or the other way round when it is sorted by it already.
func (m *model) sortBy(title string) {
	g := &m.groups[m.screen]
	g.reverse = g.sort == title && !g.reverse
	g.sort = title
	m.arrange()
}

// clickedRow selects a row of the table, or opens the selected one.
func (m *model) clickedRow(i int) tea.Cmd {
	at, n := m.selected()
	top := m.topRow()
	if i += top; i >= n {
		return nil
	}
	if i == at {
		return m.open()
	}
	return m.move(i - at)
}

// selected is the selected line of the screen, and how many it has.
func (m *model) selected() (at, n int) {
	switch m.screen {
	case onWrites:
		return int(m.writes.cursor - m.writes.first), len(m.writes.rows)
	case onFindings:
		return m.finding.cursor, len(m.picture.Findings)
	case onProbes:
		return 0, 0
	}
	var rows []tally.Group = m.groups[m.screen].rows
	return m.groups[m.screen].cursor, len(rows)
}

// topRow is the first line that is shown.
func (m *model) topRow() int {
	switch m.screen {
	case onWrites:
		return int(m.writes.top - m.writes.first)
	case onFindings:
		return m.finding.top
	case onProbes:
		return 0
	}
	return m.groups[m.screen].top
}
