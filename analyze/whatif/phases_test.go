package whatif

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// stage is a part of a made-up trace.
type stage struct {
	writers, each int // writes of each
	lock          record.Lock
	pause         uint64 // of all before it, ns
}

// overwrite is an aligned write of a thread, which held the lock in a mode.
func overwrite(tid uint32, at, took uint64, lock record.Lock) *observe.Observation {
	o := write2()
	o.Pid, o.Tid, o.Comm, o.Dev, o.Ino = 1, tid, "made", 1, 12
	o.Time, o.LatencyNs, o.SubmitNs, o.Lock = at, took, took, lock
	o.Pos0, o.Len0 = 0, 16384
	o.Passes = o.Passes[:1]
	o.Passes[0].Lock, o.Passes[0].Pos, o.Passes[0].Count = lock, 0, 16384
	o.Request = at<<8 + uint64(tid)
	return o
}

// staged hands the writes of stages to use in the order of their ends: a writer makes one
// after the other, each takes 5 ms and a little more or less.
func staged(all []stage, use func(*observe.Observation)) {
	rng, now := rand.New(rand.NewPCG(1, 1)), uint64(1_000_000_000)
	for n, s := range all {
		now += s.pause
		next := now
		for range s.each {
			for i := range s.writers {
				took := 5_000_000 + rng.Uint64N(500_000)
				use(overwrite(uint32(100*n+i), now, took, s.lock))
				next = max(next, now+took)
			}
			now = next
		}
	}
}

// A trace is cut where its writes change, nowhere else; the steady phase is that in which
// writes meet most, however long a setup takes.
func TestPhases(t *testing.T) {
	const sh, ex = record.LockShared, record.LockExclusive
	setup, many := stage{writers: 1, each: 2000, lock: sh}, stage{writers: 7, each: 150, lock: ex}
	few, check := stage{writers: 4, each: 100, lock: sh}, stage{writers: 1, each: 100, lock: ex}
	for _, c := range []struct {
		name   string
		stages []stage
		writes []int // of the phases
		steady int
	}{
		{"one", []stage{many}, []int{1050}, 0},
		{"one writer", []stage{setup}, []int{2000}, 0},
		{"a setup", []stage{setup, many}, []int{2000, 1050}, 1},
		{"a setup of two", []stage{{writers: 2, each: 1000, lock: sh}, many}, []int{2000, 1050}, 1},
		{"a setup, a pause, and an end", []stage{setup, {writers: 7, each: 150, lock: ex, pause: 60e9}, {writers: 1, each: 200, lock: sh}}, []int{2000, 1050, 200}, 1},
		{"another kind of writes only", []stage{{writers: 4, each: 100, lock: ex}, {writers: 4, each: 300, lock: sh}}, []int{400, 1200}, 1},
		{"a pause in the middle", []stage{many, {writers: 7, each: 150, lock: ex, pause: 60e9}}, []int{2100}, 0},
		{"what takes turns", []stage{setup, few, check, few, check, few, check}, []int{2000, 1500}, 1},
		{"too short to tell", []stage{many, {writers: 1, each: 20, lock: sh}}, []int{1070}, 0},
		{"nothing", nil, nil, 0},
	} {
		var s stretches
		staged(c.stages, func(o *observe.Observation) { s.add(o, seen(o).lock) })
		phases := s.phases()
		if len(phases) != len(c.writes) {
			t.Errorf("%s: %+v", c.name, phases)
			continue
		}
		for i, p := range phases {
			// A border is right to a stretch.
			if off := p.Writes - c.writes[i]; off > s.each || off < -s.each || p.Steady != (i == c.steady) {
				t.Errorf("%s: phase %d is %+v, and %d writes are in it", c.name, i, p, c.writes[i])
			}
		}
	}
}

// However long a trace is, as much is kept of it.
func TestStretchesAreBounded(t *testing.T) {
	var s stretches
	n := 0
	staged([]stage{{writers: 1, each: 30_000, lock: record.LockShared}, {writers: 8, each: 10_000, lock: record.LockExclusive}}, func(o *observe.Observation) {
		s.add(o, seen(o).lock)
		n++
	})
	phases := s.phases()
	if len(s.all) > stretchMost || len(phases) != 2 || phases[0].Writes+phases[1].Writes != n || !phases[1].Steady || phases[1].Writers < 8 || phases[1].Writers > 9 {
		t.Errorf("%d stretches of %d writes: %+v", len(s.all), n, phases)
	}
}

