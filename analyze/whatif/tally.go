package whatif

import (
	"math"

	bins "github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// share is what a part of the writes had: those of one file or writer, or all.
type share struct {
	writes    int
	exclusive int
	waits     *histogram // not of writers
}

func (s *share) add(j *job) {
	s.writes++
	if j.way.lock == Exclusive {
		s.exclusive++
	}
	if s.waits != nil {
		s.waits.add(j.waited)
	}
}

func (s *share) merge(o *share) {
	s.writes += o.writes
	s.exclusive += o.exclusive
	if o.waits != nil {
		s.count().merge(o.waits)
	}
}

// count lets the waits be counted, too.
func (s *share) count() *histogram {
	if s.waits == nil {
		s.waits = new(histogram)
	}
	return s.waits
}

// exclusiveShare is the part of the writes that held the lock exclusive, 0 to 1.
func (s *share) exclusiveShare() float64 { return float64(s.exclusive) / float64(max(s.writes, 1)) }

// tally is what a simulation counts.
type tally struct {
	share
	span    int64 // ns
	waited  int64
	latency int64
	files   []share
	actors  []share
	depth   int // most I/O in flight on one disk
}

func newTally(files, actors int) tally {
	return tally{files: make([]share, files), actors: make([]share, actors)}
}

// reset forgets what was counted.
func (t *tally) reset() {
	*t = tally{files: t.files, actors: t.actors, depth: t.depth}
	clear(t.files)
	clear(t.actors)
}

func (t *tally) add(j *job, latency int64) {
	t.waited += j.waited
	t.latency += latency
	t.count()
	t.files[j.file].count()
	for _, s := range [...]*share{&t.share, &t.files[j.file], &t.actors[j.writer]} {
		s.add(j)
	}
}

// perSecond is the throughput, writes a second.
func (t *tally) perSecond() float64 { return float64(t.writes) / float64(t.span) * 1e9 }

// Slots of a histogram: 1<<fine to each doubling.
const (
	fine       = 3
	histoSlots = 40 << fine
)

// histogram counts times, ns. A time that it gives is right to 6 %.
type histogram struct {
	n     uint64
	slots [histoSlots]uint32
}

func slot(ns int64) int { return min(bins.Bin(uint64(max(ns, 0)), fine), histoSlots-1) }

// lower is where a slot begins.
func lower(i int) int64 { return int64(bins.BinStart(i, fine)) }

func (h *histogram) add(ns int64) {
	h.n++
	h.slots[slot(ns)]++
}

func (h *histogram) merge(o *histogram) {
	h.n += o.n
	for i, n := range o.slots {
		h.slots[i] += n
	}
}

// quantile is the time that a part q of all does not exceed, ns; 0 of none.
func (h *histogram) quantile(q float64) int64 {
	if h == nil || h.n == 0 {
		return 0
	}
	want := uint64(math.Ceil(q * float64(h.n)))
	sum := uint64(0)
	for i, n := range h.slots {
		if sum += uint64(n); sum >= want {
			if i+1 < histoSlots && i >= 1<<fine {
				return (lower(i) + lower(i+1)) / 2
			}
			return lower(i)
		}
	}
	return lower(histoSlots - 1)
}
