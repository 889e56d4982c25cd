package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

// advised is a snapshot with two findings.
func advised() Snapshot {
	s := snapshotOf(exporttest.Rows()[:1], time.Second, "linux-7.3")
	s.Summary.Holders = "all"
	s.Picture.Waited.Holders, s.Picture.Waited.Unseen = true, 0
	s.Summary.Advice = []export.Advice{{
		ID: "zeroing", Writes: 477, Of: 480, Files: 1, TimeLost: 4_100_000_000, TimeOf: 5_000_000_000,
		Sentence: "Writes to fallocated blocks are exclusive: 477 of 480 writes to /mnt/pages took i_rwsem exclusive; 4.1 s lost so, 82 % of the time of all writes",
		Why:      "ext4_dio_needs_zeroing finds that the block it begins in is fallocated and not written yet",
		Remedies: []string{"write the file once from begin to end before it is used, instead of fallocate or ftruncate alone", "align the writes"},
		Sure:     "the writes and the time are counted",
	}, {
		ID: "nowait-timestamps", Writes: 30, Of: 100, Files: 1, TimeOf: 5_000_000_000,
		Sentence: "NOWAIT refuses writes to update a timestamp: 30 of 100 tries to /mnt/\x1b[31mlog were refused",
		Why:      "kiocb_modified", Remedies: []string{"mount with lazytime"}, Sure: "the tries are counted",
	}}
	return s
}

// shown is what is on a screen, in one line for each of them.
func shown(m *model) string { return strings.Join(strings.Fields(ansi.Strip(m.View().Content)), " ") }

// TestAdvice: every sentence is on the screen in whole, whatever its width, and follows what
// is advised; the first stands above the other tabs.
func TestAdvice(t *testing.T) {
	for _, width := range []int{80, 140} {
		m := newModel(nil, testOptions)
		resize(m, width, 45)
		take(m, advised())
		if text := shown(m); !strings.Contains(text, "advice 82% lost: Writes to fallocated blocks") || !strings.Contains(text, "(9: all)") {
			t.Errorf("%d: the files do not have it above them:\n%s", width, text)
		}
		press(m, "9")
		text := shown(m)
		for _, a := range advised().Summary.Advice {
			a := a.Shown()
			for _, want := range append(a.Remedies, a.Sentence, a.Why, a.Sure) {
				if !strings.Contains(text, want) {
					t.Errorf("%d: %q is not shown:\n%s", width, want, text)
				}
			}
		}
		if strings.Contains(text, "(9: all)") {
			t.Errorf("%d: it is there twice:\n%s", width, text)
		}
		later := advised()
		later.Summary.Advice = later.Summary.Advice[1:]
		take(m, later)
		if text := shown(m); strings.Contains(text, "fallocated") || !strings.Contains(text, "1. NOWAIT refuses") {
			t.Errorf("%d: it is not what is advised now:\n%s", width, text)
		}
	}
}

// TestNoAdvice: that there is none is not said where it could not be seen.
func TestNoAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *Snapshot)
		want   string
	}{
		"all was seen":  {func(*Snapshot) {}, "no advice: nothing that is known"},
		"nobody looked": {func(s *Snapshot) { s.Summary.Advice = nil }, "are not looked at"},
		"no holders":    {func(s *Snapshot) { s.Picture.Waited.Holders, s.Summary.Holders = false, "off" }, "no advice so far, but holders that make no direct write are not recorded"},
		"lost":          {func(s *Snapshot) { s.Summary.Losses.LostRing = 3 }, "no advice so far, but what was lost"},
		"waits unknown": {func(s *Snapshot) { s.Picture.Waited.Unseen = 1 }, "of 1 write it is not known whether they waited"},
		"nothing yet":   {func(s *Snapshot) { s.Summary.Totals.Writes = 0 }, "no direct write"},
	} {
		m := newModel(nil, testOptions)
		resize(m, 140, 45)
		s := advised()
		s.Summary.Advice = []export.Advice{}
		c.change(&s)
		take(m, s)
		press(m, "9")
		if text := shown(m); !strings.Contains(text, c.want) || strings.Contains(text, "lost:") {
			t.Errorf("%s: %q is not in:\n%s", name, c.want, text)
		}
	}
}
