package compare

import (
	"maps"
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// maxWindows is into how many windows of time a class is cut at most: from half of that on
// all windows are twice as long.
const maxWindows = 64

// firstWidth is how long a window is at first, ns.
const firstWidth = 1 << 14

// fineness is the logarithm of the bins of times to each power of two: one is 3 % wide.
const fineness = 5

// series are the writes of a class over time.
type series struct {
	start, last uint64 // first entry; the last return of a write
	width       uint64 // of a window, ns
	windows     []window
	shortest    int64 // length of a write, bytes
	longest     int64
	timeNs      float64 // latency of all writes
}

// window is what a class did in one of them.
type window struct {
	writes, written    float64
	locks, exclusive   float64 // writes whose lock is known
	passes, restarted  float64 // writes whose passes are known
	refused, failed    float64
	waits, waitNs      float64
	latencies, spentNs float64
	judged             float64
	waited, latency    bins
	reasons            map[string]float64
}

// bins counts times by their bin.
type bins map[uint16]uint32

func (b *bins) add(ns uint64) {
	if *b == nil {
		*b = bins{}
	}
	(*b)[uint16(histogram.Bin(ns, fineness))]++
}

// at is the window of a time. A write that began before the first one that ended counts for
// the first window.
func (s *series) at(t uint64) *window {
	if s.windows == nil {
		s.start, s.width = t, firstWidth
	}
	i := uint64(0)
	if t > s.start {
		for i = (t - s.start) / s.width; i >= maxWindows; i = (t - s.start) / s.width {
			s.double()
		}
	}
	for uint64(len(s.windows)) <= i {
		s.windows = append(s.windows, window{})
	}
	return &s.windows[i]
}

// double makes one window of each two.
func (s *series) double() {
	for i := range s.windows {
		if i%2 == 1 {
			s.windows[i/2].merge(&s.windows[i])
		} else {
			s.windows[i/2] = s.windows[i]
		}
	}
	n := (len(s.windows) + 1) / 2
	clear(s.windows[n:])
	s.windows = s.windows[:n]
	s.width *= 2
}

// merge adds what o has.
func (w *window) merge(o *window) {
	to, from := w.numbers(), o.numbers()
	for i := range to {
		*to[i] += *from[i]
	}
	w.waited, w.latency = joined(w.waited, o.waited), joined(w.latency, o.latency)
	w.reasons = joined(w.reasons, o.reasons)
}

func (w *window) numbers() []*float64 {
	return []*float64{
		&w.writes, &w.written, &w.locks, &w.exclusive, &w.passes, &w.restarted, &w.refused, &w.failed,
		&w.waits, &w.waitNs, &w.latencies, &w.spentNs, &w.judged,
	}
}

func joined[M ~map[K]N, K comparable, N uint32 | float64](a, b M) M {
	if a == nil {
		return b
	}
	for k, n := range b {
		a[k] += n
	}
	return a
}

// add counts a write.
func (s *series) add(r *export.Row) {
	w := s.at(r.TimeNs)
	if w.writes++; s.longest == 0 || r.Len < s.shortest {
		s.shortest = r.Len
	}
	s.longest = max(s.longest, r.Len)
	count := func(known, is bool, of, n *float64) {
		if known {
			if *of++; is {
				*n++
			}
		}
	}
	count(r.Lock.Known && r.Lock.V != export.NoLock, export.Is(r.Lock, export.Exclusive), &w.locks, &w.exclusive)
	count(r.Passes.Known && r.Passes.V > 0, r.Passes.V > 1, &w.passes, &w.restarted)
	switch {
	case r.Refused.Known:
		w.refused++
	case r.FailedAt.Known || export.Is(r.Ret, 0) || r.Ret.Known && r.Ret.V < 0:
		w.failed++
	case r.Ret.Known: // else it was queued, and not seen to end
		w.addWritten(r, s)
	}
	if r.Verdict.Known && r.Reason != "" {
		if w.reasons == nil {
			w.reasons = map[string]float64{}
		}
		w.judged++
		w.reasons[r.Reason]++
	}
}

// addWritten counts a write that was not refused: a refusal's time is none of writing.
func (w *window) addWritten(r *export.Row, s *series) {
	w.written++
	if r.WaitNs.Known {
		w.waits++
		w.waitNs += float64(r.WaitNs.V)
		w.waited.add(r.WaitNs.V)
	}
	if r.LatencyNs.Known {
		w.latencies++
		w.spentNs += float64(r.LatencyNs.V)
		w.latency.add(r.LatencyNs.V)
		s.timeNs += float64(r.LatencyNs.V)
		s.last = max(s.last, r.TimeNs+r.LatencyNs.V)
	}
}

// column is a number of each window.
func (s *series) column(of func(*window) float64) []float64 {
	out := make([]float64, len(s.windows))
	for i := range s.windows {
		out[i] = of(&s.windows[i])
	}
	return out
}

// sum is a number of all windows.
func (s *series) sum(of func(*window) float64) (n float64) {
	for i := range s.windows {
		n += of(&s.windows[i])
	}
	return n
}

// with counts the windows in which a number is not 0.
func (s *series) with(of func(*window) float64) (n int) {
	for i := range s.windows {
		if of(&s.windows[i]) > 0 {
			n++
		}
	}
	return n
}

// reasons lists all that occur.
func (s *series) reasons() []string {
	all := map[string]bool{}
	for i := range s.windows {
		for r := range s.windows[i].reasons {
			all[r] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// timeBins are the bins of one kind of time, those of each window in its own list.
type timeBins struct {
	starts []float64 // of the bins that occur, in order; and behind each its end
	ends   []float64
	rows   [][]binCount
	sum    []float64 // for quantile
}

type binCount struct {
	bin int
	n   float64
}

func (s *series) times(of func(*window) bins) *timeBins {
	used := map[uint16]bool{}
	for i := range s.windows {
		for b := range of(&s.windows[i]) {
			used[b] = true
		}
	}
	order := slices.Sorted(maps.Keys(used))
	t := &timeBins{sum: make([]float64, len(order))}
	place := map[uint16]int{}
	for i, b := range order {
		place[b] = i
		t.starts = append(t.starts, float64(histogram.BinStart(int(b), fineness)))
		t.ends = append(t.ends, float64(histogram.BinStart(int(b)+1, fineness)))
	}
	for i := range s.windows {
		var row []binCount
		for b, n := range of(&s.windows[i]) {
			row = append(row, binCount{place[b], float64(n)})
		}
		slices.SortFunc(row, func(a, b binCount) int { return a.bin - b.bin })
		t.rows = append(t.rows, row)
	}
	return t
}

// quantile is the time that the share q of the writes did not exceed, each window as often as
// it weighs; inside a bin as if its times were spread evenly. NaN of none.
func (t *timeBins) quantile(q float64, weights []float64) float64 {
	clear(t.sum)
	all := 0.0
	for i, row := range t.rows {
		if w := weights[i]; w > 0 {
			for _, c := range row {
				t.sum[c.bin] += w * c.n
				all += w * c.n
			}
		}
	}
	rank, below := q*all, 0.0
	for i, n := range t.sum {
		if n > 0 && below+n >= rank {
			if t.ends[i]-t.starts[i] <= 1 {
				return t.starts[i]
			}
			return t.starts[i] + (t.ends[i]-t.starts[i])*(rank-below)/n
		}
		below += n
	}
	return nan
}
