package whatif

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const ms = 1_000_000

// turns is a window of 200 turns of 2 ms: in the first half of each, writers write in a
// mode, in the other somebody else has the lock. Everybody is back in the queue 0.1 ms
// after it was his turn.
func turns(writers int, how Lock, kind record.HoldOp, op string, mode record.Lock) *window {
	w := newWindow()
	w.files, w.fileOf[fileID{1, 12, 0}] = []fileID{{dev: 1, ino: 12}}, 0
	for i := range writers {
		w.writers, w.taskOf[uint32(i)] = append(w.writers, task{pid: 1, comm: "made"}), int32(i)
	}
	const queue = ms - 100_000
	for n := range int64(200) {
		for i := range writers {
			w.steps = append(w.steps, step{
				entry: (2*n+2)*ms - queue, pre: 0, queue: queue, waited: queue, locked: queue, done: ms + queue, end: ms + queue,
				device: ms, writer: int32(i), now: way{lock: how, first: how}, then: all(way{lock: how, first: how}),
			})
			w.writes++
		}
		w.hold(&observe.Hold{
			Actor: observe.Actor{Op: op, Comm: "other", Pid: 2, Tid: 1000}, Kind: kind, Dev: 1, Ino: 12, Mode: mode,
			Time: uint64((2*n+3)*ms - queue), QueuedNs: queue, From: uint64(2*n+3) * ms, To: uint64(2*n+4) * ms,
		})
	}
	return w
}

func readerTurns() *window {
	return turns(1, Exclusive, record.HoldRead, "direct-read", record.LockShared)
}

func fallocateTurns() *window {
	return turns(3, Shared, record.HoldFallocate, "fallocate:zero-range", record.LockExclusive)
}

// alone leaves out all who make no write.
func alone(w *window) *window {
	w.steps = slices.DeleteFunc(w.steps, func(s step) bool { return s.part != aWrite })
	return w
}

// What was traced, with who held the lock besides writes, is what its simulation gives; the
// writes alone do not tell why they waited for those who exclude shared ones.
func TestHoldsReproduce(t *testing.T) {
	for _, c := range []struct {
		name    string
		w       *window
		rate    float64
		refused bool
	}{
		{"an appending writer and a reader", readerTurns(), 500, false},
		{"shared writers and fallocate", fallocateTurns(), 1500, false},
		{"shared writers, and nobody is known to have held the lock", alone(fallocateTurns()), 2727, true},
	} {
		p, r := New(Options{Variant: model.Patch4}), &Report{}
		if err := p.calibrate(context.Background(), r, []*scene{newScene(c.w)}); err != nil {
			t.Fatal(err)
		}
		near(t, c.name, r.Now.PerSecond.Mid, c.rate)
		if (r.Refused != "") != c.refused || !c.refused && (r.Off > 0.05 || r.WaitsOff > 0.05) {
			t.Errorf("%s: %.3f and %.3f off, refused %q", c.name, r.Off, r.WaitsOff, r.Refused)
		}
	}
}

// Who held the lock takes his turns beside other writers, too, whatever their number.
func TestHoldsTakeTurns(t *testing.T) {
	run := func(w *window, then Lock, writers int) float64 {
		for i := range w.steps {
			if st := &w.steps[i]; st.part == aWrite {
				st.then = all(way{lock: then, first: then})
			}
		}
		return simulated(w, runOptions{then: true, writers: writers, seed: 1}).perSecond()
	}
	near(t, "four appending writers and one reader", run(readerTurns(), Exclusive, 4), 800)
	near(t, "four writers that share the lock with the reader", run(readerTurns(), Shared, 4), 3636)
	near(t, "six shared writers and fallocate", run(fallocateTurns(), Shared, 6), 3000)
	near(t, "three exclusive writers and fallocate", run(fallocateTurns(), Exclusive, 0), 750)
}

