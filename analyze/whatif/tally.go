package whatif

import (
	"math"
	"math/bits"
)

// share is what one file or writer had of a simulation.
type share struct {
	writes    int
	exclusive int
	waits     *histogram // of files only
}

// tally is what a simulation counts.
type tally struct {
	span      int64 // ns
	writes    int
	exclusive int
	waited    int64
	latency   int64
	waits     histogram
	files     []share
	actors    []share
	depth     int // most I/O in flight on one disk
}

// reset forgets what was counted.
func (t *tally) reset() {
	*t = tally{files: t.files, actors: t.actors, depth: t.depth}
	clear(t.files)
	clear(t.actors)
}

func (t *tally) add(st *step, j *job, latency int64) {
	t.writes++
	t.waited += j.waited
	t.latency += latency
	t.waits.add(j.waited)
	exclusive := 0
	if j.way.lock == Exclusive {
		exclusive = 1
	}
	t.exclusive += exclusive
	f := &t.files[j.file]
	if f.waits == nil {
		f.waits = new(histogram)
	}
	f.waits.add(j.waited)
	for _, s := range []*share{f, &t.actors[j.writer]} {
		s.writes++
		s.exclusive += exclusive
	}
}

// perSecond is the throughput, writes a second.
func (t *tally) perSecond() float64 { return float64(t.writes) / float64(t.span) * 1e9 }

// Classes of a histogram: eight to each doubling.
const (
	fine       = 8
	histoSlots = 40 * fine
)

// histogram counts times, ns. A time that it gives is right to 6 %.
type histogram struct {
	n     uint64
	slots [histoSlots]uint32
}

func slot(ns int64) int {
	if ns < fine {
		return int(max(ns, 0))
	}
	top := bits.Len64(uint64(ns)) - 4 // of which three bits are left below the first
	return min((top+1)*fine+int(uint64(ns)>>top)-fine, histoSlots-1)
}

// lower is where a slot begins.
func lower(i int) int64 {
	if i < fine {
		return int64(i)
	}
	return int64(fine+i%fine) << (i/fine - 1)
}

func (h *histogram) add(ns int64) {
	h.n++
	h.slots[slot(ns)]++
}

func (h *histogram) merge(o *histogram) {
	if o == nil {
		return
	}
	h.n += o.n
	for i, n := range o.slots {
		h.slots[i] += n
	}
}

// quantile is the time that a part q of all does not exceed, ns.
func (h *histogram) quantile(q float64) int64 {
	want := uint64(math.Ceil(q * float64(h.n)))
	if h.n == 0 || want == 0 {
		return 0
	}
	sum := uint64(0)
	for i, n := range h.slots {
		if sum += uint64(n); sum >= want {
			if i+1 < histoSlots && i >= fine {
				return (lower(i) + lower(i+1)) / 2
			}
			return lower(i)
		}
	}
	return lower(histoSlots - 1)
}
