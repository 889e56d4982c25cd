package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
)

// maxRows is the number of recent writes that are kept.
const maxRows = 2000

// writesTab is the list of writes, oldest first.
type writesTab struct {
	table[Numbered]
	start  uint64 // TimeNs of the first write ever
	filter string
	match  Matcher
	window bool // of a recording: what is shown was sought, and stays
	follow bool // the newest is selected
}

func newWritesTab(m *model) *writesTab {
	t := &writesTab{table: table[Numbered]{m: m}, follow: true, start: m.opts.Start}
	t.columns = t.allColumns
	t.move = func(by int) tea.Cmd {
		cmd := t.moveWindow(by)
		if cmd == nil {
			t.step(by)
		}
		return cmd
	}
	t.open = func() tea.Cmd { return m.showOne(t) }
	return t
}

// push appends rows. The selected one stays where it is.
func (t *writesTab) push(rows []Numbered) {
	if len(rows) > 0 && t.start == 0 {
		t.start = rows[0].TimeNs
	}
	if t.window {
		return
	}
	all := append(t.rows, rows...)
	t.rows = trim(all)
	gone := len(all) - len(t.rows)
	t.cursor, t.top = t.cursor-gone, t.top-gone
}

// trim keeps the newest rows. It moves them to the front only now and then.
func trim(rows []Numbered) []Numbered {
	if len(rows) <= maxRows {
		return rows
	}
	rows = rows[len(rows)-maxRows:]
	if cap(rows) > 2*maxRows {
		return rows
	}
	return append(make([]Numbered, 0, 4*maxRows), rows...)
}

func (t *writesTab) About() about {
	var notes []string
	if t.m.paused {
		notes = append(notes, fmt.Sprintf("PAUSED, %d more", t.m.waiting()))
	}
	if t.filter != "" {
		notes = append(notes, "filter: "+t.filter)
	}
	switch newer := len(t.rows) - 1 - t.cursor; {
	case t.window && len(t.rows) > 0:
		notes = append(notes, fmt.Sprintf("writes %d to %d", t.rows[0].Number, t.rows[len(t.rows)-1].Number))
	case !t.follow && newer > 0:
		notes = append(notes, fmt.Sprintf("HELD, %d newer", newer))
	}
	return about{name: "Writes", note: strings.Join(notes, "  "), bandFrom: roomForGraphs}
}

// Update takes in writes. Those of a recording are shown from its first on.
func (t *writesTab) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case Snapshot:
		t.push(msg.Rows)
	case enteredMsg:
		if t.seeks() && !t.window {
			return t.seek(Seek{At: 1, ByNumber: true})
		}
	case soughtMsg:
		t.sought(msg)
	}
	return nil
}

func (t *writesTab) Fit(l layout) {
	if t.follow {
		t.cursor = len(t.rows) - 1
	}
	t.table.Fit(l)
}

func (t *writesTab) Keys() keys {
	k := &t.m.keys
	return t.keys([]key.Binding{k.Quit, k.Help, k.Open, k.Filter, k.Pause, k.Next, k.GoTo, k.Back, k.Record},
		keyed{k.Left, t.shiftBy(-1)}, keyed{k.Right, t.shiftBy(1)}, keyed{k.Filter, t.askFilter}, keyed{k.Back, t.back})
}

// View draws the list.
func (t *writesTab) View() []string {
	if t.filter != "" {
		return t.draw("no write passed the filter yet (esc: all writes)")
	}
	return t.draw(t.m.nothingYet())
}

// step selects another write; the newest is followed from then on.
func (t *writesTab) step(by int) {
	if len(t.rows) > 0 {
		t.table.step(by)
		t.follow = t.cursor == len(t.rows)-1 && !t.window
	}
}

// write implements writeSource.
func (t *writesTab) write() (Numbered, bool) {
	if r := t.selected(); r != nil {
		return Numbered{r.Row.Clone(), r.Number}, true
	}
	return Numbered{}, false
}

// back undoes what was chosen, the last thing first.
func (t *writesTab) back() tea.Cmd {
	if t.filter != "" {
		return t.apply("")
	}
	t.shift = 0
	t.step(far)
	return nil
}

// askFilter asks which writes to show.
func (t *writesTab) askFilter() tea.Cmd {
	if t.m.opts.Filter == nil {
		return nil
	}
	label := "filter (lock=exclusive verdict!=agree pos>1m comm~mysqld): "
	if t.m.width < 100 {
		label = "filter: "
	}
	return t.m.ask(label, strings.TrimLeft(t.filter+" ", " "), t.apply)
}

// apply shows only the writes that a filter lets through; "" is all of them.
func (t *writesTab) apply(text string) tea.Cmd {
	o := &t.m.opts
	if o.Filter == nil {
		return nil
	}
	var match Matcher
	if text = strings.TrimSpace(text); text != "" {
		var err error
		if match, err = o.Filter(text); err != nil {
			t.m.say("", err)
			return nil
		}
	}
	if o.SetFilter != nil {
		o.SetFilter(match)
	}
	t.filter, t.match = text, match
	kept := t.rows
	t.rows, t.cursor, t.top = nil, 0, 0
	for i := range kept {
		if match == nil || match.Match(&kept[i].Row) {
			t.rows = append(t.rows, kept[i])
		}
	}
	t.follow = !t.window
	if t.seeks() {
		return t.seek(Seek{At: 1, ByNumber: true})
	}
	return nil
}

// last is the rank of a column that tells least.
const last = 16

func (t *writesTab) allColumns() []column[Numbered] {
	s := &t.m.styles
	col := func(c export.Col, width, rank int) column[Numbered] {
		return column[Numbered]{title: title(c), width: width, rank: rank, cell: func(r *Numbered, width int) (string, look) {
			w := width
			if c.Width() < 0 {
				w = -width
			}
			return c.Cell(&r.Row, w), s.tone(c.Tone(&r.Row))
		}}
	}
	why := func(r *Numbered, _ int) (string, look) { return export.SafeText(r.ReasonLine()), "" }
	at := func(r *Numbered, _ int) (string, look) { return export.Since(r.TimeNs, t.start), s.dim }
	file, comm := col(export.ColFile, 11, 4), col(export.ColComm, 10, 6)
	file.grow, comm.grow = 32, 15
	if strings.Contains(t.filter, "ino=") {
		file.rank, file.grow = last, 0 // it is the same in all lines
	}
	return []column[Numbered]{
		{title: "TIME", width: -10, rank: 9, cell: at},
		col(export.ColPid, -7, 15),
		comm,
		file,
		col(export.ColPos, -9, 1),
		col(export.ColLen, -6, 2),
		col(export.ColLock, 9, 0),
		col(export.ColPasses, -4, 5),
		col(export.ColLookups, 18, 11),
		col(export.ColDrain, 5, 13),
		col(export.ColForceWait, 3, 14),
		col(export.ColZeroed, -6, 12),
		col(export.ColRet, -8, 10),
		col(export.ColWait, -6, 7),
		col(export.ColLatency, -6, 8),
		col(export.ColVerdict, 9, 0),
		{title: "WHY", width: 24, rank: 3, grow: 200, cell: why},
	}
}

// title is the head of a column of rows.
func title(c export.Col) string {
	const wide = 20
	return strings.TrimRight(c.Title(wide), " ")
}

// nothingYet says why a list is empty.
func (m *model) nothingYet() string {
	if m.now.Ended {
		return "there was no direct write on ext4"
	}
	return "waiting for direct writes on ext4 …"
}
