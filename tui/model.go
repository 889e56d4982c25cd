package tui

import (
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
)

// maxRows is the number of recent writes that are kept.
const maxRows = 2000

// ratePoints is the number of snapshots over which the rate is taken: a second.
const ratePoints = 10

// Options say what is shown beside the writes.
type Options struct {
	Kernel    string   // release of the running kernel
	Attached  int      // probes
	Mode      string   // how they are attached
	Missing   []string // functions that are not probed
	QuitAtEnd bool     // quit when the feed ends
	// CanSuspend says that a shell is there to continue after ctrl+z.
	CanSuspend bool
	NoColor    bool
}

// ratePoint is the number of writes at one moment.
type ratePoint struct {
	at     time.Duration
	writes uint64
}

// model is the state of the screen.
type model struct {
	opts   Options
	keys   keyMap
	styles styles
	feed   <-chan Snapshot

	width, height int // 0 before the first size is known

	rows    []export.Row // oldest first
	first   uint64       // sequence number of rows[0]
	start   uint64       // TimeNs of the first write ever
	summary export.Summary
	note    string
	ended   bool
	skipped uint64 // rows that went by too fast to be kept
	rates   []ratePoint

	paused bool
	behind []export.Row // came while paused
	late   uint64       // number of them

	follow bool
	cursor uint64 // sequence number of the selected row
	top    uint64 // sequence number of the first row shown
	shift  int    // columns skipped

	detail    bool
	one       export.Row // the write in the detail
	detailTop int
	help      bool
}

func newModel(feed <-chan Snapshot, o Options) *model {
	m := &model{opts: o, keys: newKeyMap(), styles: newStyles(), feed: feed, follow: true}
	m.keys.Suspend.SetEnabled(o.CanSuspend)
	return m
}

// end is the sequence number behind the last row.
func (m *model) end() uint64 { return m.first + uint64(len(m.rows)) }

// at is the row with a sequence number, nil when it is gone.
func (m *model) at(seq uint64) *export.Row {
	if seq < m.first || seq >= m.end() {
		return nil
	}
	return &m.rows[seq-m.first]
}

// take brings in a snapshot.
func (m *model) take(s Snapshot) {
	m.summary, m.note, m.ended = s.Summary, s.Note, s.Ended
	m.rates = append(m.rates, ratePoint{s.Summary.Elapsed, s.Summary.Totals.Writes})
	if len(m.rates) > ratePoints+1 {
		m.rates = m.rates[1:]
	}
	if len(s.Rows) > 0 && m.start == 0 {
		m.start = s.Rows[0].TimeNs
	}
	if m.paused {
		m.behind = trim(append(m.behind, s.Rows...))
		m.late += uint64(len(s.Rows)) + s.Skipped
		return
	}
	m.skipped += s.Skipped
	m.push(s.Rows)
}

// push appends rows and keeps the selection in place, or at the newest.
func (m *model) push(rows []export.Row) {
	all := append(m.rows, rows...)
	kept := trim(all)
	m.first += uint64(len(all) - len(kept))
	m.rows = kept
	m.settle()
}

// trim keeps the newest rows. It moves them to the front only now and then.
func trim(rows []export.Row) []export.Row {
	if len(rows) <= maxRows {
		return rows
	}
	rows = rows[len(rows)-maxRows:]
	if cap(rows) > 2*maxRows {
		return rows
	}
	return append(make([]export.Row, 0, 4*maxRows), rows...)
}

// settle brings cursor and top within the rows and the screen.
func (m *model) settle() {
	if len(m.rows) == 0 {
		m.cursor, m.top = m.first, m.first
		return
	}
	if m.follow || m.cursor >= m.end() {
		m.cursor = m.end() - 1
	}
	m.cursor = max(m.cursor, m.first)
	n := uint64(max(m.layout().rows, 1))
	switch {
	case m.cursor < m.top:
		m.top = m.cursor
	case m.cursor >= m.top+n:
		m.top = m.cursor - n + 1
	}
	m.top = max(m.top, m.first)
	if m.end()-m.top < n { // do not leave room below the newest
		m.top = max(m.first, m.end()-min(n, m.end()))
	}
}

// move selects another row.
func (m *model) move(by int) {
	if len(m.rows) == 0 {
		return
	}
	i := min(max(int(m.cursor-m.first)+by, 0), len(m.rows)-1)
	m.cursor = m.first + uint64(i)
	m.follow = i == len(m.rows)-1
	m.settle()
}

// setPaused stops or resumes the table. What came meanwhile is not lost.
func (m *model) setPaused(paused bool) {
	m.paused = paused
	if paused {
		return
	}
	m.skipped += m.late - uint64(len(m.behind))
	rows := m.behind
	m.behind, m.late = nil, 0
	m.push(rows)
}

// open shows everything about the selected row.
func (m *model) open() {
	if r := m.at(m.cursor); r != nil {
		m.one, m.detail, m.detailTop = r.Clone(), true, 0
	}
}

// rate is the number of writes a second, over the last second.
func (m *model) rate() float64 {
	if len(m.rates) < 2 {
		return 0
	}
	a, b := m.rates[0], m.rates[len(m.rates)-1]
	if b.at <= a.at {
		return 0
	}
	return float64(b.writes-a.writes) / (b.at - a.at).Seconds()
}
