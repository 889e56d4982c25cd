package overlap

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Bounds of what is kept to find overlaps: inodes, and for each inode the direct
// writes and the acts (zeroing, fallback copies) that were judged last.
const (
	maxInodes  = 256
	maxFlights = 64
	maxActs    = 16
	// maxFound bounds what one write is told of; all are counted.
	maxFound = 8
)

// Stats counts what a Finder has found, and what it could not know.
type Stats struct {
	// Pairs of writes, by the rule that they broke together.
	Zeroed   uint64 // R2
	Unwaited uint64 // R3
	Fallback uint64 // R5
	// EOFOverlaps counts pairs that break no rule: a tail zeroed under the shared lock
	// (E-eof) in flight while an aligned extending write of the same block began. No
	// count of the kernel's stands behind it, so that it holds pairs, too, of which the
	// first had just ended and its completion was stamped late.
	EOFOverlaps uint64
	// Evicted counts what was forgotten to bound the memory, oldest first: direct
	// writes, and zeroing or copies.
	Evicted uint64
	// Unchecked counts writes that may have overlapped with one that was forgotten,
	// or whose direct I/O could not be placed in time. When it is not 0, that no pair
	// was found proves nothing.
	Unchecked uint64
	// Unmoved counts writes that returned bytes and did not move ki_pos on by them, and
	// Repeated those that began where such a one of the same thread left it, and so
	// overwrote it. What the application repeats by itself, by pwrite or after a seek, is
	// in neither.
	Unmoved, Repeated uint64
}

// Broken is the number of pairs that broke a rule.
func (s Stats) Broken() uint64 { return s.Zeroed + s.Unwaited + s.Fallback }

func (s *Stats) count(k Kind) {
	switch k {
	case Zeroed:
		s.Zeroed++
	case Unwaited:
		s.Unwaited++
	case Fallback:
		s.Fallback++
	default:
		s.EOFOverlaps++
	}
}

// Finder finds the rules that two writes of one inode break together: R2, R3 and
// R5 within one block. It is given the writes in the order in which they are judged,
// which is not the order in which they began. Its memory is bounded.
//
// It finds only what is certain, for which two things must come together: one of the
// writes has a certain breach of its own (i_dio_count above 1 at the zeroing or the
// copy, or queued after zeroing without IOMAP_DIO_FORCE_WAIT), so that on a kernel
// that keeps the rules nothing is found, whatever the clocks say; and the instants
// place the other write in the same block at that moment. The second names the
// culprit as well as it can be told: completions are stamped right before inode_dio_end,
// those of O_DSYNC writes after the flush that follows it, so that one may be named that
// had just ended while a reader, which is not traced, was in flight.
type Finder struct {
	Stats Stats

	slots []slot
	index map[inode]int
	// near has, by the low bits of an inode, the slot that such a one had last: most
	// writes are to few files, which spares the map.
	near   [maxInodes]uint16
	hand   int // of the clock that picks the inode to forget
	gone   horizon
	found  []Pair
	flight flight
	acts   acts

	stuck     [16]stuck // the last that did not move ki_pos on
	nextStuck int
}

// stuck is where a thread's write left ki_pos that did not move it on.
type stuck struct {
	inode
	tid uint32
	pos int64
}

// position counts writes that do not move ki_pos on, and those that follow there.
func (v *Finder) position(o *observe.Observation) {
	if v.Stats.Unmoved == 0 && !o.Unmoved {
		return
	}
	at := stuck{inode{o.Dev, o.Ino}, o.Tid, o.Pos0}
	if i := slices.Index(v.stuck[:], at); i >= 0 && v.Stats.Unmoved > 0 {
		v.Stats.Repeated++
		v.stuck[i] = stuck{}
	}
	if o.Unmoved {
		v.Stats.Unmoved++
		at.pos = o.PosAfter
		v.stuck[v.nextStuck%len(v.stuck)] = at
		v.nextStuck++
	}
}

type inode struct {
	dev uint32
	ino uint64
}

// slot is what is kept of one inode.
type slot struct {
	key        inode
	used       bool // since the hand of the clock went by
	flights    []flight
	acts       []acts
	nextFlight uint // the oldest, once flights is full
	nextAct    uint
	gone       horizon
}

// horizon is how long the writes that were forgotten could have taken part in an
// overlap, ns of CLOCK_MONOTONIC; 0 when none was forgotten.
type horizon struct{ flights, acts uint64 }

// NewFinder returns a Finder that has seen nothing.
func NewFinder() *Finder {
	return &Finder{index: make(map[inode]int)}
}

