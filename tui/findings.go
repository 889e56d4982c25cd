package tui

import (
	"cmp"
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// findingsTab lists what the kernel and the model disagree about. Below the list stands
// the one that is selected.
type findingsTab struct{ table[tally.Finding] }

func newFindingsTab(m *model) *findingsTab {
	t := &findingsTab{table[tally.Finding]{m: m}}
	t.columns = t.allColumns
	t.move = func(by int) tea.Cmd { t.step(by); return nil }
	t.open = func() tea.Cmd { return m.showOne(t) }
	return t
}

func (t *findingsTab) About() about {
	return about{name: "Findings", found: len(t.rows), stands: t.m.styles.bad, bandFrom: roomForGraphs}
}

// Update shows what is found as it is now.
func (t *findingsTab) Update(msg tea.Msg) tea.Cmd {
	if s, ok := msg.(Snapshot); ok {
		t.rows = s.Picture.Findings
	}
	return nil
}

// Fit leaves half of the room to the finding that is selected.
func (t *findingsTab) Fit(l layout) {
	l.rows = min(l.rows, max(len(t.rows), 1), max(l.rows/2, 1))
	t.table.Fit(l)
}

func (t *findingsTab) Keys() keys {
	k := &t.m.keys
	return t.keys([]key.Binding{k.Quit, k.Help, k.Open, k.Report, k.Next, k.Pause})
}

// write implements writeSource.
func (t *findingsTab) write() (Numbered, bool) {
	f := t.selected()
	if f == nil {
		return Numbered{}, false
	}
	return Numbered{*f.Example, f.Number}, true
}

func (t *findingsTab) allColumns() []column[tally.Finding] {
	s := &t.m.styles
	since := func(ns uint64) string { return export.Since(ns, t.m.writes.start) + "s" }
	return []column[tally.Finding]{
		{title: "VERDICT", width: 8, cell: func(f *tally.Finding, _ int) (string, look) { return f.Verdict.String(), s.verdict(f.Verdict) }},
		{title: "WRITES", width: -7, cell: func(f *tally.Finding, _ int) (string, look) { return export.Amount(float64(f.Writes)), s.bold }},
		{title: "FIRST", width: -11, rank: 3, cell: func(f *tally.Finding, _ int) (string, look) { return since(f.First), s.dim }},
		{title: "LAST", width: -11, rank: 4, cell: func(f *tally.Finding, _ int) (string, look) { return since(f.Last), s.dim }},
		{title: "RULES", width: 8, rank: 2, cell: func(f *tally.Finding, _ int) (string, look) { return cmp.Or(f.Rules, "-"), s.bad }},
		{title: "REASON", width: 16, rank: 1, grow: 200, cell: func(f *tally.Finding, _ int) (string, look) { return export.SafeText(f.Reason), "" }},
	}
}

// View draws the list, and about the selected finding what its first write shows.
func (t *findingsTab) View() []string {
	m := t.m
	f := t.selected()
	if f == nil {
		text := "no disagreement: in all that was judged the kernel did what the model says"
		switch {
		case m.now.Summary.Totals.Writes == 0:
			text = m.nothingYet()
		case m.lossLine() != "":
			text = "no disagreement in what was judged; what was lost may hold some"
		}
		return []string{m.styles.dim.Render(text)}
	}
	lines := t.draw("")
	if n := m.now.Picture.MoreFindings; n > 0 && len(lines) < t.room.body {
		lines = append(lines, m.styles.warn.Render(fmt.Sprintf("and %d disagreements of further kinds", n)))
	}
	d := detail{m: m, r: f.Example, width: m.width}
	d.lines = append(d.lines, "")
	d.add("first one", fmt.Sprintf("write #%d: %d bytes at %d", f.Number, f.Example.Len, f.Example.Pos), m.styles.title)
	d.who()
	d.drawing()
	d.outcome()
	d.reasons()
	if m.opts.Report != nil {
		d.add("", "w writes a report with a reproducer of each kind; enter shows all about this write", m.styles.dim)
	}
	return append(lines, slice(d.lines, 0, max(t.room.body-len(lines), 0))...)
}
