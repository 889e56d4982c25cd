package coverage_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

func cover(t *testing.T, names ...string) []coverage.Report {
	t.Helper()
	return coverAs(t, "auto", names...)
}

func coverAs(t *testing.T, variant string, names ...string) []coverage.Report {
	t.Helper()
	var c coverage.Coverage
	for _, name := range names {
		in, err := tracefile.OpenRecordings(filepath.Join("../../testdata/traces", name+".e4d"))
		if err != nil {
			t.Fatal(err)
		}
		defer in[0].Close()
		if err := recorded.Cover(t.Context(), in[0], variant, &c); err != nil {
			t.Fatal(err)
		}
	}
	return c.Reports()
}

// No real write takes what no case of the model reaches: the list of what cannot be reached is
// true of every kernel that was recorded.
func TestRealWritesAreReachable(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(paths) != 10 {
		t.Fatal(paths, err)
	}
	var table strings.Builder
	table.WriteString("| --- | --: | --: | --: | --: | --: |\n")
	for _, path := range paths {
		for _, r := range cover(t, strings.TrimSuffix(filepath.Base(path), ".e4d")) {
			v, err := model.ParseVariant(r.Variant)
			if err != nil {
				t.Fatal(err)
			}
			reaches := coverage.Reaches(v)
			for i, p := range r.Points {
				if p.State == coverage.Taken && !reaches(i) {
					t.Errorf("%s: %d writes, the first of them %d, take %s: %s: %s", path, p.Writes, p.First, p.Function, p.Condition, p.Way)
				}
			}
			fmt.Fprintf(&table, "| `%s` | %d | %d | %s | %d | %d |\n", filepath.Base(path), r.Taken, r.Reachable, r.Percent(), r.Writes, r.Disagree)
			if r.Writes > 100 && r.Disagree == 0 && r.Share < 0.7 || r.Reachable < 50 {
				t.Errorf("%s: %d of %d by %d writes", path, r.Taken, r.Reachable, r.Writes)
			}
		}
	}
	testkit.Section(t, "../../docs/coverage.md", "| trace | ways taken | of | share | writes that agree | disagree |", table.String())
}

// On a kernel whose test of the tail is gone, the ways of that test are missing, which the right
// kernel took with the same writes, and the others are there.
func TestWrongKernel(t *testing.T) {
	right, wrong := cover(t, "linux-7.3"), cover(t, "wrong-tail-unchecked")
	if wrong[0].Disagree == 0 || right[0].Disagree != 0 {
		t.Errorf("%d and %d writes disagree", wrong[0].Disagree, right[0].Disagree)
	}
	disputed := false
	for _, p := range wrong[0].Points {
		disputed = disputed || p.Disputed > 0
		if p.Writes > wrong[0].Writes || p.Disputed > wrong[0].Disagree {
			t.Errorf("%+v, of %d writes that agree", p, wrong[0].Writes)
		}
	}
	if !disputed {
		t.Error("the writes that disagree are on no way")
	}
	var lost []string
	for _, p := range coverage.Compare(wrong, right)[0].Lost {
		if !strings.Contains(p.Condition, "NOWAIT gets the lock") && !strings.Contains(p.Way, "trylock") { // by chance
			lost = append(lost, p.Condition+": "+p.Way)
		}
	}
	want := []string{
		"the partial block at the tail is written: yes", "the partial block at the tail is written: no",
		"the shared lock does not do, first because: zeroing: tail not written",
	}
	if !slices.Equal(lost, want) {
		t.Errorf("lost:\n%s", strings.Join(lost, "\n"))
	}
}

// Recordings of one variant count together, others apart.
func TestTogether(t *testing.T) {
	all := cover(t, "linux-7.3", "linux-6.1", "linux-7.3")
	if len(all) != 2 || all[0].Variant != "linux-6.1" || all[1].Variant != "linux-7.3" || all[1].Writes != 2*264 || all[0].Writes != 266 {
		t.Errorf("%d reports: %s %d, %s %d", len(all), all[0].Variant, all[0].Writes, all[1].Variant, all[1].Writes)
	}
}
