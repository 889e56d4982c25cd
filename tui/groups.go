package tui

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// grouping is what writes are grouped by on a tab.
type grouping struct {
	name        string // of the tab
	title       string // of the column with the names
	width, grow int    // of that
	fromEnd     bool   // the end of a name tells more than its beginning
	by          bool   // there is a column that says why writes were exclusive
	dev         bool   // and one of the file system
	of          func(p *tally.Picture) []tally.Group
	label       func(g *tally.Group) string // safe for a terminal
	filter      func(g *tally.Group) string // lets its writes through; "" when none can
}

var byFile = grouping{
	name: "Files", title: "FILE", width: 14, grow: 60, fromEnd: true, by: true, dev: true,
	of: func(p *tally.Picture) []tally.Group { return p.Files },
	label: func(g *tally.Group) string {
		if g.Path != "" {
			return export.Safe(g.Path)
		}
		return fmt.Sprintf("ino %d on %s", g.Ino, export.DevName(g.Dev))
	},
	filter: func(g *tally.Group) string { return fmt.Sprintf("dev=%s ino=%d", export.DevName(g.Dev), g.Ino) },
}

var byProcess = grouping{
	name: "Processes", title: "PROCESS PID", width: 14, grow: 24, by: true,
	of: func(p *tally.Picture) []tally.Group { return p.Processes },
	label: func(g *tally.Group) string {
		others := ""
		if g.Names > 1 {
			others = fmt.Sprintf(" (+%d)", g.Names-1) // names of threads
		}
		return fmt.Sprintf("%s%s %s", export.Safe(g.Comm), others, g.Number())
	},
	filter: processFilter,
}

// processFilter picks the writes of one process, by the number that no other has.
func processFilter(g *tally.Group) string {
	switch {
	case g.Foreign:
		return fmt.Sprintf("pid=%d foreign", g.Pid)
	case g.Global != 0:
		return fmt.Sprintf("globalpid=%d", g.Global)
	}
	return fmt.Sprintf("pid=%d", g.Pid)
}

var byReason = grouping{
	name: "Reasons", title: "REASON", width: 16, grow: 28,
	of: func(p *tally.Picture) []tally.Group { return p.Reasons },
	label: func(g *tally.Group) string {
		if g.Reason == "" {
			return "reason not known"
		}
		return export.SafeText(g.Reason)
	},
	filter: func(g *tally.Group) string {
		if g.Reason == "" {
			return ""
		}
		return "reason=" + quoted(g.Reason)
	},
}

// quoted puts a value with blanks in quotes.
func quoted(text string) string {
	if strings.ContainsAny(text, " \t,") {
		return `"` + text + `"`
	}
	return text
}

// groupName is what a group is called on a screen, safe for a terminal. Those that have no
// line of their own have one together.
func (b *grouping) groupName(g *tally.Group) string {
	if g.Others {
		return "(others)"
	}
	return b.label(g)
}

// matches reports whether a text is in the name of a group, or in why its writes were
// exclusive.
func (b *grouping) matches(g *tally.Group, text string) bool {
	said := b.groupName(g) + " " + classText(&g.Counts, far)
	return strings.Contains(strings.ToLower(said), strings.ToLower(text))
}

// groupTab is a table of groups of writes.
type groupTab struct {
	table[tally.Group]
	by     *grouping
	filter string
	key    tally.Key // of the selected one
	chosen bool      // somebody has selected it; else the first is
}

func newGroupTab(m *model, by *grouping) *groupTab {
	t := &groupTab{by: by, table: table[tally.Group]{m: m, sort: "W/S"}}
	t.columns = func() []column[tally.Group] { return by.columns(&m.styles) }
	t.move, t.open = t.choose, t.openWrites
	return t
}

func (t *groupTab) About() about {
	a := about{name: t.by.name, bandFrom: roomForBand}
	if t.filter != "" {
		a.note = "filter: " + t.filter
	}
	return a
}

// Update shows the groups as they are now.
func (t *groupTab) Update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(Snapshot); ok {
		t.arrange()
	}
	return nil
}

func (t *groupTab) Keys() keys {
	k := &t.m.keys
	return t.keys([]key.Binding{k.Quit, k.Help, k.Next, k.Open, k.Sort, k.Filter, k.Pause, k.WhatIf, k.Record, k.Report},
		keyed{k.Left, t.shiftBy(-1)}, keyed{k.Right, t.shiftBy(1)}, keyed{k.Sort, t.sortNext}, keyed{k.Reverse, func() tea.Cmd { return t.sortBy(t.sort, !t.reverse) }},
		keyed{k.Filter, t.askFilter}, keyed{k.Back, t.back})
}

// Mouse sorts where a title was clicked on, the other way round when it is sorted by that
// already.
func (t *groupTab) Mouse(e mouse) tea.Cmd {
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
func (t *groupTab) View() []string {
	if t.filter != "" {
		return t.draw("nothing has a name or reason with " + export.Safe(t.filter) + " (esc: all)")
	}
	return t.draw(t.m.nothingYet())
}

// arrange filters and sorts the groups, and keeps what is selected.
func (t *groupTab) arrange() {
	t.rows = t.rows[:0]
	for _, row := range t.by.of(&t.m.now.Picture) {
		if t.filter == "" || t.by.matches(&row, t.filter) {
			t.rows = append(t.rows, row)
		}
	}
	order := t.by.order(t.sort)
	slices.SortStableFunc(t.rows, func(a, b tally.Group) int {
		if a.Others != b.Others {
			return map[bool]int{true: 1, false: -1}[a.Others]
		}
		n := order(&a, &b)
		if t.reverse {
			n = -n
		}
		if n == 0 {
			n = byWrites(&a, &b)
		}
		return n
	})
	if !t.chosen {
		t.cursor = 0
	} else if at := slices.IndexFunc(t.rows, func(row tally.Group) bool { return row.Key == t.key }); at >= 0 {
		t.cursor = at
	}
}

// sortBy sorts by a column.
func (t *groupTab) sortBy(title string, reverse bool) tea.Cmd {
	t.sort, t.reverse = title, reverse
	t.arrange()
	return nil
}

// sortNext sorts by the next of the columns that are on the screen.
func (t *groupTab) sortNext() tea.Cmd {
	columns := t.fitted()
	at := slices.IndexFunc(columns, func(c fitted[tally.Group]) bool { return c.title == t.sort })
	for i := range columns {
		if c := columns[(at+1+i)%len(columns)]; c.order != nil {
			return t.sortBy(c.title, false)
		}
	}
	return nil
}

// choose selects another group.
func (t *groupTab) choose(by int) tea.Cmd {
	t.step(by)
	if g := t.selected(); g != nil {
		t.key, t.chosen = g.Key, by != -far
	}
	return nil
}

// openWrites leads to the writes of the selected group.
func (t *groupTab) openWrites() tea.Cmd {
	g := t.selected()
	if g == nil || g.Others || t.m.opts.Filter == nil {
		return nil
	}
	text := t.by.filter(g)
	if text == "" {
		return nil
	}
	t.m.tab = t.m.writes
	return t.m.writes.apply(text)
}

// askFilter asks which groups to show.
func (t *groupTab) askFilter() tea.Cmd {
	return t.m.ask("names or reasons with: ", t.filter, func(text string) tea.Cmd {
		t.filter, t.chosen = strings.TrimSpace(text), false
		t.arrange()
		return nil
	})
}

// back undoes what was chosen, the last thing first.
func (t *groupTab) back() tea.Cmd {
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
