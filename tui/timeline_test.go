package tui

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/record"
)

// courseRow is a write that restarted: it waited for readers, and then drained.
func courseRow() export.Row {
	r := exporttest.Rows()[2].Clone()
	r.Waits = waitSamples()[0].Waits
	r.WaitNs = export.Some(r.Waits[0].Ns)
	r.Waits[0].AtUs = 40_512
	for i, us := range []uint32{7, 40_514} {
		r.Facts.Checks[i].AtUs = us
	}
	r.Mappings[0].AtUs = 41_100
	r.Zeroed = slices.Clone(r.Zeroed)
	r.Zeroed[0].AtUs, r.Zeroed[1].AtUs = 41_103, 41_107
	r.SubmitNs, r.LatencyNs = 46_300_000, export.Some[uint64](46_300_000)
	return r
}

// The parts of each write follow one another without a gap, in order, and are all of its
// time; each of its waits is among them as it was measured.
func TestTimelineIsWhole(t *testing.T) {
	rows := []export.Row{courseRow()}
	for _, trace := range []string{"linux-6.1", "linux-7.2", "linux-7.3", "series-v2"} {
		o, _ := recorded(t, trace)
		all, _ := o.Window(Seek{At: 1})
		for i := range all {
			rows = append(rows, all[i].Row)
		}
	}
	waited := 0
	for i := range rows {
		r := &rows[i]
		tl := timelineOf(r)
		if tl == nil {
			t.Errorf("row %d: nothing is known", i)
			continue
		}
		at := uint64(0)
		for _, s := range tl.all {
			switch {
			case s.letter == 0 && (s.at > tl.whole || s.ns != 0):
				t.Errorf("row %d: a moment at %d of %d", i, s.at, tl.whole)
			case s.letter != 0 && s.at != at:
				t.Errorf("row %d: %c begins at %d, the one before ended at %d", i, s.letter, s.at, at)
			}
			if s.letter != 0 {
				at = s.at + s.ns
			}
		}
		if at != tl.whole || r.LatencyNs.Known && tl.whole != max(r.LatencyNs.V, r.SubmitNs) {
			t.Errorf("row %d: the parts end at %d of %d, latency %d", i, at, tl.whole, r.LatencyNs.V)
		}
		for k := range r.Waits {
			w := &r.Waits[k]
			waited++
			if !slices.ContainsFunc(tl.all, func(s stretch) bool { return s.letter == partWait && s.ns <= w.Ns && s.ns+1000 > w.Ns }) {
				t.Errorf("row %d: no part is the wait of %d ns: %+v", i, w.Ns, tl.all)
			}
		}
	}
	if waited < 50 {
		t.Errorf("%d waits only", waited)
	}
}

// The line is as wide as the screen, and shows what took any time.
func TestTimelineBar(t *testing.T) {
	r := courseRow()
	tl := timelineOf(&r)
	for _, width := range []int{12, 40, 79, 80, 200} {
		lines := tl.bar(width, func(byte) look { return "" })
		if n := ansi.StringWidth(lines[0]); n != width {
			t.Errorf("%d cells of %d: %s", n, width, lines[0])
		}
		for _, s := range tl.all {
			if s.ns > 0 && !strings.Contains(lines[0], string(rune(s.letter))) {
				t.Errorf("width %d: %c is not seen in %s", width, s.letter, lines[0])
			}
		}
		if n := ansi.StringWidth(lines[1]); n > width {
			t.Errorf("%d cells of times below %d", n, width)
		}
	}
	if lines := tl.bar(80, func(byte) look { return "" }); strings.Count(lines[0], "W") < 60 {
		t.Errorf("40.5 of 46.3 ms are %s", lines[0])
	}
	if tl.bar(8, nil) != nil {
		t.Error("a bar in 8 cells")
	}
}

// A write of which the end was not seen has a course up to where it is known.
func TestTimelineOfWhatIsNotWhole(t *testing.T) {
	inside := insideSamples()
	for _, tt := range []struct {
		name string
		row  func() export.Row
		want string
	}{
		{"inside", func() export.Row {
			r := inside[1].Row
			r.SubmitNs = 12e9
			return r
		}, "has not returned: in its own I/O"},
		{"queued, the end was not seen", func() export.Row { return exporttest.Rows()[8] }, "returned: queued, i_rwsem released"},
		{"nothing", func() export.Row {
			r := courseRow()
			r.SubmitNs, r.LatencyNs = 0, export.Opt[uint64]{}
			return r
		}, "latency not known"},
		{"the mode is not known", func() export.Row {
			r := courseRow()
			r.Waits = []observe.Wait{{Ns: 1000, Lock: record.LockUnknown, AtUs: 30}}
			return r
		}, "wait for i_rwsem (mode not known)"},
	} {
		r := tt.row()
		d := detail{m: newModel(nil, testOptions), r: &r, width: 100}
		d.timeline()
		if text := ansi.Strip(strings.Join(d.lines, "\n")); !strings.Contains(text, tt.want) {
			t.Errorf("%s: %q is not in\n%s", tt.name, tt.want, text)
		}
	}
}

// Times are cut to microseconds: what is seen in the same one comes in its order.
func TestTimelineOrder(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(r *export.Row)
		want   string
	}{
		{"as it is", func(*export.Row) {}, "e1We2I"},
		{"the lock and the checks in one microsecond", func(r *export.Row) { r.Facts.Checks[1].AtUs = r.Waits[0].AtUs }, "e1W2I"},
		{"the wait begins in that of the first pass", func(r *export.Row) { r.Waits[0].Ns = 40_505_900 }, "e1We2I"},
		{"all in one", func(r *export.Row) {
			r.Facts.Checks[0].AtUs, r.Facts.Checks[1].AtUs, r.Waits[0].Ns, r.Waits[0].AtUs = 7, 8, 900, 8
		}, "e1W2I"},
		{"queued", func(r *export.Row) { r.Facts.Queued, r.SubmitNs = true, 42_000_000 }, "e1We2mI"},
		{"never mapped", func(r *export.Row) { r.Mappings = nil }, "e1We2"},
	} {
		r := courseRow()
		r.Facts.Checks = slices.Clone(r.Facts.Checks)
		tt.change(&r)
		got := ""
		for _, s := range timelineOf(&r).all {
			if s.letter != 0 {
				got += string(rune(s.letter))
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
