package tui

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// findingAt is the selected finding, nil when there is none.
func (m *model) findingAt() *tally.Finding {
	if m.finding.cursor >= len(m.picture.Findings) {
		return nil
	}
	return &m.picture.Findings[m.finding.cursor]
}

// findingColumns are the columns of the list of findings.
func (m *model) findingColumns() []column[tally.Finding] {
	s := &m.styles
	since := func(ns uint64) string { return export.Since(ns, m.writes.start) + "s" }
	return []column[tally.Finding]{
		{title: "VERDICT", width: 8, cell: func(f *tally.Finding, _ int) (string, look) { return f.Verdict.String(), s.verdict(f.Verdict) }},
		{title: "WRITES", width: -7, cell: func(f *tally.Finding, _ int) (string, look) { return export.Amount(float64(f.Writes)), s.bold }},
		{title: "FIRST", width: -11, rank: 3, cell: func(f *tally.Finding, _ int) (string, look) { return since(f.First), s.dim }},
		{title: "LAST", width: -11, rank: 4, cell: func(f *tally.Finding, _ int) (string, look) { return since(f.Last), s.dim }},
		{title: "RULES", width: 8, rank: 2, cell: func(f *tally.Finding, _ int) (string, look) { return dash(f.Rules), s.bad }},
		{title: "REASON", width: 16, rank: 1, grow: 200, cell: func(f *tally.Finding, _ int) (string, look) { return export.SafeText(f.Reason), "" }},
	}
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// findingLines draws the list of findings, and about the selected one what its first
// write shows.
func (m *model) findingLines(l layout) []string {
	found := m.picture.Findings
	if len(found) == 0 {
		text := "no disagreement: in all that was judged the kernel did what the model says"
		switch {
		case m.summary.Totals.Writes == 0:
			text = m.nothingYet()
		case m.lossLine() != "":
			text = "no disagreement in what was judged; what was lost may hold some"
		}
		return []string{m.styles.dim.Render(text)}
	}
	columns := fitColumns(m.findingColumns(), m.width, 0)
	lines := []string{m.styles.title.Render(drawHead(columns, "", false))}
	for i := m.finding.top; i < len(found) && len(lines) <= l.rows; i++ {
		lines = append(lines, drawRow(columns, &found[i], m.selectedLook(i == m.finding.cursor)))
	}
	if n := m.picture.MoreFindings; n > 0 && len(lines) < l.body {
		lines = append(lines, m.styles.warn.Render(fmt.Sprintf("and %d disagreements of further kinds", n)))
	}
	f := m.findingAt()
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
	return append(lines, slice(d.lines, 0, max(l.body-len(lines), 0))...)
}
