package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
)

// tableLines draws the head of the table and the rows that fit.
func (m *model) tableLines(l layout) []string {
	if l.body == 0 {
		return nil
	}
	columns := chooseColumns(m.width, m.shift)
	lines := make([]string, 0, l.body)
	lines = append(lines, m.styles.title.Render(m.tableHead(columns)))
	if len(m.rows) == 0 {
		return append(lines, m.styles.dim.Render("waiting for direct writes on ext4 …"))
	}
	for seq := m.top; seq < m.end() && len(lines) < l.body; seq++ {
		lines = append(lines, m.tableRow(m.at(seq), columns, seq == m.cursor))
	}
	return lines
}

func (m *model) tableHead(columns []shown) string {
	var b strings.Builder
	b.WriteString("  ")
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch c.kind {
		case colTime:
			fmt.Fprintf(&b, "%*s", -c.width, "TIME")
		case colWhy:
			fmt.Fprintf(&b, "%-*s", c.width, "WHY")
		default:
			b.WriteString(c.col.Title(c.width))
		}
	}
	return b.String()
}

// tableRow draws one row. The selected one is marked by ">" and in reverse.
func (m *model) tableRow(r *export.Row, columns []shown, selected bool) string {
	var b strings.Builder
	mark, plain := "  ", look("")
	if selected {
		mark, plain = "> ", m.styles.selected
	}
	b.WriteString(plain.Render(mark))
	for i, c := range columns {
		if i > 0 {
			b.WriteString(plain.Render(" "))
		}
		text, style := m.cell(r, c)
		if selected {
			style = plain
		}
		b.WriteString(style.Render(text))
	}
	return b.String()
}

// cell is the text of one column, fitted to its width, and its look.
func (m *model) cell(r *export.Row, c shown) (string, look) {
	style := look("")
	switch c.kind {
	case colTime:
		return fmt.Sprintf("%*s", -c.width, export.Since(r.TimeNs, m.start)), m.styles.dim
	case colWhy:
		text := ansi.Truncate(export.SafeText(r.Reason()), c.width, "…")
		return pad(text, c.width), style
	}
	switch {
	case c.col == export.ColLock && export.Is(r.Lock, export.Exclusive),
		c.col == export.ColPasses && r.Passes.V > 1:
		style = m.styles.warn
	case c.col == export.ColVerdict && r.Verdict.Known:
		style = m.styles.verdict(r.Verdict.V)
	}
	return c.col.Cell(r, c.width), style
}
