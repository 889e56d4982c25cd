package whatif

import (
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// made is a window of writers of 100 writes each, which take 1 ms and wait 10 us between.
func made(ways ...way) *window {
	w := newWindow()
	w.files = []fileID{{dev: 1, ino: 12}}
	for i, how := range ways {
		w.writers = append(w.writers, task{pid: 1, comm: "made"})
		for n := range int64(100) {
			w.steps = append(w.steps, step{
				entry: n * 1_010_000, done: 1_000_000, end: 1_000_000, device: 1_000_000, tail: 1_000_000,
				writer: int32(i), now: how, then: all(how),
			})
			w.writes++
		}
	}
	return w
}

// all is the same way under each change.
func all(how way) (w ways) {
	for i := range w {
		w[i] = how
	}
	return w
}

func simulated(w *window, o runOptions) *tally {
	sc := newScene(w)
	return newSim(sc, o).run(sc.to-sc.from, 1<<20)
}

// near checks a number to 5 %.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got < want*0.95-0.001 || got > want*1.05+0.001 {
		t.Errorf("%s: %.1f, want %.1f", what, got, want)
	}
}

func TestLocks(t *testing.T) {
	ex, sh := way{lock: Exclusive, first: Shared}, way{lock: Shared, first: Shared}
	for _, c := range []struct {
		name string
		ways []way
		rate float64 // writes a second
	}{
		{"one", []way{ex}, 990},
		{"four exclusive", []way{ex, ex, ex, ex}, 1000},
		{"four shared", []way{sh, sh, sh, sh}, 3960},
		// A turn of the exclusive one, then one of the three others together.
		{"three shared beside an exclusive one", []way{sh, sh, sh, ex}, 2000},
		{"refused", []way{{lock: Refused}}, 100_000},
	} {
		near(t, c.name, simulated(made(c.ways...), runOptions{}).perSecond(), c.rate)
	}
}

// A write that restarts holds the lock shared for its checks only.
func TestRestart(t *testing.T) {
	again := way{lock: Exclusive, first: Shared, again: true}
	out := simulated(made(again, again), runOptions{wakeNs: wakeMid})
	near(t, "rate", out.perSecond(), 970)
	near(t, "exclusive", float64(out.exclusive), float64(out.writes))
}

// Queued writes give the lock back before their I/O is complete; a drain waits for it.
func TestQueued(t *testing.T) {
	queued := way{lock: Exclusive, first: Shared, queued: true}
	w := made(queued, queued)
	for i := range w.steps {
		w.steps[i].done, w.steps[i].tail = 1000, 1000
	}
	near(t, "queued", simulated(w, runOptions{}).perSecond(), 1980)
	for i := range w.steps {
		if w.steps[i].writer == 1 {
			w.steps[i].now = way{lock: Exclusive, first: Shared, drain: true}
		}
	}
	// The one that drains waits for what is in flight, and then holds the lock.
	near(t, "drain", simulated(w, runOptions{}).perSecond(), 1000)
}

func TestRwsem(t *testing.T) {
	var l rwsem
	for range 2 {
		if !l.take(false) {
			t.Error("readers do not share")
		}
	}
	if l.take(true) {
		t.Error("a writer shares")
	}
	l.queue = []waiter{{write: true}}
	if l.take(false) {
		t.Error("a reader goes over the head of a writer that waits")
	}
	l.drop(false)
	l.drop(false)
	if !l.take(true) {
		t.Error("a free lock is not taken before the woken writer is there")
	}
	l.drop(true)
	if l.handoff = true; l.take(false) {
		t.Error("a lock that was promised to the head is taken")
	}
}

