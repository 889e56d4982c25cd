package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

// The selected write stays selected and in view while others come, and the
// newest is followed again on request.
func TestSelectionAndFollow(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	press(m, "4")
	take(m, snapshot(2))
	press(m, "up", "up")
	w := m.writes
	number := w.selected().Number
	for range 3 {
		take(m, snapshot(4))
	}
	if got := w.selected().Number; got != number || w.cursor < w.top || w.cursor >= w.top+w.room.rows {
		t.Errorf("selection moved: write %d, cursor %d, top %d; was write %d", got, w.cursor, w.top, number)
	}
	press(m, "G")
	take(m, snapshot(1))
	if w.cursor != len(w.rows)-1 {
		t.Errorf("cursor %d does not follow the newest %d", w.cursor, len(w.rows)-1)
	}
}

func TestPauseKeepsWhatComes(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	take(m, snapshot(1))
	end := uint64(len(m.writes.rows))
	press(m, "space")
	take(m, snapshot(2))
	if uint64(len(m.writes.rows)) != end || m.waiting() != 2*end || m.now.Summary.Totals.Writes != end {
		t.Fatalf("paused: %d rows, %d held, %d counted; want %d, %d, %d", len(m.writes.rows), m.waiting(), m.now.Summary.Totals.Writes, end, 2*end, end)
	}
	press(m, "space")
	if uint64(len(m.writes.rows)) != 3*end || m.waiting() != 0 || m.now.Summary.Totals.Writes != 2*end {
		t.Errorf("resumed: %d rows, %d held, %d counted; want %d, 0, %d", len(m.writes.rows), m.waiting(), m.now.Summary.Totals.Writes, 3*end, 2*end)
	}
	press(m, "space")
	for range maxRows / 10 {
		take(m, snapshot(1))
	}
	if want := maxRows / 10 * end; m.waiting() != want || len(m.pending.Rows) != maxRows {
		t.Errorf("paused for long: %d writes wait, %d of them here; want %d, %d", m.waiting(), len(m.pending.Rows), want, maxRows)
	}
}

// However many writes come, the memory stays bounded, the rows stay the newest,
// and what went by is counted.
func TestBounds(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	one := exporttest.Rows()[:1]
	const total = 10 * maxRows
	for i := range total {
		one[0].Pid = uint32(i)
		take(m, Snapshot{Rows: []Numbered{{one[0], uint64(i) + 1}}})
	}
	w := m.writes
	if len(w.rows) != maxRows || cap(w.rows) > 8*maxRows {
		t.Errorf("%d rows of %d", len(w.rows), cap(w.rows))
	}
	if last := w.rows[len(w.rows)-1].Pid; last != total-1 {
		t.Errorf("newest row is %d, want %d", last, total-1)
	}

	c := NewCollector(false, nil)
	for range batchRows + 10 {
		c.Add(&one[0], true)
	}
	if s := c.take(time.Time{}); len(s.Rows) != batchRows || s.Skipped != 10 || s.Rows[0].Number != 11 {
		t.Errorf("snapshot of %d rows from %d, %d skipped; want %d, 11, 10", len(s.Rows), s.Rows[0].Number, s.Skipped, batchRows)
	}
	if s := c.take(time.Time{}); len(s.Rows) != 0 || s.Skipped != 0 {
		t.Errorf("second snapshot has %d rows, %d skipped", len(s.Rows), s.Skipped)
	}
}

// A filter chooses among all writes that come, so that rare ones are not among those that
// went by too fast; and among those that are kept.
func TestFilterSeesAll(t *testing.T) {
	rows := exporttest.Rows()
	c := NewCollector(false, nil)
	o := testOptions
	o.SetFilter = c.SetFilter
	m := newModel(nil, o)
	resize(m, 80, 24)
	add := func(times int) {
		for range times {
			for i := range rows {
				c.Add(&rows[i], true)
			}
		}
		take(m, c.take(time.Time{}))
	}
	add(1)
	press(m, "4", "/", "v", "e", "r", "d", "i", "c", "t", "=", "u", "n", "s", "a", "f", "e", "enter")
	if n := len(m.writes.rows); n != 1 {
		t.Fatalf("%d of the kept writes are unsafe, want 1", n)
	}
	const times = 100
	if times*len(rows) < 2*batchRows {
		t.Fatal("too few writes for one snapshot to lose any")
	}
	add(times)
	if n := len(m.writes.rows); n != 1+times {
		t.Errorf("%d unsafe writes, want %d", n, 1+times)
	}
	press(m, "esc")
	if m.writes.filter != "" || c.filter != nil {
		t.Error("esc leaves the filter")
	}
}

// Where a window of a recording ends, the next one is asked for.
func TestWindow(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	s.Summary.Totals.Writes = 10_000
	var asked Seek
	o.Window = func(k Seek) ([]Numbered, error) {
		asked = k
		rows := make([]Numbered, 100)
		first := k.At
		if k.Before {
			first -= uint64(len(rows))
		}
		for i := range rows {
			rows[i] = Numbered{s.Rows[0].Row, first + uint64(i)}
		}
		return rows, nil
	}
	m := newModel(nil, o)
	resize(m, 80, 24)
	take(m, s)
	for _, step := range []struct {
		keys             string // the last one asks
		first, at, under uint64 // at the top of the list, asked for, selected
		before           bool
	}{
		{"4", 1, 1, 1, false},
		{"pgdown", 1, 0, 0, false}, {"up", 1, 0, 0, false}, // within it nothing is asked for
		{"end", 9901, 10_001, 10_000, true},
		{"down", 9901, 0, 10_000, false}, // there are no more
		{"g", 1, 1, 1, false},
		{"up", 1, 0, 1, false},
		{"t 5 0 enter", 50_000_000_000, 50_000_000_000, 50_000_000_000, false},
		{"t # 7 0 0 enter", 700, 700, 700, false},
		{"up", 600, 700, 699, true},
		{"down", 700, 700, 700, false},
		{"down", 700, 0, 701, false},
		{"wheel", 600, 700, 699, true}, // which is a notch up
	} {
		asked = Seek{}
		keys := strings.Fields(step.keys)
		press(m, keys[:len(keys)-1]...)
		if last := keys[len(keys)-1]; last == "wheel" {
			send(m, tea.MouseWheelMsg{Button: tea.MouseWheelUp})
		} else {
			press(m, last)
		}
		w := m.writes
		if asked.At != step.at || asked.Before != step.before || w.rows[0].Number != step.first || step.under != 0 && w.selected().Number != step.under {
			t.Errorf("%s asks for %+v, shows from %d, selects %d; want %+v", step.keys, asked, w.rows[0].Number, w.selected().Number, step)
		}
	}
}