// An operation that drains waits for the writes that are in flight in the simulation: of
// one queued at a time, which takes 1 ms, and fallocate 0.5 ms after it was through the
// last time.
func TestHoldsDrain(t *testing.T) {
	w := newWindow()
	w.files, w.fileOf[fileID{1, 12, 0}] = []fileID{{dev: 1, ino: 12}}, 0
	w.writers, w.taskOf[0] = []task{{pid: 1, comm: "made"}}, 0
	queued := way{lock: Shared, first: Shared, queued: true}
	for n := range int64(200) {
		at := n * 1_200_000
		w.steps = append(w.steps, step{entry: at - 190_000, queue: 190_000, waited: 190_000, locked: 190_000,
			done: 191_000, end: 1_190_000, device: ms, tail: 1000, now: queued, then: all(queued)})
		w.writes++
		w.hold(&observe.Hold{
			Actor: observe.Actor{Op: "fallocate", Tid: 1000}, Kind: record.HoldFallocate, Dev: 1, Ino: 12, Mode: record.LockExclusive,
			Time: uint64(at + 500_000), From: uint64(at + 500_000), To: uint64(at + 1_200_000), DrainAt: uint64(at + 500_000), DrainNs: 500_000,
		})
	}
	near(t, "now", simulated(w, runOptions{}).perSecond(), 833)
	sc := newScene(w)
	for i := range w.steps {
		w.steps[i].device *= 2
	}
	// The disk takes twice as long, and so does the drain.
	near(t, "slower", newSim(sc, runOptions{}).run(sc.to-sc.from, 1<<20).perSecond(), 454)
}

// A task that writes and truncates does one after the other.
func TestHoldsOfWriter(t *testing.T) {
	w := newWindow()
	w.files, w.fileOf[fileID{1, 12, 0}] = []fileID{{dev: 1, ino: 12}}, 0
	w.writers, w.taskOf[7] = []task{{pid: 1, comm: "made"}}, 0
	for n := range int64(100) {
		how := way{lock: Shared, first: Shared}
		w.steps = append(w.steps, step{entry: n * 4 * ms, done: ms, end: ms, device: ms, now: how, then: all(how)})
		w.writes++
		// ext4_setattr is called with the lock held.
		w.hold(&observe.Hold{
			Actor: observe.Actor{Op: "truncate", Tid: 7}, Kind: record.HoldSetattr, Dev: 1, Ino: 12, Mode: record.LockExclusive,
			QueuedNs: 1000, From: uint64(n*4*ms + 2*ms), Time: uint64(n*4*ms + 2*ms + 5000), To: uint64(n*4*ms + 3*ms),
		})
	}
	// It was called for from when it was queued, which is before its function is entered.
	if st := &w.steps[1]; st.entry != 2*ms-1000 || st.pre != 0 || st.queue != 1000 || st.locked != 1000 || st.done != ms+1000 || st.submit != ms {
		t.Errorf("the first truncate is %+v", *st)
	}
	sc := newScene(w)
	if len(sc.paces) != 1 {
		t.Errorf("%d tasks, want one", len(sc.paces))
	}
	out := simulated(w, runOptions{})
	near(t, "rate", out.perSecond(), 250)
	if out.waited != 0 || out.depth != 1 {
		t.Errorf("waited %d ns, %d in flight", out.waited, out.depth)
	}
}

// Reads are in flight on the disk with the writes, and are none of its measure of writes.
func TestHoldsReadDisk(t *testing.T) {
	w := readerTurns()
	sc := newScene(w)
	if n := len(sc.pools[pool{-1, 0}]); n != 200 || sc.disk.deepest != 1 {
		t.Errorf("%d writes tell about the disk, %d in flight", n, sc.disk.deepest)
	}
	for i := range w.steps {
		if st := &w.steps[i]; st.part == aTransfer {
			st.entry += ms / 2
		}
	}
	if sc = newScene(w); sc.disk.deepest != 2 {
		t.Errorf("%d in flight", sc.disk.deepest)
	}
}

// A reader goes on while all writers pause together: that is no time between writes.
func TestHoldsPauses(t *testing.T) {
	w := readerTurns()
	for i := range w.steps {
		w.steps[i].entry += int64(i/100) * 1000 * ms
	}
	for n := range int64(3) {
		for k := range int64(900) { // in each pause
			at := uint64(n*1100+105+k) * ms
			w.hold(&observe.Hold{Actor: observe.Actor{Op: "direct-read", Tid: 1000}, Kind: record.HoldRead, Dev: 1, Ino: 12, Mode: record.LockShared,
				Time: at, From: at, To: at + ms})
		}
	}
	sc := newScene(w)
	if sc.cut < 2990*ms || sc.cut > 3010*ms {
		t.Errorf("%d ns are left out", sc.cut)
	}
	near(t, "rate", newSim(sc, runOptions{}).run(sc.to-sc.from, 1<<20).perSecond(), 500)
}