// I/O that took longer with more in flight goes on so.
func TestDisk(t *testing.T) {
	w := made(way{lock: Shared}, way{lock: Shared}, way{lock: Shared}, way{lock: Shared})
	var d disk
	d.learn(w)
	near(t, "constant", d.scale(32, 1), 1)
	for i := range w.steps {
		s := &w.steps[i]
		s.entry += int64(i) * 10_000_000
		s.device = 1_000_000
	}
	for i := range 100 { // pairs that are together, and take twice as long
		a, b := &w.steps[i], &w.steps[100+i]
		b.entry = a.entry
		a.device, a.end, b.device, b.end = 2_000_000, 2_000_000, 2_000_000, 2_000_000
	}
	d = disk{}
	d.learn(w)
	if d.scale(8, 1) < 2 {
		t.Errorf("I/O does not take longer with more in flight: %+v", d)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	for ns := int64(1); ns <= 1_000_000; ns += 7 {
		if i := slot(ns); lower(i) > ns || i+1 < histoSlots && lower(i+1) <= ns {
			t.Fatalf("%d ns are in a slot from %d to %d", ns, lower(i), lower(i+1))
		}
		h.add(ns)
	}
	near(t, "p50", float64(h.quantile(0.5)), 500_000)
	near(t, "p99", float64(h.quantile(0.99)), 990_000)
}

// What is lost, incomplete or not whole is said, and refused where it is much.
func TestDoubts(t *testing.T) {
	path := filepath.Join("testdata", "series", "base", "test1-4.e4d")
	for _, c := range []struct {
		name    string
		spoil   func(*observe.Observation, int)
		losses  record.Losses
		missing string
		marked  string
		refused bool
	}{
		{"whole", nil, record.Losses{}, "", "", false},
		{"one lost", nil, record.Losses{Counters: record.Counters{LostRing: 1}}, "", "1 writes are lost", false},
		{"many lost", nil, record.Losses{Counters: record.Counters{LostRing: 100}}, "", "100 writes are lost", true},
		{"probes skipped", nil, record.Losses{MissedInner: 1}, "", "skipped", false},
		{"a holder lost", nil, record.Losses{Counters: record.Counters{LostHold: 1}}, "", "1 others held i_rwsem and are lost", true},
		{"torn", nil, record.Losses{}, "the recording was not closed", "not closed", false},
		{"incomplete", func(o *observe.Observation, n int) {
			if n%10 == 0 {
				o.Incomplete = "return not seen"
			}
		}, record.Losses{}, "", "26 writes are incomplete", true},
		{"undecided", func(o *observe.Observation, n int) {
			o.Passes[0].Lookups, o.Mappings = nil, nil
			o.Passes[0].Pos, o.Passes[0].Align = o.Pos0+512, 512
			o.Pos0 += 512
		}, record.Losses{}, "", "undecided", true},
	} {
		p, n := New(Options{Variant: model.Patch4}), 0
		judged(t, path, func(o *observe.Observation, why string) {
			if c.spoil != nil {
				o = o.Clone()
				c.spoil(o, n)
			}
			n++
			p.Add(o, why)
		})
		r, err := p.Predict(context.Background(), Trace{Losses: c.losses, Missing: c.missing})
		if err != nil {
			t.Fatal(err)
		}
		if marks := strings.Join(r.Marks, "; "); !strings.Contains(marks, c.marked) || (c.marked == "") != (marks == "") || (r.Refused != "") != c.refused {
			t.Errorf("%s: marked %q, refused %q", c.name, marks, r.Refused)
		}
		if r.Proven() != (c.marked == "") {
			t.Errorf("%s: proven %v", c.name, r.Proven())
		}
	}
}

// Waits that the recorded writes do not explain are not predicted.
func TestUnexplained(t *testing.T) {
	w := made(way{lock: Shared}, way{lock: Shared})
	for i := range w.steps {
		w.steps[i].waited, w.steps[i].device = 500_000, 500_000
	}
	p := New(Options{Variant: model.Patch4})
	r := &Report{}
	if err := p.calibrate(context.Background(), r, []*scene{newScene(w)}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Refused, "others held i_rwsem") {
		t.Errorf("refused: %q", r.Refused)
	}
}

// Tasks that pause together are simulated as if they did not.
func TestPauses(t *testing.T) {
	ex := way{lock: Exclusive, first: Shared}
	w := made(ex, ex)
	for i := range w.steps {
		if i%100 >= 50 {
			w.steps[i].entry += 5_000_000_000
		}
	}
	sc := newScene(w)
	if sc.cut < 4_900_000_000 || sc.cut > 5_100_000_000 {
		t.Errorf("%d ns are left out", sc.cut)
	}
	near(t, "rate", newSim(sc, runOptions{}).run(sc.to-sc.from, 1<<20).perSecond(), 1000)
}

// BenchmarkMillion takes a trace of a million writes, from its observations to the
// report, and tells the memory that it holds at the end.
func BenchmarkMillion(b *testing.B) {
	var all []*observe.Observation
	var whys []string
	judged(b, filepath.Join("testdata", "series", "base", "mixed.e4d"), func(o *observe.Observation, why string) {
		all, whys = append(all, o.Clone()), append(whys, why)
	})
	long := all[len(all)-1].Time - all[0].Time + 10_000_000
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		p := New(Options{Variant: model.Patch4})
		for n := range 1_000_000 {
			o := all[n%len(all)]
			was := o.Time
			o.Time += uint64(n/len(all)) * long
			p.Add(o, whys[n%len(all)])
			o.Time = was
		}
		if r, err := p.Predict(context.Background(), Trace{}); err != nil || r.Refused != "" {
			b.Fatal(err, r.Refused)
		}
		runtime.ReadMemStats(&after)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
}
