package whatif

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// judged hands all writes of a trace to use, with the reason for their lock.
func judged(t testing.TB, path string, use func(o *observe.Observation, reason string)) {
	t.Helper()
	eachOf(t, path, use, nil)
}

// eachOf is judged, and hands to held who else held i_rwsem. It returns which of them are
// recorded.
func eachOf(t testing.TB, path string, use func(o *observe.Observation, reason string), held func(*observe.Hold)) string {
	t.Helper()
	all, err := tracefile.OpenRecordings(path)
	if err != nil {
		t.Fatal(err)
	}
	defer all[0].Close()
	var plan struct{ Holders string }
	if err := json.Unmarshal(all[0].Info().Plan, &plan); err != nil {
		t.Fatal(err)
	}
	j := judge.New(judge.Options{Seen: func(o *observe.Observation, v *judge.Verdict) { use(o, string(v.Reason)) }, Held: held})
	for {
		raw, err := all[0].Next()
		if errors.Is(err, record.ErrEnd) {
			break
		} else if errors.Is(err, record.ErrIdle) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if err := j.Feed(raw); err != nil {
			t.Fatal(err)
		}
	}
	j.Flush()
	if err := all[0].Missing(); err != nil {
		t.Fatal(err)
	}
	return plan.Holders
}

func predicted(t testing.TB, path string, o Options) *Report {
	t.Helper()
	return predictedFrom(t, path, 0, o)
}

