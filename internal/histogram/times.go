// Package histogram counts times by magnitude, in a bounded memory.
package histogram

import "math/bits"

// Times counts times by magnitude, four bins to each power of two, so that a
// quantile is at most a quarter too large. Its zero value is empty.
type Times struct {
	counts [NumBins]uint32
	n      uint64
	max    uint64
}

// NumBins is how many bins Times has: enough for 2^42 ns, more than an hour; longer ones are in the last bin.
const NumBins = 4 * 42

// fine is the logarithm of the bins to each power of two.
const fine = 2

// Bin is the number of the bin of n, where each power of two is parted into 1<<fine bins
// of equal width; below 1<<fine each number has its own.
func Bin(n uint64, fine uint) int {
	if n < 1<<fine {
		return int(n)
	}
	e := uint(bits.Len64(n)) - 1 - fine
	return int(e<<fine) + int(n>>e)
}

// BinStart is the least number in a bin.
func BinStart(i int, fine uint) uint64 {
	if i < 1<<fine {
		return uint64(i)
	}
	return uint64(1<<fine|i&(1<<fine-1)) << (i>>fine - 1)
}

// BinOf is the number of the bin of a time, ns.
func BinOf(ns uint64) int { return min(Bin(ns, fine), NumBins-1) }

// binEnd is the largest time of a bin, ns.
func binEnd(i int) uint64 { return BinStart(i+1, fine) - 1 }

// Add counts one time, ns.
func (h *Times) Add(ns uint64) {
	h.counts[BinOf(ns)]++
	h.n++
	h.max = max(h.max, ns)
}

// Len is the number of times.
func (h *Times) Len() uint64 { return h.n }

// Max is the longest time, ns.
func (h *Times) Max() uint64 { return h.max }

// Quantile is an upper bound, at most a quarter too large, of the least time that the
// share q of the times did not exceed; 0 of no times.
func (h *Times) Quantile(q float64) uint64 {
	rank := max(uint64(q*float64(h.n)+0.5), 1)
	sum := uint64(0)
	for i, n := range h.counts {
		if sum += uint64(n); sum >= rank {
			if i == NumBins-1 {
				break
			}
			return min(binEnd(i), h.max)
		}
	}
	return h.max
}

// NumMagnitudes is how many binary magnitudes are told apart.
const NumMagnitudes = NumBins/4 + 2

// Magnitudes counts the times of 0 ns, of 1 ns, of 2 to 3 ns, of 4 to 7 ns and so on.
func (h *Times) Magnitudes() (out [NumMagnitudes]uint64) {
	for i, n := range h.counts {
		out[bits.Len64(binEnd(i))] += uint64(n)
	}
	return out
}

// Octaves counts the times by powers of two: those below 1024 ns, below 2048 ns and so
// on; the last has all that are longer.
func (h *Times) Octaves(out []uint64) {
	clear(out)
	for i, n := range h.Magnitudes() {
		out[min(max(i-10, 0), len(out)-1)] += n
	}
}
