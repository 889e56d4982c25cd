package bench

import (
	"strings"
	"unicode/utf8"
)

// between stands between two columns of text.
const between = "  "

// grid is a table. Its first column names the rows.
type grid struct {
	head []string
	rows [][]string
	// over are names that stand over per columns each, from the second on; none when
	// empty. The columns of a name are not torn apart.
	over []string
	per  int
}

// widths are those of the columns, in characters. The last column below a name is
// wide enough for the name.
func (g *grid) widths() []int {
	out := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			out[i] = max(out[i], utf8.RuneCountInString(cell))
		}
	}
	for i, name := range g.over {
		first := 1 + i*g.per
		last := first + g.per - 1
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

// text writes the table with columns to the right, and dashes below the head. What
// does not fit beside the first columns within lineWidth follows as a table of its own.
func (g *grid) text(b *strings.Builder) {
	widths := g.widths()
	per := max(1, g.per)
	for from := 1; from < len(widths); {
		to := min(from+per, len(widths))
		for to < len(widths) && widths[0]+len(between)+total(widths[from:min(to+per, len(widths))]) <= lineWidth {
			to = min(to+per, len(widths))
		}
		if from > 1 {
			b.WriteByte('\n')
		}
		g.part(b, widths, from, to)
		from = to
	}
}

// part writes the first column and some others.
func (g *grid) part(b *strings.Builder, widths []int, from, to int) {
	line := func(cells []string) {
		b.WriteString(right(cells[0], widths[0]))
		for i := from; i < to; i++ {
			b.WriteString(between + right(cells[i], widths[i]))
		}
		b.WriteByte('\n')
	}
	if len(g.over) > 0 {
		b.WriteString(strings.Repeat(" ", widths[0]))
		for i := from; i < to; i += g.per {
			b.WriteString(between + centre(g.over[(i-1)/g.per], total(widths[i:i+g.per])))
		}
		b.WriteByte('\n')
	}
	dashes := make([]string, len(widths))
	for i, n := range widths {
		dashes[i] = strings.Repeat("-", n)
	}
	line(g.head)
	line(dashes)
	for _, row := range g.rows {
		line(row)
	}
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

// markdown writes the table as Markdown.
func (g *grid) markdown(b *strings.Builder) {
	line := func(cells []string) {
		b.WriteByte('|')
		for _, cell := range cells {
			b.WriteString(" " + strings.ReplaceAll(cell, "|", `\|`) + " |")
		}
		b.WriteByte('\n')
	}
	head := append([]string(nil), g.head...)
	for i, name := range g.over {
		for k := range g.per {
			head[1+i*g.per+k] = name + " " + head[1+i*g.per+k]
		}
	}
	line(head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "--:"
	}
	line(rule)
	for _, row := range g.rows {
		line(row)
	}
}
