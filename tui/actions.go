package tui

import (
	"cmp"
	"slices"

	tea "charm.land/bubbletea/v2"
)

// record begins or ends to record.
func (m *model) record() tea.Cmd {
	on, record := !m.now.Recording, m.opts.Record
	return func() tea.Msg {
		text, err := record(on)
		return saidMsg{text, err}
	}
}

// report writes a report of what is known here.
func (m *model) report() tea.Cmd {
	rows := slices.Clone(m.writes.rows)
	for i := range m.now.Picture.Findings {
		f := &m.now.Picture.Findings[i]
		if !slices.ContainsFunc(rows, func(r Numbered) bool { return r.Number == f.Number }) {
			rows = append(rows, Numbered{*f.Example, f.Number})
		}
	}
	slices.SortFunc(rows, func(a, b Numbered) int { return cmp.Compare(a.Number, b.Number) })
	report, summary := m.opts.Report, m.now.Summary
	m.say("writing a report …", nil)
	return func() tea.Msg {
		text, err := report(rows, summary)
		return saidMsg{text, err}
	}
}

// saidMsg is how an action ended.
type saidMsg struct {
	text string
	err  error
}

// say shows how an action ended until the next key.
func (m *model) say(text string, err error) {
	m.said, m.failed = text, err != nil
	if err != nil {
		m.said = err.Error()
	}
}
