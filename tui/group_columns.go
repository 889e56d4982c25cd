package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// tail keeps the end of a name, which tells more of a path than its beginning.
func tail(name string, width int) string {
	runes := []rune(name)
	if len(runes) <= width || width < 2 {
		return name
	}
	return "~" + string(runes[len(runes)-width+1:])
}

// nameColumn is the column of what a group is of.
func (b *grouping) nameColumn() column[tally.Group] {
	return column[tally.Group]{
		title: b.title, width: b.width, want: 26, grow: b.grow,
		cell: func(g *tally.Group, width int) (string, look) {
			if b.fromEnd {
				return tail(b.groupName(g), width), ""
			}
			return b.groupName(g), ""
		},
		order: func(x, y *tally.Group) int { return strings.Compare(b.groupName(x), b.groupName(y)) },
	}
}

// measured makes a column of what text says of a value. The largest comes first.
func measured[T any](title string, width, rank int, style look, text func(v float64) string, value func(*T) float64) column[T] {
	return column[T]{
		title: title, width: -width, rank: rank,
		cell: func(g *T, _ int) (string, look) {
			if v := value(g); v != 0 {
				return text(v), style
			}
			return "-", ""
		},
		order: func(a, b *T) int { return cmp.Compare(value(b), value(a)) },
	}
}

// number makes a column of a count.
func number[T any](title string, width, rank int, style look, of func(*T) uint64) column[T] {
	return measured(title, width, rank, style, export.Amount, func(g *T) float64 { return float64(of(g)) })
}

// binary makes a column of a number of bytes.
func binary(title string, rank int, of func(*tally.Group) uint64) column[tally.Group] {
	text := func(v float64) string { return export.Bytes(int64(v)) }
	return measured(title, 6, rank, "", text, func(g *tally.Group) float64 { return float64(of(g)) })
}

// share makes a column of a percentage of the writes.
func share(title string, rank int, style look, of func(*tally.Group) uint64) column[tally.Group] {
	return measured(title, 5, rank, style, percentOf, func(g *tally.Group) float64 { return ratio(of(g), g.Writes) })
}

// span makes a column of a time.
func span[T any](title string, rank int, of func(*T) uint64) column[T] {
	c := number(title, 6, rank, "", of)
	c.cell = func(g *T, _ int) (string, look) { return export.Duration(of(g)), "" }
	return c
}

// columns are the columns of the table.
func (b *grouping) columns(s *styles) []column[tally.Group] {
	out := []column[tally.Group]{
		b.nameColumn(),
		measured("W/S", 5, 3, "", export.Amount, func(g *tally.Group) float64 { return g.Rate }),
		number("WRITES", 6, 9, "", func(g *tally.Group) uint64 { return g.Writes }),
		share("SHRD%", 10, s.good, func(g *tally.Group) uint64 { return g.Shared }),
		share("EXCL%", 1, s.warn, func(g *tally.Group) uint64 { return g.Exclusive }),
	}
	if b.by {
		out = append(out, whyColumn(s))
	}
	out = append(out,
		waitColumn(s),
		span("P50", 7, func(g *tally.Group) uint64 { return g.P50 }),
		span("P99", 5, func(g *tally.Group) uint64 { return g.P99 }),
		span("MAX", 20, func(g *tally.Group) uint64 { return g.MaxWait }),
		number("RESTART", 7, 11, s.warn, func(g *tally.Group) uint64 { return g.Restarted }),
		number("DRAIN", 5, 15, "", func(g *tally.Group) uint64 { return g.Drained }),
		binary("ZEROED", 8, func(g *tally.Group) uint64 { return g.Zeroed }),
		refusedColumn(),
		number("FAILED", 6, 18, s.warn, func(g *tally.Group) uint64 { return g.Failed }),
		number("DISAGR", 6, 6, s.bad, func(g *tally.Group) uint64 { return g.Disagreements() }),
		number("AGREE", 5, 13, s.good, func(g *tally.Group) uint64 { return g.Verdicts[judge.Agree] }),
		number("UNDEC", 5, 14, "", func(g *tally.Group) uint64 { return g.Verdicts[judge.Undecided] + g.Unjudged }),
		binary("BYTES", 16, func(g *tally.Group) uint64 { return g.Bytes }),
	)
	if b.dev {
		out = append(out, column[tally.Group]{
			title: "DEV", width: 7, rank: 17, cell: func(g *tally.Group, _ int) (string, look) { return export.DevName(g.Dev), "" },
		})
	}
	return out
}

