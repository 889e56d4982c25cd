package report

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// magnitudes counts times by their binary magnitude, see histogram.Times.
type magnitudes [histogram.NumMagnitudes]uint64

// quantile is an upper bound of the time below which a share q of the times lies: the
// end of the magnitude, at most the largest time.
func quantile(h *histogram.Times, q float64) uint64 {
	want := uint64(q * float64(h.Len()))
	sum := uint64(0)
	for i, n := range h.Magnitudes() {
		if sum += n; sum > want || sum == h.Len() {
			return min(1<<i-1, h.Max())
		}
	}
	return h.Max()
}

// span is the range of bins that are not empty, without that of 0 ns; last is below
// first when there are none.
func (m *magnitudes) span() (first, last int) {
	first, last = 1, 0
	for i := 1; i < len(m); i++ {
		switch {
		case m[i] == 0:
		case last == 0:
			first, last = i, i
		default:
			last = i
		}
	}
	return first, last
}

// most is the largest count of the bins in span, at least 1.
func (m *magnitudes) most() uint64 { return max(slices.Max(m[1:]), 1) }
