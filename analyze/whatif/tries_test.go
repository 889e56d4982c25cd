package whatif

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// requestsOn is what was done on a kernel: the requests, and how many of them a second.
func requestsOn(t testing.TB, path string) (n int, perSecond float64) {
	first, last, seen := uint64(math.MaxUint64), uint64(0), map[uint64]bool{}
	judged(t, path, func(o *observe.Observation, _ string) {
		seen[o.Request] = true
		first, last = min(first, o.Time), max(last, o.Time+o.LatencyNs)
	})
	return len(seen), float64(len(seen)) * 1e9 / float64(last-first)
}

// TestTries: 200 writes of io_uring into allocated blocks on a disk of 5 ms, on 6.1, which
// refuses every first try, and on 6.12, which refuses none. What is predicted from 6.1 is
// what 6.12 does, to 15 %. scripts/whatif-tries.sh records them.
func TestTries(t *testing.T) {
	for _, depth := range []int{1, 8} {
		from := filepath.Join("testdata", "tries", fmt.Sprintf("linux-6.1-depth-%d.e4d", depth))
		n, was := requestsOn(t, from)
		_, is := requestsOn(t, filepath.Join("testdata", "tries", fmt.Sprintf("linux-6.12-depth-%d.e4d", depth)))
		r := predicted(t, from, Options{Variant: model.Linux612, Seed: 1})
		t.Logf("depth %d: %.0f a second on 6.1 and %.0f on 6.12; simulated %.0f and %.0f, %.2f times", depth, was, is,
			r.Now.PerSecond.Mid, r.Then.PerSecond.Mid, r.Times())
		if r.Refused != "" || n != 200 || r.Decisions.Writes != 200 || r.Decisions.Retried != 200 || r.Decisions.count(Exclusive, Shared) != 200 {
			t.Errorf("depth %d: refused %q, %d requests: %+v", depth, r.Refused, n, r.Decisions)
		}
		for _, c := range []struct {
			what      string
			got, want float64
		}{
			{"measured", r.Measured.PerSecond.Mid, was}, {"simulated now", r.Now.PerSecond.Mid, was},
			{"simulated then", r.Then.PerSecond.Mid, is}, {"times", r.Times(), is / was},
		} {
			if math.Abs(c.got/c.want-1) > 0.15 {
				t.Errorf("depth %d: %s %.2f, and %.2f are true", depth, c.what, c.got, c.want)
			}
		}
	}
}

// TestAnyTries: of every recorded kernel with refused tries, the decisions count as many
// writes as there are requests, each once.
func TestAnyTries(t *testing.T) {
	for _, v := range model.Distinct() {
		c, tries, requests := NewCounter(model.SeriesV2), 0, map[uint64]bool{}
		judged(t, filepath.Join(traces, v.String()+".e4d"), func(o *observe.Observation, reason string) {
			tries++
			requests[o.Request] = true
			c.Add(o, reason)
		})
		d, sum := c.Decisions(), uint64(0)
		for i := range d.Cells {
			sum += d.Cells[i].Writes
		}
		if d.Writes != uint64(len(requests)) || sum != d.Writes || d.Writes+d.Retried != uint64(tries) || d.Retried == 0 {
			t.Errorf("%s: %d writes and %d refused before, %d in cells; %d requests in %d tries", v, d.Writes, d.Retried, sum, len(requests), tries)
		}
	}
}

// TestManyOpen: refused writes that nobody makes again do not pile up.
func TestManyOpen(t *testing.T) {
	var open tries
	for i := range uint64(3 * maxOpen) {
		open.put(i, opened{})
	}
	if len(open.of) != maxOpen || len(open.order) != maxOpen {
		t.Errorf("%d are kept, %d in order", len(open.of), len(open.order))
	}
	if _, ok := open.of[3*maxOpen-1]; !ok || slices.Contains(open.order, 0) {
		t.Error("not the last are kept")
	}
}

// TestOffload: a request that goes to another thread keeps its writer's others in flight,
// and one of a single writer that waits for each takes the hop and the time of the disk.
func TestOffload(t *testing.T) {
	made := func(depth int64) *window {
		w := newWindow()
		w.files, w.writers = []fileID{{dev: 1, ino: 12}}, []task{{pid: 1, comm: "made"}}
		how := way{lock: Shared, first: Shared, offload: true}
		for n := range int64(400) {
			w.steps = append(w.steps, step{
				entry: n / depth * 1_100_000, back: 5_000, hop: 100_000, done: 1_100_000, end: 1_100_000, device: 1_000_000, now: how, then: all(how),
			})
			w.writes++
		}
		return w
	}
	near(t, "one at a time", simulated(made(1), runOptions{}).perSecond(), 909)
	near(t, "four at a time", simulated(made(4), runOptions{}).perSecond(), 4*909)
	w := made(1)
	for i := range w.steps {
		w.steps[i].then[0].offload = false
	}
	near(t, "not refused any more", simulated(w, runOptions{then: true}).perSecond(), 1000)
}
