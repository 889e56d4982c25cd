package report

import "math/bits"

// Histogram counts times by their binary magnitude. Its zero value is empty.
type Histogram struct {
	// Counts of 0 ns, of 1 ns, of 2 to 3 ns, of 4 to 7 ns and so on.
	counts [65]uint64
	n      uint64
	max    uint64
}

// Add counts one time, ns.
func (h *Histogram) Add(ns uint64) {
	h.counts[bits.Len64(ns)]++
	h.n++
	h.max = max(h.max, ns)
}

// Quantile is an upper bound of the time below which a share q of the times lies: the
// end of the bin, at most the largest time.
func (h *Histogram) Quantile(q float64) uint64 {
	if h.n == 0 {
		return 0
	}
	want := uint64(q * float64(h.n))
	sum := uint64(0)
	for i, n := range h.counts {
		if sum += n; sum > want || sum == h.n {
			return min(1<<i-1, h.max)
		}
	}
	return h.max
}

// span is the range of bins that are not empty, without that of 0 ns; last is below
// first when there are none.
func (h *Histogram) span() (first, last int) {
	first, last = 1, 0
	for i := 1; i < len(h.counts); i++ {
		switch {
		case h.counts[i] == 0:
		case last == 0:
			first, last = i, i
		default:
			last = i
		}
	}
	return first, last
}

// most is the largest count of the bins in span, at least 1.
func (h *Histogram) most() uint64 {
	most := uint64(1)
	for _, n := range h.counts[1:] {
		most = max(most, n)
	}
	return most
}

// binStart is the least time of a bin other than the first, ns.
func binStart(i int) uint64 { return 1 << (i - 1) }
