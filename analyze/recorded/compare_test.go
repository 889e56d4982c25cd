package recorded

import (
	"math"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/compare"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// side reads a recording of the package compare.
func side(t *testing.T, path string, choose func(*export.Row) compare.Choice) *compare.Side {
	t.Helper()
	all, err := tracefile.OpenRecordings(path)
	if err != nil {
		t.Fatal(err)
	}
	defer all[0].Close()
	s, err := Side(t.Context(), all[0], path[strings.LastIndexByte(path, '/')+1:], "auto", choose)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compared(t *testing.T, a, b string) *compare.Report {
	return comparedOf(t, a, b, func(*export.Row) compare.Choice { return compare.Chosen })
}

func comparedOf(t *testing.T, a, b string, choose func(*export.Row) compare.Choice) *compare.Report {
	return compare.Compare(side(t, a, choose), side(t, b, choose), compare.Options{Level: 0.95, Least: 0.05, Seed: 1})
}

const compareData = "../compare/testdata/"

// The second test of the series with eight writers, on Debian's 7.2 and 7.3 and on a disk on
// which each request takes 5 ms: the lock becomes shared, and eight writers are eight times as
// fast.
func TestCompareSeries(t *testing.T) {
	r := compared(t, compareData+"test2-7.2.e4d", compareData+"test2-7.3.e4d")
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "compare-series.txt", b.String())
	if want := "exclusive 100 % to 0 %, throughput ×"; !strings.HasPrefix(r.Sentence(), want) || !r.Proven() {
		t.Errorf("%q, proven %v, want %q", r.Sentence(), r.Proven(), want)
	}
	for _, c := range r.Pairs[0].Changes {
		if c.Name == "throughput" && (c.Low > 8 || c.High < 7.9 || math.IsNaN(c.Low)) {
			t.Errorf("throughput ×%v, %v to %v", c.Diff, c.Low, c.High)
		}
	}
}

// Two recordings of one kernel in which three classes of writes queue for one lock. In the
// first one the writer that zeroes waited twice as long all the time, which is the order in
// which they happened to queue, and no change.
func TestCompareQueue(t *testing.T) {
	r := compared(t, compareData+"queue-1.e4d", compareData+"queue-2.e4d")
	if !strings.HasPrefix(r.Sentence(), "no significant change in 3 classes, ") || r.Tests < 10 || !r.Proven() {
		t.Errorf("%d tests: %s", r.Tests, r.Sentence())
	}
}

// It is none either where a filter leaves the other classes out: they queued all the same.
func TestCompareQueueOfOneClass(t *testing.T) {
	r := comparedOf(t, compareData+"queue-1.e4d", compareData+"queue-2.e4d", func(r *export.Row) compare.Choice {
		if r.Unaligned.V {
			return compare.Chosen
		}
		return compare.Beside
	})
	if !strings.HasPrefix(r.Sentence(), "no significant change in 1 class, 100 and 197 writes; ") {
		t.Error(r.Sentence())
	}
}

// A recording compared with itself, for each of the traces: the same numbers on both sides,
// and nothing changed.
func TestCompareWithItself(t *testing.T) {
	for _, name := range []string{"linux-6.1", "linux-7.3", "wrong-always-exclusive"} {
		path := "../../testdata/traces/" + name + ".e4d"
		r := compared(t, path, path)
		if r.Changed() || len(r.OnlyA)+len(r.OnlyB) > 0 || len(r.Pairs) < 2 {
			t.Errorf("%s: %s, %d only in A, %d only in B", name, r.Sentence(), len(r.OnlyA), len(r.OnlyB))
		}
		for _, p := range r.Pairs {
			for _, c := range p.Changes {
				if c.A != c.B && !math.IsNaN(c.A) {
					t.Errorf("%s, %s: %s %v and %v", name, p.Title(), c.Name, c.A, c.B)
				}
			}
		}
	}
}
