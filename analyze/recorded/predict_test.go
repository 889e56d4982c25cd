package recorded

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// series is a recording with a setup of 800 writes, and 590 of six tasks behind it.
func series(t *testing.T) *tracefile.Recording {
	t.Helper()
	all, err := tracefile.OpenRecordings("../whatif/testdata/series/base/phases-3.e4d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = all[0].Close() })
	return all[0]
}

// Every write is in the answer, beside it, or left out with its phase or its time.
func TestPredictChooses(t *testing.T) {
	unaligned := func(r *export.Row) bool { return r.Unaligned.V }
	for _, c := range []struct {
		name           string
		o              PredictOptions
		writes, beside uint64
	}{
		{"the steady phase", PredictOptions{}, 590, 0},
		{"all phases", PredictOptions{Options: whatif.Options{Phase: whatif.Whole}}, 1390, 0},
		{"the setup", PredictOptions{Options: whatif.Options{Phase: 1}}, 800, 0},
		{"unaligned ones", PredictOptions{Shows: unaligned}, 590, 0},
		{"aligned ones, which are the setup", PredictOptions{Shows: func(r *export.Row) bool { return !unaligned(r) }}, 800, 0},
		{"aligned ones among all", PredictOptions{Shows: func(r *export.Row) bool { return !unaligned(r) }, Options: whatif.Options{Phase: whatif.Whole}}, 800, 590},
		{"nothing", PredictOptions{To: 1}, 0, 0},
	} {
		c.o.Traced, c.o.Variant, c.o.Seeds = "auto", model.Patch4, 1
		r, err := Predict(t.Context(), series(t), c.o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Decisions.Writes != c.writes || r.Beside != c.beside {
			t.Errorf("%s: %d writes and %d beside, want %d and %d", c.name, r.Decisions.Writes, r.Beside, c.writes, c.beside)
		}
	}
}

// A change of the program is one of the kernel that was traced.
func TestDecisionsOfAChange(t *testing.T) {
	to, err := whatif.ParseChange("prewritten")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Decisions(t.Context(), series(t), "auto", to)
	if err != nil || d.Writes != 1390 || d.Changed != 590 {
		t.Errorf("%d of %d writes, %v", d.Changed, d.Writes, err)
	}
}
