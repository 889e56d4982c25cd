package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// open goes deeper into the selected line: from a group to its writes, from a write or a
// finding to everything about it.
func (m *model) open() tea.Cmd {
	switch m.screen {
	case onWrites:
		if r := m.writes.at(m.writes.cursor); r != nil {
			m.one = &oneWrite{row: Numbered{r.Row.Clone(), r.Number}, seq: m.writes.cursor}
		}
	case onFindings:
		if f := m.findingAt(); f != nil {
			m.one = &oneWrite{row: Numbered{*f.Example, f.Number}, alone: true}
		}
	case onProbes:
	default:
		if g := &m.groups[m.screen]; len(g.rows) > 0 && m.opts.Filter != nil {
			if text := filterOf(m.screen, &g.rows[g.cursor]); text != "" {
				m.screen = onWrites
				defer m.settle()
				return m.applyFilter(text)
			}
		}
	}
	m.settle()
	return nil
}

// filterOf is the filter that lets the writes of a group through.
func filterOf(on screen, g *tally.Group) string {
	switch {
	case g.Others:
		return ""
	case on == onProcesses:
		return fmt.Sprintf("pid=%d", g.Pid)
	case on == onReasons && g.Reason == "":
		return ""
	case on == onReasons:
		return "reason=" + quoted(g.Reason)
	}
	return fmt.Sprintf("dev=%s ino=%d", export.DevName(g.Dev), g.Ino)
}

// quoted puts a value with blanks in quotes.
func quoted(text string) string {
	if strings.ContainsAny(text, " \t,") {
		return `"` + text + `"`
	}
	return text
}

// applyFilter shows only the writes that a filter lets through; "" is all of them.
func (m *model) applyFilter(text string) tea.Cmd {
	if m.opts.Filter == nil {
		return nil
	}
	var match Matcher
	if text = strings.TrimSpace(text); text != "" {
		var err error
		if match, err = m.opts.Filter(text); err != nil {
			m.said, m.failed = err.Error(), true
			return nil
		}
	}
	if m.opts.SetFilter != nil {
		m.opts.SetFilter(match)
	}
	m.writes.choose(text, match, m.layout().rows)
	if m.seeks() {
		return m.seek(Seek{At: 1, ByNumber: true})
	}
	return nil
}
