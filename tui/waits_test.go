package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/record"
)

// held is a part of a wait for somebody.
func held(ns uint64, cause observe.Cause, mode record.Lock, op, comm string, pid uint32, others int) observe.Part {
	return observe.Part{Ns: ns, Cause: cause, Mode: mode, Others: others, Actor: observe.Actor{Op: op, Comm: comm, Pid: pid, Tid: pid}}
}

// waitRows are writes of which each waited once, for the parts given.
func waitRows(all ...[]observe.Part) []export.Row {
	rows := exporttest.Rows()
	var out []export.Row
	for i, parts := range all {
		r := rows[3*(i%2)].Clone() // table.ibd of fio and redo.log of mysqld
		w := observe.Wait{Lock: record.LockExclusive, AtUs: 5000, Parts: parts}
		for k := range parts {
			w.Ns += parts[k].Ns
		}
		r.Waits, r.WaitNs = []observe.Wait{w}, export.Some(w.Ns)
		out = append(out, r)
	}
	return out
}

const ms = 1_000_000

// waitSamples are waits for holders of all sorts.
func waitSamples() []export.Row {
	sh, ex := record.LockShared, record.LockExclusive
	return waitRows(
		[]observe.Part{held(40*ms, observe.CauseHeld, sh, "direct-read", "fio", 812, 2), {Ns: ms / 2}},
		[]observe.Part{held(12*ms, observe.CauseHeld, ex, "fallocate:punch-hole", "fstrim", 977, 0)},
		[]observe.Part{held(9*ms, observe.CauseHeld, sh, "direct-read", "fio", 812, 1), held(3*ms, observe.CauseQueued, ex, observe.OpWrite, "mysqld", 77, 0)},
		[]observe.Part{held(100_000, observe.CauseWoken, ex, observe.OpWrite, "fio", 1201, 0)},
		[]observe.Part{held(2*ms, observe.CauseHeld, ex, "truncate", "a\x1b[2J\nb", 4021, 0)},
		[]observe.Part{held(700_000, observe.CauseHeld, sh, observe.OpWrite, "fio", 1201, 3)},
	)
}

func waitsModel(t *testing.T, holders string, rows []export.Row) *model {
	t.Helper()
	m := newModel(nil, testOptions)
	resize(m, 120, 40)
	s := snapshotOf(rows, time.Second, "linux-7.3")
	s.Summary.Holders = holders
	take(m, s)
	press(m, "8")
	return m
}

