package decode_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
)

// fault is what a simulated kernel does wrong.
type fault uint8

const (
	faultless  fault = iota
	noDrain          // zeroes without inode_dio_wait
	noWait           // zeroes without IOMAP_DIO_FORCE_WAIT
	zeroShared       // zeroes under the shared lock, without either
	noFallbackDrain
)

// simWrite is one write of a simulated kernel. Instants are ns of a clock that no
// CPU shows exactly.
type simWrite struct {
	kind             simKind
	pos, n           int64
	async, exclusive bool
	entry, locked    uint64
	begin, end       uint64    // counted in i_dio_count from, to
	last             uint64    // last step in between
	zero             [2]uint64 // head and tail
	copied           uint64
	unlocked, ret    uint64
	done             uint64 // completion as it is seen
	skew, doneSkew   uint64 // of the CPUs' clocks
	drained          bool
}

type simKind uint8

const (
	simAligned simKind = iota
	simStripe          // synchronous, two mappings
	simZeroing
	simEOF
	simExtending
	simFallback
	numSimKinds
)

const simBlocks, simSize = 4, 4*4096 - 2048

// simKernel lets writes run as ext4 does, in the order of their arrival.
type simKernel struct {
	r      *rand.Rand
	fault  fault
	delay  uint64 // at most, from the end of the direct I/O to the completion record
	writes []*simWrite

	sharedUntil, exclusiveUntil, dioUntil uint64
}

func (k *simKernel) some(ns int64) uint64 { return 1 + uint64(k.r.Int64N(ns)) }

func (k *simKernel) lock(w *simWrite, at uint64) uint64 {
	at = max(at, k.exclusiveUntil)
	if w.exclusive {
		at = max(at, k.sharedUntil)
	}
	return at + k.some(500)
}

func (k *simKernel) unlock(w *simWrite, at uint64) {
	w.unlocked = at
	if w.exclusive {
		k.exclusiveUntil = max(k.exclusiveUntil, at)
	} else {
		k.sharedUntil = max(k.sharedUntil, at)
	}
}

// run adds one write that arrives at t.
func (k *simKernel) run(t uint64) {
	w := &simWrite{kind: simKind(k.r.IntN(int(numSimKinds))), entry: t, skew: k.some(900), doneSkew: k.some(900)}
	w.pos, w.n = int64(k.r.IntN(simBlocks-1))*4096, 4096
	drain, wait := false, false
	switch w.kind {
	case simAligned:
		w.async = k.r.IntN(4) > 0
	case simStripe:
		w.pos, w.n = w.pos/2&^4095, 8192
	case simZeroing:
		w.pos, w.n = w.pos+512, 1024
		w.async = k.r.IntN(2) > 0
		drain, wait = k.fault != noDrain && k.fault != zeroShared, k.fault != noWait && k.fault != zeroShared
		w.exclusive = k.fault != zeroShared
	case simEOF:
		w.pos, w.n, w.async = simSize-1024, 1024, true
	case simExtending:
		w.pos, w.exclusive, wait = (simBlocks-1)*4096, true, true
	}
	w.locked = k.lock(w, t+k.some(2000))
	w.begin = w.locked + k.some(3000)
	if drain {
		w.drained, w.begin = true, max(w.begin, k.dioUntil+k.some(500))
	}
	w.last = w.begin
	if w.kind == simZeroing || w.kind == simEOF {
		w.zero[0] = w.begin + k.some(3000)
		w.last = w.zero[0] + k.some(3000)
		w.zero[1] = w.last
	}
	if w.kind == simStripe {
		w.last = w.begin + k.some(20_000)
	}
	w.end = w.last + k.some(60_000)
	w.done = w.end + k.some(int64(k.delay)+1)
	switch {
	case w.kind == simFallback:
		k.fallback(w)
	case w.async && !wait:
		k.unlock(w, w.last+k.some(2000))
	default:
		w.async = w.async && !wait
		k.unlock(w, w.end+k.some(500))
	}
	w.ret = w.unlocked + k.some(5000)
	k.dioUntil = max(k.dioUntil, w.end)
	k.writes = append(k.writes, w)
}

// fallback: the direct part ends at once, the rest is copied under the exclusive lock.
func (k *simKernel) fallback(w *simWrite) {
	w.end = w.begin + k.some(500)
	k.unlock(w, w.end+k.some(200))
	w.exclusive = true
	w.copied = k.lock(w, w.unlocked)
	if k.fault != noFallbackDrain {
		w.copied = max(w.copied, k.dioUntil+k.some(500))
	}
	k.unlock(w, w.copied+k.some(20_000))
}

// inFlight counts the direct I/O at t.
func (k *simKernel) inFlight(t uint64) (n int) {
	for _, w := range k.writes {
		if w.begin <= t && t < w.end {
			n++
		}
	}
	return n
}

