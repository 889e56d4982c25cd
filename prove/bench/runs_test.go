package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

// column makes runs of test2 whose IOPS scatter around some mean, by a part of it.
func column(t *testing.T, name string, runs int, scatter float64, mean map[int]float64, rng *rand.Rand) Column {
	t.Helper()
	var reports []*Report
	for i := range runs {
		r := &Report{Test: "test2", Kernel: "kernel " + name, BlockSize: 4096, CPUs: 2, ForNs: 3e9, Started: time.Unix(int64(i+1), 0)}
		for _, jobs := range []int{1, 4, 32} {
			if m, ok := mean[jobs]; ok {
				iops := m * math.Exp(scatter*rng.NormFloat64())
				r.Steps = append(r.Steps, Step{Jobs: jobs, Measure: Measure{Writes: int64(3 * iops), WallNs: 3e9, IOPS: iops}})
			}
		}
		reports = append(reports, r)
	}
	x, err := NewColumn(name, reports)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Runs have intervals, and what is noise is called that: the kernels differ with 4 and 32
// jobs, not with 1.
func TestRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := Comparison{
		column(t, "base", 5, 0.02, map[int]float64{1: 200, 4: 200, 32: 200}, rng),
		column(t, "patched", 4, 0.02, map[int]float64{1: 201, 4: 790, 32: 6200}, rng),
	}
	text := write(t, c, "text")
	testkit.Golden(t, "runs.txt", text)
	testkit.Golden(t, "runs.md", write(t, c, "markdown"))
	testkit.Golden(t, "runs.csv", write(t, c, "csv"))
	if strings.Count(text, NoDifference+"\n") != 1 {
		t.Errorf("%q is not said once:\n%s", NoDifference, text)
	}
}

// Where there is one run of a column, no interval is told, and no difference denied.
func TestOneRunTellsNoInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	mean := map[int]float64{1: 200}
	c := Comparison{column(t, "base", 3, 0.02, mean, rng), column(t, "patched", 1, 0.02, mean, rng)}
	g := c.intervals("test2")
	if row := fmt.Sprint(g.Rows); strings.Count(row, " - ")+strings.Count(row, " -]") != 2 {
		t.Errorf("%s", row)
	}
	if v := c.verdicts(&c[1])["test2"][1]; v != nil {
		t.Errorf("one run gives %+v", v)
	}
}

// Of 500 comparisons of a kernel with itself, six steps each, at most one in twenty finds a
// difference, and of 10 % more nearly all do.
func TestRunsOfOneKernel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	mean := map[int]float64{1: 200, 4: 400, 32: 900}
	const tries = 500
	found := func(more float64) (n int) {
		other := map[int]float64{}
		for jobs, m := range mean {
			other[jobs] = m * more
		}
		for range tries {
			c := Comparison{column(t, "a", 4, 0.02, mean, rng), column(t, "b", 4, 0.02, other, rng)}
			for _, v := range c.verdicts(&c[1])["test2"] {
				if v.differs() {
					n++
					break
				}
			}
		}
		return n
	}
	if n := found(1); n > tries/20+15 {
		t.Errorf("%d of %d comparisons of a kernel with itself find a difference", n, tries)
	}
	if n := found(1.1); n < tries*95/100 {
		t.Errorf("%d of %d comparisons find 10 %%", n, tries)
	}
}

// Runs that cannot be runs of one column are refused: of another kernel, under other
// conditions, the same one twice.
func TestNoRunsOfOneColumn(t *testing.T) {
	run := func(change func(*Report)) *Report {
		r := &Report{Test: "test1", Kernel: "7.3", BlockSize: 4096, Started: time.Unix(2, 0), Steps: []Step{{Jobs: 1, Measure: Measure{Writes: 3, WallNs: 1e9, IOPS: 3}}}}
		change(r)
		return r
	}
	first := run(func(r *Report) { r.Started = time.Unix(1, 0) })
	for want, change := range map[string]func(*Report){
		"":                     func(*Report) {},
		"runs of two kernels":  func(r *Report) { r.Kernel = "7.2" },
		"are not alike":        func(r *Report) { r.BlockSize = 1024 },
		"1970-01-01":           func(r *Report) { r.Started = first.Started.UTC() },
		"the runs of x are no": func(r *Report) { r.WritesPerJob = 9 },
	} {
		_, err := NewColumn("x", []*Report{first, run(change)})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// What was lost or wrong in any of the runs is told of the column.
func TestRunsKeepProblems(t *testing.T) {
	step := func(l Locks, wrong int64) []Step {
		return []Step{{Jobs: 1, Measure: Measure{Writes: 3, WallNs: 1e9, IOPS: 3, WrongBytes: wrong, FirstWrong: "byte 7"},
			Traced: &Traced{Measure: Measure{Writes: 3, WallNs: 1e9, IOPS: 3}, Locks: l}}}
	}
	good := &Report{Test: "test1", Steps: step(Locks{Seen: 3, Shared: 3, Losses: "none lost"}, 0)}
	bad := &Report{Test: "test1", Steps: step(Locks{Seen: 2, Exclusive: 2, Lost: 1, Unproven: true, Losses: "1 lost: ring"}, 5)}
	x, err := NewColumn("x", []*Report{good, bad})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	x.reports["test1"].problems(&b)
	for _, want := range []string{"WRONG BYTES: 5", "LOST: JOBS=1: 1 writes lost", "1 lost: ring"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if share, ok := x.reports["test1"].Steps[0].Traced.ExclusiveShare(); !ok || share != 0.4 {
		t.Errorf("exclusive %v", share)
	}
}
