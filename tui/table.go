package tui

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// column is one column of a table of Ts.
type column[T any] struct {
	title string
	width int // negative: filled on the left
	// rank says which columns come first when there is not room for all; those of 0 are
	// always shown.
	rank int
	// want is a width that the column gets before those of rank beyond comfort come.
	want int
	// grow is how wide the column may become when there is room left: columns in the
	// order of their place take it.
	grow int
	cell func(t *T, width int) (string, look)
	// order compares two rows as the column sorts them, nil when it cannot. What one
	// looks for comes first: large numbers, and names from A on.
	order func(a, b *T) int
}

// fitted is a column with the width it got.
type fitted[T any] struct {
	*column[T]
	width int
}

// comfort is the last rank of the columns that one looks for first.
const comfort = 6

// margin is for the mark of the selected row.
const margin = 2

// fitColumns chooses the columns for a width. shift skips that many of the most telling
// ones, so that the others can be seen on a narrow screen.
func fitColumns[T any](all []column[T], width, shift int) []fitted[T] {
	room := width - margin + 1 // the last one needs no gap
	wanted, kept := 0, 0
	var ranked []*column[T]
	for i := range all {
		c := &all[i]
		if c.rank != 0 {
			ranked = append(ranked, c)
			continue
		}
		room -= abs(c.width) + 1
		if c.want > 0 {
			wanted = c.want - c.width
		}
	}
	slices.SortFunc(ranked, func(a, b *column[T]) int { return cmp.Compare(a.rank, b.rank) })
	chosen := map[*column[T]]bool{}
	for _, c := range ranked[min(shift, len(ranked)):] {
		if c.rank > comfort {
			kept = min(wanted, room)
		}
		if need := abs(c.width) + 1; need <= room-kept {
			room -= need
			chosen[c] = true
		}
	}
	var out []fitted[T]
	for i := range all {
		if c := &all[i]; c.rank == 0 || chosen[c] {
			out = append(out, fitted[T]{c, c.width})
		}
	}
	for i := range out {
		if more := min(room, out[i].grow-abs(out[i].width)); more > 0 && out[i].width > 0 {
			out[i].width += more
			room -= more
		}
	}
	return out
}

// drawHead draws the titles; that of the column that is sorted by is marked.
func drawHead[T any](columns []fitted[T], sorted string, reverse bool) string {
	var titles []string
	for _, c := range columns {
		title := c.title
		if title == sorted && sorted != "" {
			mark := "▼"
			if reverse {
				mark = "▲"
			}
			if len(title)+1 > abs(c.width) {
				title = title[:abs(c.width)-1]
			}
			title += mark
		}
		titles = append(titles, align(title, c.width))
	}
	return strings.Repeat(" ", margin) + strings.Join(titles, " ")
}

// drawRow draws one row. The selected one is marked by ">" and in reverse.
func drawRow[T any](columns []fitted[T], t *T, selected look) string {
	var b strings.Builder
	mark := "  "
	if selected != "" {
		mark = "> "
	}
	b.WriteString(selected.Render(mark))
	for i, c := range columns {
		if i > 0 {
			b.WriteString(selected.Render(" "))
		}
		text, style := c.cell(t, abs(c.width))
		if selected != "" {
			style = selected
		}
		b.WriteString(style.Render(align(text, c.width)))
	}
	return b.String()
}

// align cuts or fills text to a width; a negative one is filled on the left.
func align(text string, width int) string {
	n := abs(width)
	w := ansi.StringWidth(text)
	if w > n {
		text = ansi.Truncate(text, n, "~")
		w = ansi.StringWidth(text)
	}
	fill := strings.Repeat(" ", n-w)
	if width < 0 {
		return fill + text
	}
	return text + fill
}

// columnAt is the column that a cell of a line lies in, -1 for none.
func columnAt[T any](columns []fitted[T], x int) int {
	at := margin
	for i, c := range columns {
		if x >= at && x < at+abs(c.width) {
			return i
		}
		at += abs(c.width) + 1
	}
	return -1
}

func abs(n int) int { return max(n, -n) }

// table is a screen of rows of which one is selected.
type table[T any] struct {
	m       *model
	columns func() []column[T]
	move    func(by int) tea.Cmd // selects another row
	open    func() tea.Cmd       // goes deeper into the selected one
	rows    []T
	cursor  int    // the selected row
	top     int    // the first one shown
	shift   int    // columns skipped
	sort    string // title of the column that it is sorted by
	reverse bool
	room    layout
}

func (t *table[T]) Fit(l layout) {
	t.room = l
	n, room := len(t.rows), max(l.rows, 1)
	t.cursor = max(min(t.cursor, n-1), 0)
	t.top = max(min(t.top, t.cursor, n-room), 0, t.cursor-room+1)
}

// Mouse moves, selects the row that was clicked on, and opens it when it is selected.
func (t *table[T]) Mouse(e mouse) tea.Cmd {
	if e.wheel != 0 {
		return t.move(e.wheel)
	}
	at := t.top + e.line - 1
	switch {
	case e.line < 1 || e.line > t.room.rows || at >= len(t.rows):
		return nil
	case at == t.cursor:
		return t.open()
	}
	return t.move(at - t.cursor)
}

// keys are those of all tables, with those on the last line, and some more.
func (t *table[T]) keys(line []key.Binding, more ...keyed) keys {
	steps := t.m.steps(t.room.rows, t.move)
	return keys{line: line, does: slices.Concat(steps, []keyed{{t.m.keys.Open, t.open}}, t.m.tabKeys(), more)}
}

// step selects the row that is some lines further.
func (t *table[T]) step(by int) { t.cursor = max(min(t.cursor+by, len(t.rows)-1), 0) }

// selected is the row that is selected, nil when there is none.
func (t *table[T]) selected() *T {
	if t.cursor >= len(t.rows) {
		return nil
	}
	return &t.rows[t.cursor]
}

// shiftBy skips more or fewer columns.
func (t *table[T]) shiftBy(by int) func() tea.Cmd {
	return func() tea.Cmd {
		t.shift = max(min(t.shift+by, len(t.columns())-3), 0)
		return nil
	}
}

// fitted are the columns that fit.
func (t *table[T]) fitted() []fitted[T] { return fitColumns(t.columns(), t.m.width, t.shift) }

// draw draws the rows that fit, or why there are none.
func (t *table[T]) draw(none string) []string {
	s, columns := &t.m.styles, t.fitted()
	lines := []string{s.title.Render(drawHead(columns, t.sort, t.reverse))}
	if len(t.rows) == 0 {
		return append(lines, s.dim.Render(none))
	}
	for i := t.top; i < len(t.rows) && len(lines) <= t.room.rows; i++ {
		selected := look("")
		if i == t.cursor {
			selected = s.selected
		}
		lines = append(lines, drawRow(columns, &t.rows[i], selected))
	}
	return lines
}
