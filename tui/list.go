package tui

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// listing is what a tab lists: rows that can be sorted by their columns, searched by what
// they say, and that lead to writes.
type listing[T any] struct {
	name    string // of the tab
	sort    string // title of the column that it is sorted by at first
	asked   string // what is typed to search it
	none    string // stands before what was searched and not found
	columns func(s *styles) []column[T]
	of      func(p *tally.Picture) []T
	key     func(t *T) any    // names a row, whatever its counts
	last    func(t *T) bool   // it stands below all others
	order   func(a, b *T) int // where the column leaves two rows equal
	said    func(t *T) string // what is searched
	filter  func(t *T) string // lets its writes through; "" when none can
}

// listTab is a table of what was counted of writes.
type listTab[T any] struct {
	table[T]
	by     *listing[T]
	filter string
	key    any  // of the selected one
	chosen bool // somebody has selected it; else the first is
}

func newListTab[T any](m *model, by *listing[T]) *listTab[T] {
	t := &listTab[T]{by: by, table: table[T]{m: m, sort: by.sort}}
	t.columns = func() []column[T] { return by.columns(&m.styles) }
	t.move, t.open = t.choose, t.openWrites
	return t
}

func (t *listTab[T]) About() about {
	a := about{name: t.by.name, bandFrom: roomForBand}
	if t.filter != "" {
		a.note = "filter: " + t.filter
	}
	return a
}

// Update shows the rows as they are now.
func (t *listTab[T]) Update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(Snapshot); ok {
		t.arrange()
	}
	return nil
}

func (t *listTab[T]) Keys() keys {
	k := &t.m.keys
	return t.keys([]key.Binding{k.Quit, k.Help, k.Next, k.Open, k.Sort, k.Filter, k.Pause, k.WhatIf, k.Record, k.Report},
		keyed{k.Left, t.shiftBy(-1)}, keyed{k.Right, t.shiftBy(1)}, keyed{k.Sort, t.sortNext}, keyed{k.Reverse, func() tea.Cmd { return t.sortBy(t.sort, !t.reverse) }},
		keyed{k.Filter, t.askFilter}, keyed{k.Back, t.back})
}

// Mouse sorts where a title was clicked on, the other way round when it is sorted by that
// already.
func (t *listTab[T]) Mouse(e mouse) tea.Cmd {
	if e.wheel != 0 || e.line > 0 {
		return t.table.Mouse(e)
	}
	columns := t.fitted()
	if i := columnAt(columns, e.x); i >= 0 && columns[i].order != nil {
		return t.sortBy(columns[i].title, t.sort == columns[i].title && !t.reverse)
	}
	return nil
}

// View draws the table.
func (t *listTab[T]) View() []string { return t.list(t.m.nothingYet()) }

// list draws the table, or says why it is empty.
func (t *listTab[T]) list(none string) []string {
	if t.filter != "" {
		none = t.by.none + export.Safe(t.filter) + " (esc: all)"
	}
	return t.draw(none)
}

// arrange filters and sorts the rows, and keeps what is selected.
func (t *listTab[T]) arrange() {
	t.rows = t.rows[:0]
	for _, row := range t.by.of(&t.m.now.Picture) {
		if t.filter == "" || strings.Contains(strings.ToLower(t.by.said(&row)), strings.ToLower(t.filter)) {
			t.rows = append(t.rows, row)
		}
	}
	order := t.by.orderOf(t.sort)
	slices.SortStableFunc(t.rows, func(a, b T) int {
		if last := t.by.last(&a); last != t.by.last(&b) {
			return map[bool]int{true: 1, false: -1}[last]
		}
		n := order(&a, &b)
		if t.reverse {
			n = -n
		}
		if n == 0 {
			n = t.by.order(&a, &b)
		}
		return n
	})
	if !t.chosen {
		t.cursor = 0
	} else if at := slices.IndexFunc(t.rows, func(row T) bool { return t.by.key(&row) == t.key }); at >= 0 {
		t.cursor = at
	}
}

// orderOf is the order of the column with a title.
func (l *listing[T]) orderOf(title string) func(a, b *T) int {
	columns := l.columns(&styles{})
	if i := slices.IndexFunc(columns, func(c column[T]) bool { return c.title == title && c.order != nil }); i >= 0 {
		return columns[i].order
	}
	return l.order
}

// sortBy sorts by a column.
func (t *listTab[T]) sortBy(title string, reverse bool) tea.Cmd {
	t.sort, t.reverse = title, reverse
	t.arrange()
	return nil
}

// sortNext sorts by the next of the columns that are on the screen.
func (t *listTab[T]) sortNext() tea.Cmd {
	columns := t.fitted()
	at := slices.IndexFunc(columns, func(c fitted[T]) bool { return c.title == t.sort })
	for i := range columns {
		if c := columns[(at+1+i)%len(columns)]; c.order != nil {
			return t.sortBy(c.title, false)
		}
	}
	return nil
}

// choose selects another row.
func (t *listTab[T]) choose(by int) tea.Cmd {
	t.step(by)
	if row := t.selected(); row != nil {
		t.key, t.chosen = t.by.key(row), by != -far
	}
	return nil
}

// openWrites leads to the writes of the selected row.
func (t *listTab[T]) openWrites() tea.Cmd {
	row := t.selected()
	if row == nil || t.m.opts.Filter == nil {
		return nil
	}
	text := t.by.filter(row)
	if text == "" {
		return nil
	}
	t.m.tab = t.m.writes
	return t.m.writes.apply(text)
}

// askFilter asks which rows to show.
func (t *listTab[T]) askFilter() tea.Cmd {
	return t.m.ask(t.by.asked, t.filter, func(text string) tea.Cmd {
		t.filter, t.chosen = strings.TrimSpace(text), false
		t.arrange()
		return nil
	})
}

// back undoes what was chosen, the last thing first.
func (t *listTab[T]) back() tea.Cmd {
	switch {
	case t.filter != "":
		t.filter = ""
	case t.shift > 0:
		t.shift = 0
	default:
		t.chosen = false
	}
	t.arrange()
	return nil
}
