package whatif

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// appPairs are recordings of a program before a change, and after it, by the kernels that
// they are of: scripts/whatif-app.sh, and prove/matrix/testdata/advice for those with -before.
var appPairs = []struct {
	from, before, app, to, after string
	most                         float64 // how far off it may be, as a part
}{
	{"patch5", "zero", "align", "patch5", "zero-aligned", 0.1},
	{"patch5", "zero", "prewritten", "patch5", "zero-prewritten", 0.1},
	{"patch5", "inner", "align", "patch5", "inner-aligned", 0.1},
	{"patch5", "inner", "prewritten", "patch5", "inner-prewritten", 0.1},
	{"patch5", "append", "isize-ahead", "patch5", "append-ahead", 0.1},
	{"patch5", "append", "prewritten", "patch5", "append-prewritten", 0.1},
	{"patch5", "suid", "nosec", "patch5", "suid-off", 0.1},
	{"patch5", "nowait", "no-nowait", "patch5", "nowait-off", 0.1},
	{"patch5", "readers", "alone", "patch5", "readers-off", 0.1},
	{"base", "zero", "align", "base", "zero-aligned", 0.15},
	{"base", "zero", "prewritten", "base", "zero-prewritten", 0.1},
	{"base", "inner", "align", "base", "inner-aligned", 0.1},
	{"base", "inner", "prewritten", "base", "inner-prewritten", 0.1},
	{"base", "zero", "align", "patch5", "zero-aligned", 0.1},
	{"base", "inner", "prewritten", "patch5", "inner-prewritten", 0.1},
	{"patch5", "zeroing-before", "prewritten", "patch5", "zeroing-after", 0.1},
	{"patch5", "unaligned-unwritten-before", "align", "patch5", "unaligned-unwritten-after", 0.1},
	{"patch5", "tail-unwritten-before", "prewritten", "patch5", "tail-unwritten-after", 0.1},
	{"patch5", "extending-before", "prewritten", "patch5", "extending-after", 0.15},
	{"patch5", "nosec-before", "nosec", "patch5", "nosec-after", 0.1},
	{"patch5", "nowait-timestamps-before", "no-nowait", "patch5", "nowait-timestamps-no-nowait", 0.1},
	{"patch5", "uring-timestamps-before", "no-nowait", "patch5", "uring-timestamps-async", 0.1},
	{"patch5", "readers-beside-before", "alone", "patch5", "readers-beside-after", refused},
	{"patch5", "fallocate-beside-before", "alone", "patch5", "fallocate-beside-after", refused},
}

// refused, as the most that a prediction is off, is none at all.
const refused = 0

// TestAppPairs sets what is predicted of a change of the application beside what the changed
// program did on the same disk.
func TestAppPairs(t *testing.T) {
	dir := os.Getenv("WHATIF_APP")
	if dir == "" {
		dir = filepath.Join("testdata", "app")
	}
	kernels := map[string]model.Variant{"base": model.Base, "patch5": model.Linux73}
	t.Logf("| %-26s | %-6s | %-26s | %6s | %9s | %13s | %8s | %6s | %9s | %8s |", "program", "kernel", "change", "before", "predicted", "range", "measured", "off", "exclusive", "measured")
	for _, c := range appPairs {
		app, err := ParseApp(c.app)
		if err != nil {
			t.Fatal(err)
		}
		after := filepath.Join(dir, c.to, c.after+".e4d")
		if _, err := os.Stat(after); errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is not there", after)
			continue
		}
		o := Options{App: app, Seed: 1}
		if c.to != c.from {
			o.Variant = kernels[c.to]
		}
		r := predictedFrom(t, filepath.Join(dir, c.from, c.before+".e4d"), kernels[c.from], o)
		got := predictedFrom(t, after, 0, Options{Variant: kernels[c.to], Seed: 1}).Measured
		change := c.app
		if o.Variant != 0 {
			change += " under " + o.Variant.String()
		}
		if c.most == refused {
			t.Logf("| %-26s | %-6s | %-26s | %6.0f | %9s | %13s | %8.0f | %6s | %9s | %6.0f %% |", c.before, c.from, change, r.Measured.PerSecond.Mid,
				"refused", "", got.PerSecond.Mid, "", "", 100*got.ExclusiveShare)
			if r.Refused == "" {
				t.Errorf("%s, %s: not refused", c.before, change)
			}
			continue
		}
		then := r.Then.PerSecond
		off := then.Mid/got.PerSecond.Mid - 1
		t.Logf("| %-26s | %-6s | %-26s | %6.0f | %9.0f | %5.0f to %5.0f | %8.0f | %+4.0f %% | %7.0f %% | %6.0f %% |", c.before, c.from, change, r.Measured.PerSecond.Mid,
			then.Mid, then.Low, then.High, got.PerSecond.Mid, 100*off, 100*r.Then.ExclusiveShare, 100*got.ExclusiveShare)
		if r.Refused != "" || len(r.Marks) > 0 || math.Abs(off) > c.most || math.Abs(r.Then.ExclusiveShare-got.ExclusiveShare) > 0.1 {
			t.Errorf("%s, %s: refused %q, marks %q", c.before, change, r.Refused, r.Marks)
		}
	}
}