// Add takes one judged write and returns what it did together with those before it,
// which is valid until the next call. A write that cannot be judged must not be
// given.
func (v *Finder) Add(o *observe.Observation, c rules.Conditions) []Pair {
	v.found = v.found[:0]
	v.position(o)
	placed := v.flight.fill(o)
	v.acts.n, v.acts.more = 0, o.Lacks(record.CutZeroed|record.CutBuffered)
	if len(o.Zeroed) > 0 || o.Buffered != nil {
		v.acts.fill(o, c)
	}
	if v.acts.n == 0 && placed != flightPlaced {
		if placed == flightUnknown || v.acts.more {
			v.Stats.Unchecked++
		}
		return nil
	}
	s := v.slot(inode{o.Dev, o.Ino})
	unchecked := placed == flightUnknown || v.acts.more || v.acts.before(s.gone.flights)
	if v.acts.n > 0 {
		for i := range s.flights {
			v.pair(&v.acts, &s.flights[i], true)
		}
	}
	if placed == flightPlaced {
		unchecked = unchecked || certainlyBefore(v.flight.from, s.gone.acts)
		for i := range s.acts {
			v.pair(&s.acts[i], &v.flight, false)
		}
		v.keepFlight(s)
	}
	if v.acts.n > 0 {
		v.keepActs(s)
	}
	if unchecked {
		v.Stats.Unchecked++
	}
	return v.found
}

// pair notes in which ways the acts a and the flight f overlap, one of each kind.
func (v *Finder) pair(a *acts, f *flight, byLast bool) {
	if a.ref.ID == f.ref.ID {
		return // the write itself, or a broken stream
	}
	var seen [numKinds]bool
	for i := range a.n {
		act := &a.list[i]
		if seen[act.kind] || !act.meets(f) {
			continue
		}
		seen[act.kind] = true
		v.Stats.count(act.kind)
		if len(v.found) == maxFound {
			continue
		}
		found := Pair{
			Kind: act.kind, Pos: max(act.pos, f.pos&^(act.unit-1)), Len: act.unit,
			By: a.ref, At: act.at, Other: f.ref, From: f.from, To: f.to, ByLast: byLast,
		}
		if act.kind == Unwaited || act.kind == EOF {
			found.Until = act.until
		}
		v.found = append(v.found, found)
	}
}

// slot finds the inode, or makes room for it.
func (v *Finder) slot(k inode) *slot {
	near := &v.near[(k.ino^uint64(k.dev))%maxInodes]
	if i := int(*near); i < len(v.slots) && v.slots[i].key == k {
		v.slots[i].used = true
		return &v.slots[i]
	}
	if i, ok := v.index[k]; ok {
		v.slots[i].used, *near = true, uint16(i)
		return &v.slots[i]
	}
	if len(v.slots) < maxInodes {
		v.index[k], *near = len(v.slots), uint16(len(v.slots))
		v.slots = append(v.slots, slot{key: k, used: true})
		return &v.slots[len(v.slots)-1]
	}
	for v.slots[v.hand].used {
		v.slots[v.hand].used = false
		v.hand = (v.hand + 1) % len(v.slots)
	}
	s := &v.slots[v.hand]
	delete(v.index, s.key)
	v.forget(s)
	v.index[k], *near = v.hand, uint16(v.hand)
	*s = slot{key: k, used: true, flights: s.flights[:0], acts: s.acts[:0], gone: v.gone}
	v.hand = (v.hand + 1) % len(v.slots)
	return s
}

// forget notes until when the writes of an inode that is dropped could overlap.
func (v *Finder) forget(s *slot) {
	v.Stats.Evicted += uint64(len(s.flights) + len(s.acts))
	for i := range s.flights {
		s.gone.flights = max(s.gone.flights, s.flights[i].to)
	}
	for i := range s.acts {
		s.gone.acts = max(s.gone.acts, s.acts[i].last())
	}
	v.gone.flights = max(v.gone.flights, s.gone.flights)
	v.gone.acts = max(v.gone.acts, s.gone.acts)
}

func (v *Finder) keepFlight(s *slot) {
	if len(s.flights) < maxFlights {
		s.flights = append(s.flights, v.flight)
		return
	}
	v.Stats.Evicted++
	old := &s.flights[s.nextFlight]
	s.gone.flights = max(s.gone.flights, old.to)
	*old = v.flight
	s.nextFlight = (s.nextFlight + 1) % maxFlights
}

func (v *Finder) keepActs(s *slot) {
	if len(s.acts) < maxActs {
		s.acts = append(s.acts, v.acts)
		return
	}
	v.Stats.Evicted++
	old := &s.acts[s.nextAct]
	s.gone.acts = max(s.gone.acts, old.last())
	*old = v.acts
	s.nextAct = (s.nextAct + 1) % maxActs
}
