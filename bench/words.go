package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// none stands in a table where nothing was measured.
const none = "-"

// grouped writes a number without decimals and with commas, as 1,234,567.
func grouped(x float64) string {
	digits := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// seconds writes a time as the cover letter does.
func seconds(ns int64) string {
	if ns < int64(10*time.Second) {
		return fmt.Sprintf("%.2fs", time.Duration(ns).Seconds())
	}
	return fmt.Sprintf("%.1fs", time.Duration(ns).Seconds())
}

// times writes a ratio, as 1.97x.
func times(x float64) string { return fmt.Sprintf("%.2fx", x) }

// share is the part of the writes that were exclusive.
func (l *Locks) share() string {
	x, ok := l.ExclusiveShare()
	switch {
	case !ok:
		return none
	case x > 0 && x < 0.001:
		return "<0.1%"
	case x < 1 && x > 0.999:
		return ">99.9%"
	}
	return fmt.Sprintf("%.1f%%", 100*x)
}

// wait is the average time for which a write waited for i_rwsem.
func (l *Locks) wait() string {
	d, ok := l.Wait()
	switch {
	case !ok:
		return none
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.1fus", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.1fms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2fs", d.Seconds())
}

// safe makes text from a file fit for a terminal: what is not printable, and what
// is no UTF-8, becomes a question mark.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// grid is a table of text.
type grid struct {
	head []string
	rows [][]string
}

// widths are those of the columns, in characters.
func (g *grid) widths() []int {
	out := make([]int, len(g.head))
	for _, row := range append([][]string{g.head}, g.rows...) {
		for i, cell := range row {
			out[i] = max(out[i], utf8.RuneCountInString(cell))
		}
	}
	return out
}

// text writes the table with columns to the right, and dashes below the head.
func (g *grid) text(b *strings.Builder) {
	widths := g.widths()
	line := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + cell)
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

// markdown writes the table as Markdown.
func (g *grid) markdown(b *strings.Builder) {
	line := func(cells []string) {
		b.WriteByte('|')
		for _, cell := range cells {
			b.WriteString(" " + strings.ReplaceAll(cell, "|", `\|`) + " |")
		}
		b.WriteByte('\n')
	}
	line(g.head)
	rule := make([]string, len(g.head))
	for i := range rule {
		rule[i] = "--:"
	}
	line(rule)
	for _, row := range g.rows {
		line(row)
	}
}
