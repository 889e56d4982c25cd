package tui

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// errNoWrites says that nothing lies where it was looked for.
var errNoWrites = errors.New("there are no such writes")

// soughtMsg is a window of a recording that was asked for.
type soughtMsg struct {
	rows []Numbered
	end  bool // select the last of them
	err  error
}

// moveWindow asks for other writes of a recording where those that are here end.
func (t *writesTab) moveWindow(by int) tea.Cmd {
	total := t.m.now.Summary.Totals.Writes + t.m.now.Summary.Totals.Unreturned
	if !t.seeks() || len(t.rows) == 0 {
		return nil
	}
	first, last := t.rows[0].Number, t.rows[len(t.rows)-1].Number
	at := t.cursor + by
	switch {
	case by == -far && first > 1:
		return t.seek(Seek{At: 1, ByNumber: true})
	case by == far && last < total:
		return t.seek(Seek{At: total + 1, ByNumber: true, Before: true})
	case by != -far && at < 0 && first > 1:
		return t.seek(Seek{At: first, ByNumber: true, Before: true})
	case by != far && at >= len(t.rows) && last < total:
		return t.seek(Seek{At: last + 1, ByNumber: true})
	}
	return nil
}

// seeks reports whether parts of a recording can be had.
func (t *writesTab) seeks() bool { return t.m.opts.Window != nil && t.m.now.Ended }

// seek asks for writes of a recording that the filter lets through.
func (t *writesTab) seek(s Seek) tea.Cmd {
	window := t.m.opts.Window
	s.Match, s.N = t.match, maxRows
	t.m.say("looking …", nil)
	return func() tea.Msg {
		rows, err := window(s)
		return soughtMsg{rows, s.Before, err}
	}
}

// sought shows a window of a recording.
func (t *writesTab) sought(msg soughtMsg) {
	t.m.say("", msg.err)
	switch {
	case msg.err != nil:
	case len(msg.rows) == 0:
		t.m.say("", errNoWrites)
	default:
		t.rows, t.cursor, t.top = msg.rows, 0, 0
		t.window, t.follow = true, false
		if msg.end {
			t.step(far)
		}
	}
}

// askTime asks for the place of a recording to go to.
func (t *writesTab) askTime() tea.Cmd {
	return t.m.ask("go to time (12.5s) or write (#1000): ", "", func(text string) tea.Cmd {
		to, err := parsePlace(text)
		if err != nil {
			t.m.say("", err)
			return nil
		}
		t.m.tab = t
		return t.seek(to)
	})
}

// parsePlace reads a time since the start of a recording, or the number of a write.
func parsePlace(text string) (Seek, error) {
	text = strings.TrimSpace(text)
	if number, ok := strings.CutPrefix(text, "#"); ok {
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || n == 0 {
			return Seek{}, fmt.Errorf("%q is no write: give its number, such as #1000", text)
		}
		return Seek{At: n, ByNumber: true}, nil
	}
	d, err := time.ParseDuration(text)
	if seconds, err2 := strconv.ParseFloat(text, 64); err != nil && err2 == nil {
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || d < 0 {
		return Seek{}, fmt.Errorf("%q is no time since the start: give one such as 12.5s", text)
	}
	return Seek{At: uint64(d)}, nil
}
