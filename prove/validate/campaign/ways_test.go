package campaign

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

func recording(t *testing.T) *tracefile.Recording {
	t.Helper()
	all, err := tracefile.OpenRecordings("../../../testdata/traces/linux-7.3.e4d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all[0].Close() })
	return all[0]
}

// What is seen before the variant is known counts as what comes after: the same ways, and the number of no
// write, as nothing is recorded.
func TestWays(t *testing.T) {
	var whole coverage.Coverage
	if err := recorded.Cover(t.Context(), recording(t), "linux-7.3", &whole); err != nil {
		t.Fatal(err)
	}
	want := whole.Reports()[0]
	for _, late := range []int{0, 100, 1000} { // writes that come before the variant is known
		var w ways
		n := 0
		_, err := replay.Judge(t.Context(), recording(t), "linux-7.3", func(*session.Kernel) session.Seen {
			return func(o *observe.Observation, v *judge.Verdict) {
				known := model.Linux73
				if n++; n <= late {
					known = 0
				}
				w.add(o, v, known)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		all := w.reports(model.Linux73, 0)
		if len(all) != 1 || all[0].Taken != want.Taken || all[0].Writes != want.Writes || len(w.waiting) > 0 {
			t.Fatalf("%d late: %d reports, %d ways by %d writes, want %d by %d", late, len(all), all[0].Taken, all[0].Writes, want.Taken, want.Writes)
		}
		for i, p := range all[0].Points {
			if p.First != 0 || p.Writes != want.Points[i].Writes {
				t.Errorf("%d late: %+v, want %+v", late, p, want.Points[i])
			}
		}
	}
}
