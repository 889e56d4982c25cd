package tracefile

import (
	"bytes"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// A write is in doubt when a probe was skipped between the last reading before it and
// the first behind it, in whatever part that was.
func TestDoubt(t *testing.T) {
	var files [2]bytes.Buffer
	info := &Info{ID: "x"}
	w, err := NewWriter(&files[0], info)
	if err != nil {
		t.Fatal(err)
	}
	missed := func(n uint64) *record.Losses { return &record.Losses{MissedInner: n} }
	for _, m := range []struct{ from, to, n uint64 }{{100, 110, 0}, {200, 210, 3}, {300, 310, 3}, {400, 410, 3}, {500, 510, 4}, {600, 610, 4}} {
		if m.from == 400 {
			if w, err = w.Next(&files[1], info, missed(3)); err != nil {
				t.Fatal(err)
			}
		}
		w.Name(record.NameID{FileID: record.FileID{Dev: 1, Ino: m.from}}, "/names/do/not/matter")
		w.LossesRead(m.from, m.to)
		if err := w.Mark(missed(m.n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(missed(4)); err != nil {
		t.Fatal(err)
	}
	var all []*Recording
	for i := range files {
		r, err := openBytes(t, files[i].Bytes())
		if err == nil {
			all, err = insert(all, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		from, to uint64
		want     bool
	}{
		{10, 90, false}, {10, 105, true}, {110, 150, true}, {150, 205, true}, {205, 220, true}, {210, 220, false}, {250, 290, false},
		{350, 390, false}, {220, 450, true}, {420, 430, true}, {410, 411, true}, {510, 520, false}, {610, 700, false}, {10, 700, true},
	} {
		if got := all[0].Doubt(c.from, c.to); got != c.want {
			t.Errorf("from %d to %d: in doubt %v, want %v", c.from, c.to, got, c.want)
		}
	}
}