// predictedFrom is predicted for a kernel of which the variant is known; 0 is none.
func predictedFrom(t testing.TB, path string, traced model.Variant, o Options) *Report {
	t.Helper()
	p := New(o)
	p.Traced(traced)
	holders := eachOf(t, path, p.Add, p.Hold)
	one, err := p.Narrow()
	if err != nil {
		t.Fatal(err)
	}
	if one != nil {
		p = one
		p.Traced(traced)
		eachOf(t, path, p.Add, p.Hold)
	}
	r, err := p.Predict(context.Background(), Trace{Holders: holders})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// did is what a kernel did: its locks by kinds of writes, and its throughput from the
// first write to the end of the last.
type did struct {
	locks     map[string]map[Lock]int
	perSecond float64
	exclusive float64
}

// kindOf names what tells writes of these workloads apart.
func kindOf(o *observe.Observation) string {
	unaligned, _ := o.Unaligned()
	extending, _ := o.Extending()
	return fmt.Sprintf("unaligned %v, extending %v", unaligned, extending)
}

func measuredOn(t testing.TB, path string) did {
	d := did{locks: map[string]map[Lock]int{}}
	if phased(path) {
		r := predicted(t, path, Options{Variant: model.Patch4})
		d.perSecond, d.exclusive = r.Measured.PerSecond.Mid, r.Measured.ExclusiveShare
		return d
	}
	first, last, n, ex := uint64(math.MaxUint64), uint64(0), 0, 0
	judged(t, path, func(o *observe.Observation, _ string) {
		lock := seen(o).lock
		d.add(o, lock)
		first, last = min(first, o.Time), max(last, o.Time+o.LatencyNs)
		if n++; lock == Exclusive {
			ex++
		}
	})
	d.perSecond, d.exclusive = float64(n)/float64(last-first)*1e9, float64(ex)/float64(n)
	return d
}

// phased reports whether a recording has a setup before what is compared: of it, the steady
// phase is.
func phased(path string) bool { return strings.HasPrefix(filepath.Base(path), "phases") }

func (d *did) add(o *observe.Observation, lock Lock) {
	k := kindOf(o)
	if d.locks[k] == nil {
		d.locks[k] = map[Lock]int{}
	}
	d.locks[k][lock]++
}

// TestSeries compares predictions from the kernel before the series with what the
// kernels with patches 1 to 3 and 1 to 4 did with the same writes: the locks exactly, and
// the throughput within a quarter. The recordings are from scripts/whatif-series.sh.
func TestSeries(t *testing.T) {
	dir := os.Getenv("WHATIF_SERIES")
	if dir == "" {
		dir = filepath.Join("testdata", "series")
	}
	traces, err := filepath.Glob(filepath.Join(dir, "base", "*.e4d"))
	if err != nil || len(traces) < 10 {
		t.Fatalf("%d traces, %v", len(traces), err)
	}
	t.Logf("| %-9s | %-6s | %6s | %9s | %13s | %8s | %6s | %9s | %8s |", "writes", "kernel", "before", "predicted", "range", "measured", "off", "exclusive", "measured")
	for _, path := range traces {
		name := strings.TrimSuffix(filepath.Base(path), ".e4d")
		for _, v := range []model.Variant{model.Patch3, model.Patch4} {
			compareSeries(t, dir, name, v)
		}
	}
}

func compareSeries(t *testing.T, dir, name string, v model.Variant) {
	base := filepath.Join(dir, "base", name+".e4d")
	if phased(name) && v != model.Patch4 {
		return // not recorded
	}
	r := predicted(t, base, Options{Variant: v, Seed: 1})
	got := measuredOn(t, filepath.Join(dir, v.String(), name+".e4d"))
	if r.Refused != "" || len(r.Marks) > 0 {
		t.Errorf("%s, %s: %s %v", name, v, r.Refused, r.Marks)
		return
	}
	if said := strings.Join(r.Assumptions, "\n"); strings.HasPrefix(name, "readers") && (strings.Contains(said, "not recorded") || !strings.Contains(said, " direct-read")) {
		t.Errorf("%s, %s: it assumes\n%s", name, v, said)
	}
	then := r.Then.PerSecond
	off := then.Mid/got.perSecond - 1
	t.Logf("| %-9s | %-6s | %6.0f | %9.0f | %5.0f to %5.0f | %8.0f | %+4.0f %% | %7.0f %% | %6.0f %% |", name, v, r.Measured.PerSecond.Mid,
		then.Mid, then.Low, then.High, got.perSecond, 100*off, 100*r.Then.ExclusiveShare, 100*got.exclusive)
	if phased(name) {
		comparePhases(t, name, r, got.perSecond)
		return
	}
	if math.Abs(off) > 0.25 {
		t.Errorf("%s, %s: %.0f writes a second predicted, %.0f measured", name, v, then.Mid, got.perSecond)
	}
	want := did{locks: map[string]map[Lock]int{}}
	c := NewDecider(v)
	judged(t, base, func(o *observe.Observation, _ string) {
		out := c.Decide(o)
		want.add(o, out.Lock)
	})
	for kind, locks := range got.locks {
		if len(locks) != 1 || len(want.locks[kind]) != 1 {
			t.Errorf("%s, %s: %s: locks %v predicted, %v measured", name, v, kind, want.locks[kind], locks)
		}
		for l, n := range locks {
			// The tests make as many writes on each kernel; the others last as long.
			if p := want.locks[kind][l]; p == 0 || strings.HasPrefix(name, "test") && p != n {
				t.Errorf("%s, %s: %s: %d writes %s, %d predicted", name, v, kind, n, l, p)
			}
		}
	}
}

// comparePhases: the setup is told apart to one write in a hundred, and the steady phase is
// predicted to 15 %, in writes a second and in how many times that is.
func comparePhases(t *testing.T, name string, r *Report, measured float64) {
	setup := map[string]int{"phases": 2000, "phases-2": 300, "phases-3": 800}[name]
	if len(r.Phases) != 2 || r.Phases[0].Steady || !r.Phases[1].Answered || math.Abs(float64(r.Phases[0].Writes-setup)) > float64(max(setup/100, 8)) {
		t.Errorf("%s: phases %+v, and %d writes of setup", name, r.Phases, setup)
	}
	if want := map[string]int{"phases": 1, "phases-2": 1, "phases-3": 2}[name]; r.Phases[0].Writers != want {
		t.Errorf("%s: a setup by %d threads, and %d made it", name, r.Phases[0].Writers, want)
	}
	times := measured / r.Measured.PerSecond.Mid
	if math.Abs(r.Then.PerSecond.Mid/measured-1) > 0.15 || math.Abs(r.Times()/times-1) > 0.15 {
		t.Errorf("%s: %.0f writes a second predicted, %.0f measured; %.2f times, and %.2f", name, r.Then.PerSecond.Mid, measured, r.Times(), times)
	}
	if said := fmt.Sprintf("about %.1f times the throughput", r.Times()); !strings.Contains(r.Sentence, said) || !strings.Contains(r.Sentence, "This is of the steady phase") {
		t.Errorf("%s: %q is not in %q", name, said, r.Sentence)
	}
}

// The simulation of each kernel of the series gives what that kernel did.
func TestCalibration(t *testing.T) {
	traces, err := filepath.Glob(filepath.Join("testdata", "series", "*", "*.e4d"))
	if err != nil || len(traces) < 30 {
		t.Fatalf("%d traces, %v", len(traces), err)
	}
	for _, path := range traces {
		r := predicted(t, path, Options{Variant: model.Linux73, Seed: 1})
		if r.Off > Tolerance || r.WaitsOff > Tolerance || r.Refused != "" {
			t.Errorf("%s: throughput %.3f off, waits %.3f: %s", path, r.Off, r.WaitsOff, r.Refused)
		}
	}
}

// The same seed gives the same report, another one does not.
func TestSeed(t *testing.T) {
	path := filepath.Join("testdata", "series", "base", "mixed.e4d")
	text := func(seed uint64) string {
		b, err := json.Marshal(predicted(t, path, Options{Variant: model.Patch4, Seed: seed, Jobs: []int{1, 4}}))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(string(b), fmt.Sprintf(`"seed":%d`, seed), "", 1)
	}
	first := text(1)
	if again := text(1); again != first {
		t.Error("the same seed gives two reports")
	}
	if text(2) == first {
		t.Error("two seeds give the same numbers")
	}
}
