package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// newTabs makes the tabs in the order of their numbers. The line with their names, its
// areas for the mouse, and the keys that lead to them follow from it.
func newTabs(m *model) []tab {
	return []tab{
		newListTab(m, byFile.listing()), newListTab(m, byProcess.listing()), newListTab(m, byReason.listing()),
		m.writes, newFindingsTab(m), newProbesTab(m), newInsideTab(m), newWaitsTab(m), newAdviceTab(m),
	}
}

// tabKeys are the keys that each tab takes besides its own ones.
func (m *model) tabKeys() []keyed {
	k := &m.keys
	out := []keyed{
		{k.Next, func() tea.Cmd { return m.turnBy(1) }}, {k.Previous, func() tea.Cmd { return m.turnBy(-1) }},
		{k.WhatIf, m.showWhatIf}, {k.GoTo, m.writes.askTime},
	}
	for i, t := range m.tabs {
		out = append(out, keyed{k.number(i), func() tea.Cmd { return m.turn(t) }})
	}
	return out
}

// tabName is the name of a tab on the line of them.
type tabName struct {
	tab
	stands   look // out, when it lists what somebody should look at
	from, to int  // cells
	text     string
}

// tabNames are the names of the tabs, shorter where there is no room.
func (m *model) tabNames() []tabName {
	room := m.width
	if n := ansi.StringWidth(m.tab.About().note); n > 0 {
		room -= n + 2
	}
	for _, fits := range []struct {
		letters int
		gap     string // behind a name
	}{{20, " "}, {20, ""}, {7, ""}, {6, ""}, {5, ""}, {4, " "}, {0, " "}} {
		at := 0
		var out []tabName
		for i, t := range m.tabs {
			a := t.About()
			text, stands := fmt.Sprintf("%d %s", i+1, a.name[:min(fits.letters, len(a.name))]), look("")
			if a.found > 0 {
				text, stands = text+fmt.Sprintf("(%d)", a.found), a.stands
			}
			text = " " + strings.TrimSpace(text) + fits.gap
			if t == m.tab {
				text = fmt.Sprintf("[%d %s]", i+1, a.name)
				if fits.gap == "" && i > 0 {
					text = " " + text
				}
			}
			out = append(out, tabName{t, stands, at, at + len(text), text})
			at += len(text)
		}
		if at <= room || fits.letters == 0 {
			return out
		}
	}
	return nil
}

// tabLine draws the names of the tabs, and what that which is shown does not show.
func (m *model) tabLine() string {
	var b strings.Builder
	for _, t := range m.tabNames() {
		style := m.styles.dim
		switch {
		case t.tab == m.tab:
			style = m.styles.title
		case t.stands != "":
			style = t.stands
		}
		b.WriteString(style.Render(t.text))
	}
	line := b.String()
	if note := m.tab.About().note; note != "" && ansi.StringWidth(line)+2 < m.width {
		line += "  " + m.styles.warn.Render(note)
	}
	return line
}
