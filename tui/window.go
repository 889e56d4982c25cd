package tui

import tea "charm.land/bubbletea/v2"

// moveWindow asks for other writes of a recording where those that are here end.
func (m *model) moveWindow(by int) tea.Cmd {
	w, total := &m.writes, m.summary.Totals.Writes
	if !m.seeks() || len(w.rows) == 0 {
		return nil
	}
	first, last := w.rows[0].Number, w.rows[len(w.rows)-1].Number
	at := int64(w.cursor-w.first) + int64(by)
	switch {
	case by == -far && first > 1:
		return m.seek(Seek{At: 1, ByNumber: true})
	case by == far && last < total:
		return m.seek(Seek{At: total + 1, ByNumber: true, Before: true})
	case by != -far && at < 0 && first > 1:
		return m.seek(Seek{At: first, ByNumber: true, Before: true})
	case by != far && at >= int64(len(w.rows)) && last < total:
		return m.seek(Seek{At: last + 1, ByNumber: true})
	}
	return nil
}

// seeks reports whether parts of a recording can be had.
func (m *model) seeks() bool { return m.opts.Window != nil && m.ended }

// seek asks for writes of a recording that the filter lets through.
func (m *model) seek(s Seek) tea.Cmd {
	window := m.opts.Window
	s.Match, s.N = m.writes.match, maxRows
	m.said, m.failed = "looking …", false
	return func() tea.Msg {
		rows, err := window(s)
		return soughtMsg{rows, s.Before, err}
	}
}

// enterWrites begins to show the writes of a recording from its first on.
func (m *model) enterWrites() tea.Cmd {
	if m.screen != onWrites || !m.seeks() || m.writes.window {
		return nil
	}
	return m.seek(Seek{At: 1, ByNumber: true})
}

// sought shows a window of a recording.
func (m *model) sought(msg soughtMsg) {
	m.said, m.failed = "", false
	switch {
	case msg.err != nil:
		m.said, m.failed = msg.err.Error(), true
	case len(msg.rows) == 0:
		m.said, m.failed = "there are no such writes", true
	default:
		m.writes.replace(msg.rows, m.layout().rows)
		if msg.end {
			m.writes.move(len(msg.rows), m.layout().rows)
		}
	}
	m.settle()
}