// text is the record of w, as a probe would see it.
func (k *simKernel) text(w *simWrite, id int) string {
	var b strings.Builder
	at := func(t uint64) uint64 { return (t - w.entry) / 1000 }
	mode, typ := "shared", "mapped"
	if w.exclusive && w.kind != simFallback {
		mode = "exclusive"
	}
	caller, ret := "sync", w.n
	if w.async {
		caller, ret = "libaio", -529
	}
	fmt.Fprintf(&b, "entry pos=%d len=%d isize=%d caller=%s id=%d t0=%d\npass %s at=%d\n", w.pos, w.n, simSize, caller, id, w.entry+w.skew, mode, at(w.locked))
	if w.drained {
		b.WriteString("drain\n")
	}
	fmt.Fprintf(&b, "dio %s", mode)
	if w.kind == simExtending || w.kind == simZeroing && !w.async {
		b.WriteString(" wait")
	}
	start := w.pos &^ 4095
	switch w.kind {
	case simFallback:
		fmt.Fprintf(&b, "\nmap error=-15 at=%d\nbuffered %d %d\ncopy count=%d at=%d\n", at(w.begin), w.pos, w.n, k.inFlight(w.copied), at(w.copied))
	case simStripe:
		fmt.Fprintf(&b, "\nmap %d 4096 mapped at=%d\nmap %d 4096 mapped at=%d\n", start, at(w.begin), start+4096, at(w.last))
	case simZeroing:
		typ = "unwritten"
		fallthrough
	default:
		fmt.Fprintf(&b, "\nmap %d 4096 %s at=%d\n", start, typ, at(w.begin))
	}
	tail := fmt.Sprintf("zero %d %d %s %s count=%d at=%d\n", w.pos+w.n, start+4096-w.pos-w.n, mode, typ, k.inFlight(w.zero[1]), at(w.zero[1]))
	switch w.kind {
	case simZeroing:
		fmt.Fprintf(&b, "zero %d 512 %s unwritten count=%d at=%d\n%s", start, mode, k.inFlight(w.zero[0]), at(w.zero[0]), tail)
	case simEOF:
		b.WriteString(tail)
	}
	fmt.Fprintf(&b, "return %d at=%d\n", ret, at(w.ret))
	if w.async {
		fmt.Fprintf(&b, "complete %d\n", w.n)
	}
	return b.String()
}

// stream is what the probes send, in order of time.
func (k *simKernel) stream(t testing.TB) [][]byte {
	type sent struct {
		t   uint64
		raw []byte
	}
	var all []sent
	for i, w := range k.writes {
		s := parseScript(t, k.text(w, i+1))
		all = append(all, sent{w.ret, s.w.Append(nil)})
		if s.c != nil {
			s.c.T = w.done + w.doneSkew
			all = append(all, sent{w.done, s.c.Append(nil)})
		}
	}
	slices.SortStableFunc(all, func(a, b sent) int { return cmp.Compare(a.t, b.t) })
	var out [][]byte
	for _, s := range all {
		out = append(out, s.raw)
	}
	return out
}

// happened reports whether f is what really happened.
func (k *simKernel) happened(f *overlap.Pair) bool {
	by, other := k.writes[f.By.ID-1], k.writes[f.Other.ID-1]
	flying := func(t uint64) bool { return other.begin <= t && t < other.end }
	switch f.Kind {
	case overlap.Zeroed:
		return flying(by.zero[0]) || flying(by.zero[1])
	case overlap.Fallback:
		return flying(by.copied)
	default:
		return by.zero[0] < other.begin && other.begin < by.end
	}
}

// simulate runs a kernel and returns what is found; every finding must be true where
// the completions are stamped when the direct I/O ends.
func simulate(t *testing.T, seed uint64, wrong fault, delay uint64) overlap.Stats {
	t.Helper()
	k := &simKernel{r: rand.New(rand.NewPCG(seed, 7)), fault: wrong, delay: delay}
	now := uint64(1_000_000)
	for range 300 {
		now += k.some(12_000)
		k.run(now)
	}
	v := overlap.NewFinder()
	ob := observe.NewObserver(func(o *observe.Observation) {
		if o.Incomplete != "" {
			t.Fatalf("incomplete: %s", o.Incomplete)
		}
		if rules := rules.Broken(o, rules.Conditions{}); wrong == faultless && rules != 0 {
			t.Fatalf("seed %d: write %d breaks %v", seed, o.ID, rules.IDs())
		}
		for _, f := range v.Add(o, rules.Conditions{}) {
			if delay == 0 && !k.happened(&f) {
				t.Errorf("seed %d: not true: %+v", seed, f)
			}
		}
	})
	feed(t, ob, k.stream(t)...)
	ob.Flush()
	if v.Stats.Unchecked != 0 && wrong == faultless && delay < 100_000 {
		t.Errorf("seed %d: %+v", seed, v.Stats)
	}
	return v.Stats
}

// TestSimulatedKernels: on a kernel that keeps the rules nothing is found, in whatever
// order things happen and however late completions are seen; each fault is found, and
// nothing else.
func TestSimulatedKernels(t *testing.T) {
	for _, delay := range []uint64{0, 5000, 2_000_000} {
		var sum [noFallbackDrain + 1]overlap.Stats
		for seed := range uint64(8) {
			for wrong := range sum {
				s, all := simulate(t, seed, fault(wrong), delay), &sum[wrong]
				all.Zeroed += s.Zeroed
				all.Unwaited += s.Unwaited
				all.Fallback += s.Fallback
				all.EOFOverlaps += s.EOFOverlaps
			}
		}
		for wrong, s := range sum {
			found := [3]bool{s.Zeroed > 0, s.Unwaited > 0, s.Fallback > 0}
			want := [...][3]bool{
				faultless: {}, noDrain: {true}, noWait: {false, true}, zeroShared: {true, true}, noFallbackDrain: {2: true},
			}[wrong]
			if found != want || s.EOFOverlaps == 0 {
				t.Errorf("delay %d, fault %d: %+v", delay, wrong, s)
			}
		}
	}
}