// The answer is about the steady phase, names the others, and is the same as that of the
// phase alone.
func TestAnswerIsOfThePhase(t *testing.T) {
	// Seven exclusive writers, one at a time, after a setup.
	all := func(use func(*observe.Observation)) {
		staged([]stage{{writers: 1, each: 1000, lock: record.LockShared}}, use)
		for n := range uint64(900) {
			o := overwrite(200+uint32(n%7), 20e9+n*5_000_000, 35_000_000, record.LockExclusive)
			o.WaitNs, o.Waits = 30_000_000, []observe.Wait{{AtUs: 30_000, Ns: 30_000_000}}
			o.Passes[0].AtUs, o.Mappings[0].AtUs = 30_000, 30_000
			o.Mappings = o.Mappings[:1]
			use(o)
		}
	}
	first := New(Options{Variant: model.Patch4, Seed: 1})
	all(func(o *observe.Observation) { first.Add(o, "made") })
	p, err := first.Narrow()
	if err != nil || p == nil {
		t.Fatalf("not narrowed: %v", err)
	}
	all(func(o *observe.Observation) { p.Add(o, "made") })
	r, err := p.Predict(context.Background(), Trace{Began: 1_000_000_000})
	if err != nil {
		t.Fatal(err)
	}
	if r.Decisions.Writes != 900 || len(r.Phases) != 2 || r.Phases[0].Answered || !r.Phases[1].Answered || r.Phases[0].From != 0 {
		t.Errorf("%d writes, %+v", r.Decisions.Writes, r.Phases)
	}
	near(t, "times", r.Times(), 7)
	for _, said := range []string{"all of the exclusive writes would be shared: about 7.", "This is of the steady phase", "with 900 writes by 7 threads from 19s on", "left out: 5.25s with 1000 writes by 1 thread before it."} {
		if !strings.Contains(r.Sentence, said) {
			t.Errorf("%q is not in %q", said, r.Sentence)
		}
	}
	for _, c := range []struct{ phase, writes int }{{1, 1000}, {Whole, 0}} {
		other := New(Options{Variant: model.Patch4, Phase: c.phase})
		other.phases = first.phases
		n, err := other.Narrow()
		if err != nil || (n == nil) != (c.writes == 0) || n != nil && n.only.Writes != c.writes {
			t.Errorf("phase %d: %+v, %v", c.phase, n, err)
		}
	}
	other := New(Options{Phase: 3})
	other.phases = first.phases
	if _, err := other.Narrow(); err == nil || !strings.Contains(err.Error(), "no phase 3: 2 were found") {
		t.Errorf("phase 3: %v", err)
	}
}

// Writes that a filter leaves out keep the lock for as long as they did, and are not counted.
func TestBeside(t *testing.T) {
	r := func(beside bool) *Report {
		p := New(Options{Variant: model.Patch4, Seed: 1})
		for n := range uint64(400) {
			o := overwrite(uint32(n%4), 1e9+n*5_000_000, 20_000_000, record.LockExclusive)
			o.WaitNs, o.Waits = 15_000_000, []observe.Wait{{AtUs: 15_000, Ns: 15_000_000}}
			o.Passes[0].AtUs, o.Mappings[0].AtUs, o.Mappings = 15_000, 15_000, o.Mappings[:1]
			switch {
			case n%4 == 0:
				p.Add(o, "made")
			case beside: // they extend the file, and stay exclusive
				o.Passes[0].ISize, o.Passes[0].IDisksize, o.ISize0 = 0, 0, 0
				p.Beside(o, "made")
			}
		}
		r, err := p.Predict(context.Background(), Trace{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	with := r(true)
	if with.Refused != "" || with.Decisions.Writes != 100 || with.Beside != 300 {
		t.Fatalf("refused %q, %d writes, %d beside", with.Refused, with.Decisions.Writes, with.Beside)
	}
	near(t, "measured", with.Measured.PerSecond.Mid, 50)
	near(t, "simulated", with.Now.PerSecond.Mid, 50)
	near(t, "shared, beside three exclusive ones", with.Then.PerSecond.Mid, 57)
	near(t, "as if they were alone", r(false).Then.PerSecond.Mid, 199)
}