// The report says who was simulated, who was not, and who is not recorded; those that were
// lost count as lost writes do.
func TestHoldsSaid(t *testing.T) {
	const unrecorded = "reads, buffered writes and truncate are not recorded"
	read := observe.Hold{Actor: observe.Actor{Op: "direct-read"}, Kind: record.HoldRead, Mode: record.LockShared, From: 1, To: 2}
	owner := observe.Hold{Actor: observe.Actor{Op: "unknown"}, Mode: record.LockExclusive, From: 1, To: 2, Flags: record.HolderOwner}
	for _, c := range []struct {
		recorded  string
		held      []observe.Hold
		said, not []string
	}{
		{"", nil, []string{unrecorded}, nil},
		{"off", nil, []string{unrecorded}, nil},
		{"all", nil, nil, []string{"not recorded"}},
		{"all", []observe.Hold{read, read, owner}, []string{"2 direct-read are simulated", "1 others held i_rwsem is not known"}, []string{"not recorded"}},
		{"auto", []observe.Hold{read}, []string{"1 direct-read that a write waited for are simulated", "those that no write waited for are not recorded (record --holders all)"}, []string{unrecorded}},
		{"auto", nil, []string{"no write waited", "(record --holders all)"}, []string{unrecorded}},
	} {
		all := &Holds{Recorded: c.recorded}
		for i := range c.held {
			all.count(&c.held[i])
		}
		r := &Report{Holds: all.told()}
		said := strings.Join(r.held(0, 10), "\n")
		for _, text := range c.said {
			if !strings.Contains(said, text) {
				t.Errorf("%s: %q is not in\n%s", c.recorded, text, said)
			}
		}
		for _, text := range c.not {
			if strings.Contains(said, text) {
				t.Errorf("%s: %q is in\n%s", c.recorded, text, said)
			}
		}
	}
}

// Readers that were queued have the lock from when it was given back, not from when they
// were awake, and go on later after the last of them woke a writer.
func TestHoldsAwake(t *testing.T) {
	w := newWindow()
	w.files, w.fileOf[fileID{1, 12, 0}] = []fileID{{dev: 1, ino: 12}}, 0
	w.writers, w.taskOf[0] = []task{{pid: 1, comm: "made"}}, 0
	how := way{lock: Exclusive, first: Exclusive}
	const us = 1000
	for n := range int64(20) {
		at := n * 2200 * us
		w.steps = append(w.steps, step{entry: at - 1000*us, queue: 1000 * us, waited: 1000 * us, locked: 1000 * us, done: 2000 * us, end: 2000 * us, device: ms, now: how, then: all(how)})
		w.writes++
		for tid, late := range []int64{20, 34} {
			w.hold(&observe.Hold{Actor: observe.Actor{Op: "direct-read", Tid: 1000 + uint32(tid)}, Kind: record.HoldRead, Dev: 1, Ino: 12, Mode: record.LockShared,
				Time: uint64(at + 100*us), QueuedNs: uint64((900 + late) * us), From: uint64(at + (1000+late)*us), To: uint64(at + (2020+late)*us)})
		}
	}
	sc := newScene(w)
	for tid, want := range []int64{1020 + 20, 1020 + 34} {
		p := &sc.paces[1+tid]
		if st := &w.steps[p.steps[3]]; st.device != want*us {
			t.Errorf("reader %d has the lock for %d ns, want %d us", tid, st.device, want)
		}
		if last := tid == 1; len(p.after[1]) > 0 != last || len(p.after[0]) > 0 == last {
			t.Errorf("reader %d: gaps %v", tid, p.after)
		}
	}
}

// Whoever held the lock before the first write only is left out, be there nobody else.
func TestHoldsBeforeOnly(t *testing.T) {
	how := way{lock: Shared, first: Shared}
	w := made(how, how)
	for i := range w.steps {
		w.steps[i].entry += 10 * ms
	}
	w.hold(&observe.Hold{Actor: observe.Actor{Op: "fallocate", Tid: 1000}, Kind: record.HoldFallocate, Dev: 1, Ino: 12, Mode: record.LockExclusive, Time: 1, From: 2, To: 3})
	near(t, "rate", simulated(w, runOptions{}).perSecond(), 1980)
}
