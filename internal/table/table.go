// Package table writes tables as text for a terminal and as Markdown.
package table

import (
	"strings"
	"unicode/utf8"
)

// between stands between two columns of text.
const between = "  "

// Table is lines of cells below a head. The first column names the rows.
type Table struct {
	// Head are the columns' names. One that begins with "<" goes to the left, the
	// others to the right.
	Head []string
	Rows [][]string // the last cells of a row may be missing
	// Over are names that stand over Per columns each, from the second on; none when
	// empty. The columns of a name are not torn apart.
	Over []string
	Per  int
	// LineWidth is how wide text may be, characters; 0 for any width.
	LineWidth int
}

// names are those of the columns.
func (t *Table) names() (out []string) {
	for _, name := range t.Head {
		out = append(out, strings.TrimPrefix(name, "<"))
	}
	return out
}

// widths are those of the columns, in characters. The last column below a name is
// wide enough for the name.
func (t *Table) widths() []int {
	out := make([]int, len(t.Head))
	for _, row := range append([][]string{t.names()}, t.Rows...) {
		for i, cell := range row {
			out[i] = max(out[i], utf8.RuneCountInString(cell))
		}
	}
	for i, name := range t.Over {
		first := 1 + i*t.Per
		last := first + t.Per - 1
		out[last] += max(0, utf8.RuneCountInString(name)-total(out[first:last+1]))
	}
	return out
}

// total is how wide columns are together.
func total(widths []int) int {
	sum := len(between) * (len(widths) - 1)
	for _, n := range widths {
		sum += n
	}
	return sum
}

// Text writes the table with dashes below the head. What does not fit beside the first
// columns within LineWidth follows as a table of its own.
func (t *Table) Text(b *strings.Builder) {
	widths := t.widths()
	per := max(1, t.Per)
	fits := func(from, to int) bool {
		return t.LineWidth == 0 || widths[0]+len(between)+total(widths[from:to]) <= t.LineWidth
	}
	for from := 1; from < len(widths); {
		to := min(from+per, len(widths))
		for to < len(widths) && fits(from, min(to+per, len(widths))) {
			to = min(to+per, len(widths))
		}
		if from > 1 {
			b.WriteByte('\n')
		}
		t.part(b, widths, from, to)
		from = to
	}
}

// part writes the first column and some others.
func (t *Table) part(b *strings.Builder, widths []int, from, to int) {
	line := func(cells []string) {
		text := t.pad(cells, 0, widths[0])
		for i := from; i < min(to, len(cells)); i++ {
			text += between + t.pad(cells, i, widths[i])
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	if len(t.Over) > 0 {
		b.WriteString(strings.Repeat(" ", widths[0]))
		for i := from; i < to; i += t.Per {
			b.WriteString(between + centre(t.Over[(i-1)/t.Per], total(widths[i:i+t.Per])))
		}
		b.WriteByte('\n')
	}
	dashes := make([]string, len(widths))
	for i, n := range widths {
		dashes[i] = strings.Repeat("-", n)
	}
	line(t.names())
	line(dashes)
	for _, row := range t.Rows {
		line(row)
	}
}

// pad makes a cell as wide as its column.
func (t *Table) pad(cells []string, i, width int) string {
	if strings.HasPrefix(t.Head[i], "<") {
		return cells[i] + right("", width-utf8.RuneCountInString(cells[i]))
	}
	return right(cells[i], width)
}

// right puts s at the right of a cell.
func right(s string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s))) + s
}

// centre puts a name in the middle of the columns below it, with dashes that show how
// far it reaches.
func centre(name string, width int) string {
	room := width - utf8.RuneCountInString(name) - 2
	if room < 2 {
		return right(name, width)
	}
	return strings.Repeat("-", room/2) + " " + name + " " + strings.Repeat("-", room-room/2)
}

// Markdown writes the table as Markdown.
func (t *Table) Markdown(b *strings.Builder) {
	line := func(cells []string) {
		b.WriteByte('|')
		for _, cell := range cells {
			b.WriteString(" " + strings.ReplaceAll(cell, "|", `\|`) + " |")
		}
		b.WriteByte('\n')
	}
	head := append([]string(nil), t.Head...)
	for i, name := range t.Over {
		for k := range t.Per {
			head[1+i*t.Per+k] = name + " " + head[1+i*t.Per+k]
		}
	}
	line(head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "--:"
	}
	line(rule)
	for _, row := range t.Rows {
		line(row)
	}
}
