package tui

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
)

// maxRows is the number of recent writes that are kept.
const maxRows = 2000

// writeList is the list of writes.
type writeList struct {
	rows  []Numbered // oldest first
	first uint64     // sequence number of rows[0] here, whatever their numbers
	start uint64     // TimeNs of the first write ever

	late    []Numbered // came while paused
	held    uint64     // number of them
	skipped uint64     // that went by too fast to be kept

	filter string
	match  Matcher
	window bool // of a recording: what is shown was sought, and stays
	follow bool
	cursor uint64 // sequence number of the selected row
	top    uint64 // sequence number of the first row shown
	shift  int    // columns skipped
}

// end is the sequence number behind the last row.
func (w *writeList) end() uint64 { return w.first + uint64(len(w.rows)) }

// at is the row with a sequence number, nil when it is gone.
func (w *writeList) at(seq uint64) *Numbered {
	if seq < w.first || seq >= w.end() {
		return nil
	}
	return &w.rows[seq-w.first]
}

// push appends rows and keeps the selection in place, or at the newest.
func (w *writeList) push(rows []Numbered, skipped uint64, room int) {
	if len(rows) > 0 && w.start == 0 {
		w.start = rows[0].TimeNs
	}
	if w.window {
		return
	}
	w.skipped += skipped
	all := append(w.rows, rows...)
	kept := trim(all)
	w.first += uint64(len(all) - len(kept))
	w.rows = kept
	w.settle(room)
}

// hold keeps rows until release.
func (w *writeList) hold(rows []Numbered, skipped uint64) {
	w.late = trim(append(w.late, rows...))
	w.held += uint64(len(rows)) + skipped
}

// release pushes what was held.
func (w *writeList) release(room int) {
	rows, skipped := w.late, w.held-uint64(len(w.late))
	w.late, w.held = nil, 0
	w.push(rows, skipped, room)
}

// replace shows other rows.
func (w *writeList) replace(rows []Numbered, room int) {
	w.first = w.end()
	w.rows = rows
	w.window, w.follow = true, false
	w.cursor, w.top = w.first, w.first
	w.settle(room)
}

// choose shows only the kept rows that match lets through, and remembers it.
func (w *writeList) choose(text string, match Matcher, room int) {
	w.filter, w.match = text, match
	rows := w.rows
	w.first = w.end()
	w.rows = nil
	for i := range rows {
		if match == nil || match.Match(&rows[i].Row) {
			w.rows = append(w.rows, rows[i])
		}
	}
	w.follow = !w.window
	w.cursor, w.top = w.first, w.first
	w.settle(room)
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

// settle brings cursor and top within the rows and the screen.
func (w *writeList) settle(room int) {
	if len(w.rows) == 0 {
		w.cursor, w.top = w.first, w.first
		return
	}
	if w.follow || w.cursor >= w.end() {
		w.cursor = w.end() - 1
	}
	w.cursor = max(w.cursor, w.first)
	n := uint64(max(room, 1))
	switch {
	case w.cursor < w.top:
		w.top = w.cursor
	case w.cursor >= w.top+n:
		w.top = w.cursor - n + 1
	}
	w.top = max(w.top, w.first)
	if w.end()-w.top < n { // do not leave room below the newest
		w.top = max(w.first, w.end()-min(n, w.end()))
	}
}

// move selects another row.
func (w *writeList) move(by, room int) {
	if len(w.rows) == 0 {
		return
	}
	i := min(max(int(w.cursor-w.first)+by, 0), len(w.rows)-1)
	w.cursor = w.first + uint64(i)
	w.follow = i == len(w.rows)-1 && !w.window
	w.settle(room)
}

// state says what is not as usual about the list.
func (w *writeList) state() string {
	switch {
	case w.window && len(w.rows) > 0:
		return fmt.Sprintf("writes %d to %d", w.rows[0].Number, w.rows[len(w.rows)-1].Number)
	case !w.follow && len(w.rows) > 0 && w.end()-1 > w.cursor:
		return fmt.Sprintf("HELD, %d newer", w.end()-1-w.cursor)
	}
	return ""
}

// last is the rank of a column that tells least.
const last = 16

// writeColumns are the columns of the list of writes.
func (m *model) writeColumns() []column[Numbered] {
	s := &m.styles
	col := func(c export.Col, width, rank int) column[Numbered] {
		return column[Numbered]{title: title(c), width: width, rank: rank, cell: func(r *Numbered, width int) (string, look) {
			w := width
			if c.Width() < 0 {
				w = -width
			}
			return c.Cell(&r.Row, w), m.rowLook(c, &r.Row)
		}}
	}
	why := func(r *Numbered, _ int) (string, look) { return export.SafeText(r.ReasonText()), "" }
	at := func(r *Numbered, _ int) (string, look) { return export.Since(r.TimeNs, m.writes.start), s.dim }
	file, comm := col(export.ColFile, 11, 4), col(export.ColComm, 10, 6)
	file.grow, comm.grow = 32, 15
	if strings.Contains(m.writes.filter, "ino=") {
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
	t := c.Title(wide)
	for len(t) > 0 && t[len(t)-1] == ' ' {
		t = t[:len(t)-1]
	}
	return t
}

// rowLook is the look of a cell of a row.
func (m *model) rowLook(c export.Col, r *export.Row) look {
	switch {
	case c == export.ColLock && export.Is(r.Lock, export.Exclusive), c == export.ColPasses && r.Passes.V > 1:
		return m.styles.warn
	case c == export.ColVerdict && r.Verdict.Known:
		return m.styles.verdict(r.Verdict.V)
	}
	return ""
}

// writeLines draws the list of writes.
func (m *model) writeLines(l layout) []string {
	w := &m.writes
	columns := fitColumns(m.writeColumns(), m.width, w.shift)
	lines := []string{m.styles.title.Render(drawHead(columns, "", false))}
	if len(w.rows) == 0 {
		return append(lines, m.styles.dim.Render(m.nothingYet()))
	}
	for seq := w.top; seq < w.end() && len(lines) < l.body; seq++ {
		lines = append(lines, drawRow(columns, w.at(seq), m.selectedLook(seq == w.cursor)))
	}
	return lines
}

// nothingYet says why a list is empty.
func (m *model) nothingYet() string {
	switch {
	case m.screen == onWrites && m.writes.filter != "":
		return "no write passed the filter yet (esc: all writes)"
	case m.ended:
		return "there was no direct write on ext4"
	}
	return "waiting for direct writes on ext4 …"
}

func (m *model) selectedLook(selected bool) look {
	if selected {
		return m.styles.selected
	}
	return ""
}
