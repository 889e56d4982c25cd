package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/record"
)

// insideSamples are one that holds the lock for its I/O, and one that waits for it.
func insideSamples() []export.Inside {
	rows := exporttest.Rows()
	at := func(r export.Row, stage record.InsideStage, ago time.Duration) export.Row {
		r.Inside, r.InsideNs, r.Waits, r.WaitNs = export.Some(stage), export.Some(uint64(ago)), nil, export.Some[uint64](0)
		r.TimeNs = 1e12 - uint64(ago)
		return r
	}
	waiting := at(rows[0], record.InsideWait, 11*time.Second)
	waiting.WaitNs = export.Some[uint64](11e9)
	waiting.Waits = []observe.Wait{{Ns: 11e9, Lock: record.LockShared, Parts: []observe.Part{
		{Cause: observe.CauseHeld, Mode: record.LockExclusive, Actor: observe.Actor{Op: observe.OpWrite, Comm: "mysqld", Tid: 1203}, Ns: 11e9},
	}}}
	return []export.Inside{
		{Row: waiting, Stack: []string{"rwsem_down_read_slowpath+0x2b4/0x5d0", "ext4_file_write_iter+0x50b/0x9d0 [ext4]"}},
		{Row: at(rows[3], record.InsideIO, 12*time.Second), NoStack: "/proc/PID/task/TID/stack is for root only"},
	}
}

// They are asked for once a second while the tab is shown, and not otherwise.
func TestInsideIsAskedFor(t *testing.T) {
	asked := 0
	var failed error
	m := newModel(nil, Options{Inside: func() ([]export.Inside, error) { asked++; return insideSamples(), failed }})
	resize(m, 100, 30)
	at := func(d time.Duration) {
		s := snapshot(1)
		s.Summary.Elapsed = d
		if cmd := take(m, s); cmd != nil {
			m.Update(cmd())
		}
	}
	at(time.Second)
	if asked != 0 {
		t.Fatal("asked for while nobody looks")
	}
	press(m, "7")
	at(1500 * time.Millisecond)
	if asked != 1 || !strings.Contains(m.View().Content, "mysqld tid 1203 held it exclusive") {
		t.Fatalf("asked %d times\n%s", asked, m.View().Content)
	}
	failed = errors.New("no such map")
	at(2500 * time.Millisecond)
	if asked != 2 || !strings.Contains(m.View().Content, "no such map") {
		t.Fatalf("asked %d times\n%s", asked, m.View().Content)
	}
}

// A write that was jumped to has its holders with it, whichever writes are kept beside it.
func TestHoldersComeWithTheWrite(t *testing.T) {
	row := exporttest.Rows()[2]
	m := newModel(nil, Options{Window: func(Seek) ([]Numbered, error) { return []Numbered{{row, 77}}, nil }})
	resize(m, 120, 60)
	end := snapshot(1)
	end.Ended = true
	take(m, end)
	press(m, "4", "t", "#", "7", "7", "enter", "enter")
	if text := m.View().Content; !strings.Contains(text, "#77") || !strings.Contains(text, "#2 fio tid 1204 and 3 others held it shared") {
		t.Errorf("%s", text)
	}
}