// Who waited for whom: the parts of one pair are added up, what is not known has a line of
// its own, and all of it is what the header says.
func TestWaits(t *testing.T) {
	m := waitsModel(t, "auto", waitSamples())
	text := ansi.Strip(m.View().Content)
	for _, want := range []string{
		"6 waits, 67.3ms  >99% explained", "queued behind 4%", "not known <1%",
		"3 readers, fio 812 …", "fallocate:punch-hole fstrim 977 exclusive", "behind write mysqld 77 exclusive", "4 writers, fio 1201 …",
		"to be woken <1%", "woken after write fio 1201",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "3 readers") && !strings.Contains(line, "    2  49.0ms   73%") {
			t.Errorf("two waits for the readers: %q", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// An empty list says why it is empty, and what is not known never looks like nobody.
func TestWaitsThatAreNotThere(t *testing.T) {
	none := func(r export.Row) export.Row {
		r.Waits, r.WaitNs = nil, export.Some[uint64](0)
		return r
	}
	unknown := func(r export.Row) export.Row {
		r.Waits, r.WaitNs = nil, export.Opt[uint64]{}
		return r
	}
	row := exporttest.Rows()[0]
	for _, tt := range []struct {
		name    string
		holders string
		rows    []export.Row
		want    string
	}{
		{"no writes", "auto", nil, "waiting for direct writes"},
		{"no waits", "auto", []export.Row{none(row)}, "no write has waited for i_rwsem"},
		{"not recorded", "auto", []export.Row{unknown(row)}, "it is not known whether writes waited for i_rwsem"},
		{"some not recorded", "auto", []export.Row{none(row), unknown(row)}, "of 1 write it is not"},
		{"some not recorded, others waited", "auto", append(waitSamples(), unknown(row)), "of 1 write it is not known whether they waited"},
		{"no holders", "off", waitRows([]observe.Part{{Ns: ms}}), "holder not recorded"},
		{"no holders, in the header", "off", waitRows([]observe.Part{{Ns: ms}}), "are not recorded (--holders off)"},
		{"an old recording", "", waitRows([]observe.Part{{Ns: ms}}), "are not in this recording"},
		{"nobody has looked", "auto", waitRows([]observe.Part{{Ns: ms}})[:1], "0% explained"},
		{"a recording that does not say so", "", waitSamples(), "not known <1%"},
	} {
		m := waitsModel(t, tt.holders, tt.rows)
		text := ansi.Strip(m.View().Content)
		if !strings.Contains(text, tt.want) || tt.holders == "" && strings.Contains(text, "this recording") != strings.Contains(tt.want, "this recording") {
			t.Errorf("%s: %q is not shown:\n%s", tt.name, tt.want, text)
		}
	}
}

// One who stood before in the queue did not hold the lock: that is told on a narrow screen, too,
// and what he did is not cut for his name.
func TestWaitsNarrow(t *testing.T) {
	for op, want := range map[string]string{
		"buffered-write": "behind buffered kwo~ 12", "fallocate:punch-hole": "behind punch-hole k~ 12", "truncate": "behind truncate kwo~ 12",
	} {
		rows := waitRows([]observe.Part{held(ms, observe.CauseQueued, record.LockExclusive, op, "kworker/u8:0", 12, 0)})
		m := waitsModel(t, "auto", rows)
		p := m.tab.(*waitsTab).selected()
		if got := m.holderText(p, 23); got != want {
			t.Errorf("%s: %q, want %q", op, got, want)
		}
	}
}

// enter leads to the writes that waited so: not to those of another file or process, nor to
// those of the same that did not wait.
func TestWaitsOpen(t *testing.T) {
	waits := waitSamples()
	other, nobody, quick := waits[0].Clone(), waits[0].Clone(), waits[0].Clone()
	other.Ino++
	nobody.Comm = "cp"
	quick.Waits, quick.WaitNs = nil, export.Some[uint64](0)
	waits = append(waits, other, nobody, quick)
	opened := map[string]int{}
	for n := range waitsModel(t, "auto", waits).tab.(*waitsTab).rows {
		m := waitsModel(t, "auto", waits)
		for range n {
			press(m, "down")
		}
		p := *m.tab.(*waitsTab).selected()
		if press(m, "enter"); m.tab != m.writes {
			t.Fatalf("it leads to %s", m.tab.About().name)
		}
		opened[p.Op+" "+p.Waiter] += len(m.writes.rows)
		if len(m.writes.rows) == 0 {
			t.Errorf("no write of %+v, filter %q", p.BlameKey, m.writes.filter)
		}
		for i := range m.writes.rows {
			if r := &m.writes.rows[i]; r.WaitNs.V == 0 || r.Ino != p.File.Ino || r.Comm != p.Waiter {
				t.Errorf("of %+v, filter %q: write %d of %s waited %d in inode %d", p.BlameKey, m.writes.filter, r.Number, r.Comm, r.WaitNs.V, r.Ino)
			}
		}
	}
	if opened["direct-read fio"] == 0 || opened[" fio"] == 0 || opened["direct-read cp"] != 1 {
		t.Errorf("opened were %v", opened)
	}
}

// Who waits now stands above the list, and is asked for only while that is shown.
func TestWaitsNow(t *testing.T) {
	o := testOptions
	asked := 0
	o.Inside = func() ([]export.Inside, error) { asked++; return insideSamples(), nil }
	m := newModel(nil, o)
	resize(m, 80, 24)
	take(m, snapshot(1))
	if asked != 0 {
		t.Fatal("asked for while nobody looks")
	}
	press(m, "8")
	text := ansi.Strip(m.View().Content)
	if asked != 1 || !strings.Contains(text, "fio 1201 waits shared for 11.0s") {
		t.Errorf("asked %d times\n%s", asked, text)
	}
	if strings.Contains(text, "mysqld 1201 waits") {
		t.Error("one that does not wait is listed")
	}
}

// A click selects the line that it is on, whatever stands above the list.
func TestWaitsMouse(t *testing.T) {
	o := testOptions
	o.Inside = func() ([]export.Inside, error) { return insideSamples(), nil }
	m := newModel(nil, o)
	resize(m, 80, 24)
	take(m, snapshotOf(waitSamples(), time.Second, "linux-7.3"))
	press(m, "8")
	tab := m.tab.(*waitsTab)
	lines := strings.Split(ansi.Strip(m.View().Content), "\n")
	for y, line := range lines {
		switch {
		case strings.Contains(line, "punch-hole fstrim"):
			send(m, tea.MouseClickMsg{X: 5, Y: y, Button: tea.MouseLeft})
			if p := tab.selected(); p.Holder != "fstrim" {
				t.Errorf("a click selects %+v", *p)
			}
		case strings.Contains(line, "← HOLDER"):
			send(m, tea.MouseClickMsg{X: strings.Index(line, "WAITER") + 1, Y: y, Button: tea.MouseLeft})
			if tab.sort != "WAITER" {
				t.Errorf("a click on the title sorts by %s", tab.sort)
			}
			send(m, tea.MouseClickMsg{X: strings.Index(line, "FILE") + 1, Y: y - 1, Button: tea.MouseLeft})
			if tab.sort != "WAITER" {
				t.Error("a click above the list sorts")
			}
			tab.sortBy("WAITED", false)
		}
	}
}
