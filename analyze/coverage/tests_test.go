package coverage_test

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

// A point that is missing fails, unless the share that was asked for was taken without it; one that
// is lost fails all the same. The case of the share fails exactly where the status is 1.
func TestTests(t *testing.T) {
	right, wrong := cover(t, "linux-7.3"), cover(t, "wrong-tail-unchecked")
	against := coverage.Compare(wrong, right)
	for _, c := range []struct {
		what            string
		reports         []coverage.Report
		d               coverage.Demand
		failed, skipped int
	}{
		{"49 of 61, and 11 that cannot be reached", right, coverage.Demand{}, 12, 11},
		{"enough", right, coverage.Demand{Least: "80%", Share: 0.8}, 0, 23},
		{"too little, which is a case", right, coverage.Demand{Least: "81%", Share: 0.81}, 13, 11},
		{"44 of 61, and enough", wrong, coverage.Demand{Least: "70%", Share: 0.7, Against: against}, 0, 28},
		{"enough, and five lost", wrong, coverage.Demand{Least: "70%", Share: 0.7, Against: against, NoLoss: true}, 5, 23},
		{"compared with nothing", right, coverage.Demand{Least: "70%", Share: 0.7, NoLoss: true, Blind: true}, 1, 23},
		{"nothing", nil, coverage.Demand{}, 1, 0},
	} {
		var ktap, junit strings.Builder
		if err := coverage.Tests(c.reports, &c.d).WriteKTAP(&ktap); err != nil {
			t.Fatal(err)
		}
		if err := coverage.Tests(c.reports, &c.d).WriteJUnit(&junit); err != nil {
			t.Fatal(err)
		}
		all, err := testkit.ParseKTAP(ktap.String())
		failed, skipped := 0, 0
		for _, s := range all {
			switch {
			case !s.OK:
				failed++
			case s.Skipped:
				skipped++
			}
		}
		if err != nil || failed != c.failed || skipped != c.skipped {
			t.Errorf("%s: %d failed, %d skipped, want %d and %d: %v\n%s", c.what, failed, skipped, c.failed, c.skipped, err, ktap.String())
		}
		if tests, bad, left, err := testkit.ParseJUnit(junit.String()); tests != len(all) || bad != failed || left != skipped || err != nil {
			t.Errorf("%s: JUnit XML of %d tests, %d failed, %d skipped: %v", c.what, tests, bad, left, err)
		}
	}
}

// What a wrong kernel's fault concerns stands apart from what is lost behind it, or was not reached
// by these writes: the test of the tail, and whether a partial block has to be zeroed at all.
func TestParted(t *testing.T) {
	right := cover(t, "linux-7.3")
	for name, want := range map[string]struct{ parted, lost, behind string }{
		"wrong-tail-unchecked": {
			"ext4_dio_needs_zeroing: the partial block at the tail is written",
			"the partial block at the tail is written: yes, the partial block at the tail is written: no, " +
				"the shared lock does not do, first because: zeroing: tail not written",
			"NOWAIT gets the lock at once: no, NOWAIT ends the write: -EAGAIN: i_rwsem is held: trylock fails (N1)",
		},
		"wrong-always-exclusive": {
			"ext4_dio_needs_zeroing: the partial block at the head is written, ext4_dio_needs_zeroing: the rest of a partial block has to be zeroed",
			"the partial block at the head is written: yes, the partial block at the head is written: no, " +
				"the rest of a partial block has to be zeroed: no, the shared lock does not do, first because: zeroing: head not written",
			"the partial block at the tail is written: yes, the partial block at the tail is written: no, " +
				"the shared lock does not do, first because: zeroing: tail not written, NOWAIT ends the write: -EAGAIN: needs the exclusive lock (N2)",
		},
	} {
		wrong := cover(t, name)
		d := coverage.Compare(wrong, right)[0]
		var parted, lost, behind []string
		sum := uint64(0)
		for _, p := range d.Parted {
			parted = append(parted, p.Function+": "+p.Condition)
			sum += p.Parted
		}
		for _, p := range d.Lost {
			if text := p.Condition + ": " + p.Way; p.Concerned() {
				lost = append(lost, text)
			} else {
				behind = append(behind, text)
			}
		}
		if got := strings.Join(parted, ", "); got != want.parted || sum != wrong[0].Disagree {
			t.Errorf("%s: %d of %d writes part at %s", name, sum, wrong[0].Disagree, got)
		}
		if got := strings.Join(lost, ", "); got != want.lost {
			t.Errorf("%s: lost %s", name, got)
		}
		if got := strings.Join(behind, ", "); got != want.behind {
			t.Errorf("%s: lost behind it %s", name, got)
		}
	}
	if n := len(coverage.Compare(right, right)[0].Parted); n > 0 {
		t.Errorf("a right kernel parts at %d", n)
	}
}

// A recording that is judged as another kernel's parts where the two kernels do.
func TestPartedByVariant(t *testing.T) {
	for name, want := range map[string]string{
		"series-v2": "ext4_dio_needs_zeroing: the partial block at the head is written",
		"patch4":    "file_modified: time stamps and privileges are updated",
		"base":      "ext4_overwrite_io: one mapping holds all of its blocks, ",
		"patch3":    "file_modified: time stamps and privileges are updated, ext4_dio_needs_zeroing: the partial block at the tail is written",
	} {
		var parted []string
		for _, p := range coverAs(t, "linux-7.3", name)[0].Parted() {
			parted = append(parted, p.Function+": "+p.Condition)
		}
		if got := strings.Join(parted, ", "); !strings.HasPrefix(got, want) {
			t.Errorf("%s as linux-7.3 parts at %s", name, got)
		}
	}
}
