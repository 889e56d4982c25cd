package tui

import (
	"cmp"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
)

// record begins or ends to record.
func (m *model) record() tea.Cmd {
	on, record := !m.recording, m.opts.Record
	return func() tea.Msg {
		text, err := record(on)
		return saidMsg{text, err}
	}
}

// report writes a report of what is known here.
func (m *model) report() tea.Cmd {
	rows := slices.Clone(m.writes.rows)
	for i := range m.picture.Findings {
		f := &m.picture.Findings[i]
		if !slices.ContainsFunc(rows, func(r Numbered) bool { return r.Number == f.Number }) {
			rows = append(rows, Numbered{*f.Example, f.Number})
		}
	}
	slices.SortFunc(rows, func(a, b Numbered) int { return cmp.Compare(a.Number, b.Number) })
	report, summary := m.opts.Report, m.summary
	m.said = "writing a report …"
	return func() tea.Msg {
		text, err := report(rows, summary)
		return saidMsg{text, err}
	}
}

// actionEnded takes in how an action ended.
func (m *model) actionEnded(msg saidMsg) {
	m.said, m.failed = msg.text, msg.err != nil
	if msg.err != nil {
		m.said = msg.err.Error()
	}
	m.settle()
}

// missedEvery is how often it is asked what the kernel skipped, while that is shown.
const missedEvery = time.Second

// askMissed asks what the kernel skipped, when that is shown.
func (m *model) askMissed() tea.Cmd {
	ask := m.opts.Missed
	if ask == nil || m.asking || m.screen != onProbes || m.missed != nil && m.summary.Elapsed < m.askedAt+missedEvery {
		return nil
	}
	m.asking, m.askedAt = true, m.summary.Elapsed
	return func() tea.Msg {
		missed, err := ask()
		return missedMsg{missed, err}
	}
}
