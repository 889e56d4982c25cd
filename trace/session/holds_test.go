package session

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Who held the lock is told once, at its place, though the writes are judged again when the
// variant turns out to be another; who never got it is not told. A program that looks at the
// summary on the way takes nothing of that away, nor of what is said between the writes.
func TestHoldsAreToldOnce(t *testing.T) {
	k, raws := recordsOf(t, "base.e4d")
	read := record.Hold{Op: record.HoldRead, T0: 10, From: 20, To: 30, Lock: record.LockShared, Ino: 14, Comm: [16]byte{'r'}}
	never := read
	never.To = never.From
	early := slices.Clone(raws[:1])
	early = append(early, read.Append(nil), never.Append(nil))
	raws = append(early, raws[1:]...)
	raws = append(raws, read.Append(nil))
	for _, c := range []struct {
		name        string
		json, holds bool
		want        int
	}{{"all", true, true, 2}, {"some of the writes", true, false, 0}, {"text", false, true, 0}} {
		tr, err := New(k, Options{Variant: "auto"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(tr.Close)
		var out bytes.Buffer
		looked := 0
		tr.Sink = &Lines{Out: &out, JSON: c.json, Holds: c.holds}
		tr.Look = func(*export.Summary) { looked++ }
		if err := play(t, tr, &replaySource{raws: raws, n: len(raws)}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), `{"kind":"hold","time_ns":10,"from_ns":20,`); n != c.want || n != strings.Count(out.String(), `"hold"`) {
			t.Errorf("%s: %d lines of holds, want %d", c.name, n, c.want)
		}
		if looked == 0 || !strings.Contains(out.String(), "the totals are corrected") {
			t.Errorf("%s: looked at %d times:\n%.500s", c.name, looked, &out)
		}
	}
}