// waitColumn is the part of the time in the write function that was spent waiting for
// i_rwsem.
func waitColumn(s *styles) column[tally.Group] {
	part := func(g *tally.Group) float64 { return ratio(g.WaitNs, g.TimeNs) }
	c := measured("WAIT%", 5, 4, "", percentOf, part)
	text := c.cell
	c.cell = func(g *tally.Group, width int) (string, look) {
		said, _ := text(g, width)
		return said, waitLook(s, part(g))
	}
	return c
}

// waitLook is the look of a part of the time that is spent waiting.
func waitLook(s *styles, part float64) look {
	switch {
	case part >= 0.5:
		return s.bad
	case part >= 0.1:
		return s.warn
	}
	return ""
}

// whyColumn lists why writes were exclusive, the most frequent first.
func whyColumn(s *styles) column[tally.Group] {
	return column[tally.Group]{
		title: "EXCLUSIVE BY", width: 17, rank: 2, grow: 44,
		cell: func(g *tally.Group, width int) (string, look) { return classText(&g.Counts, width), s.warn },
		order: func(a, b *tally.Group) int {
			return strings.Compare(classText(&a.Counts, 80), classText(&b.Counts, 80))
		},
	}
}

// classText lists the classes of exclusive writes in at most width cells: "zeroing 90%,
// extending 8%", in parts of all writes.
func classText(c *tally.Counts, width int) string {
	classes := make([]tally.Class, 0, tally.NumClasses)
	for k := range tally.NumClasses {
		if c.By[k] > 0 {
			classes = append(classes, k)
		}
	}
	slices.SortStableFunc(classes, func(a, b tally.Class) int { return cmp.Compare(c.By[b], c.By[a]) })
	text := ""
	for i, k := range classes {
		next := fmt.Sprintf("%s %s", k, percentOf(ratio(c.By[k], c.Writes)))
		if len(classes) == 1 {
			next = k.String()
		}
		if i > 0 {
			next = text + ", " + next
		}
		if i > 0 && len(next) > width {
			break
		}
		text = next
	}
	return text
}

// refusedColumn tells how many writes NOWAIT refused, and where.
func refusedColumn() column[tally.Group] {
	return column[tally.Group]{
		title: "REFUSED", width: 7, rank: 12, grow: 24,
		cell:  func(g *tally.Group, width int) (string, look) { return refusedText(&g.Counts, width), "" },
		order: func(a, b *tally.Group) int { return cmp.Compare(b.Refused, a.Refused) },
	}
}

func refusedText(c *tally.Counts, width int) string {
	if c.Refused == 0 {
		return "-"
	}
	var parts []string
	for at, n := range c.Again {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", observe.Point(at), export.Amount(float64(n))))
		}
	}
	if text := strings.Join(parts, ", "); len(text) <= width {
		return text
	}
	return export.Amount(float64(c.Refused))
}

func ratio(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// percentOf writes a part as a percentage. What is not all is never 100 %, and what is
// not nothing never 0 %.
func percentOf(part float64) string {
	switch {
	case part >= 1:
		return "100%"
	case part <= 0:
		return "0%"
	case part < 0.01:
		return "<1%"
	case part > 0.99:
		return ">99%"
	}
	return fmt.Sprintf("%.0f%%", part*100)
}

// byWrites sorts the groups with the most writes first.
func byWrites(a, b *tally.Group) int {
	return cmp.Or(cmp.Compare(b.Writes, a.Writes), cmp.Compare(a.Ino, b.Ino), cmp.Compare(a.Pid, b.Pid), strings.Compare(a.Reason, b.Reason))
}
