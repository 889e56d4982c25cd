package histogram

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// numOctaves are those that are shown.
const numOctaves = 20

// A quantile is never below the exact one, and at most a quarter above it.
func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 10, 1000, 20_000} {
		var h Times
		times := make([]uint64, n)
		for i := range times {
			times[i] = uint64(rng.ExpFloat64() * float64(uint64(1)<<rng.IntN(40)))
			h.Add(times[i])
		}
		slices.Sort(times)
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
			exact := times[max(int(q*float64(n)+0.5), 1)-1]
			if got := h.Quantile(q); got < exact || float64(got) > 1.25*float64(exact) {
				t.Errorf("%d times: quantile %g is %d, exactly %d", n, q, got, exact)
			}
		}
		if h.Max() != times[n-1] || h.Len() != uint64(n) {
			t.Errorf("%d times: max %d, len %d", n, h.Max(), h.Len())
		}
		var octaves [numOctaves]uint64
		h.Octaves(octaves[:])
		want := [numOctaves]uint64{}
		for _, ns := range times {
			i := 0
			for i < numOctaves-1 && ns >= 1024<<i {
				i++
			}
			want[i]++
		}
		if octaves != want {
			t.Errorf("%d times: octaves %v, want %v", n, octaves, want)
		}
	}
	var none Times
	if none.Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}

// Bins follow each other without gap or overlap.
func TestBins(t *testing.T) {
	for i := range NumBins - 1 {
		if BinOf(binEnd(i)) != i || BinOf(binEnd(i)+1) != i+1 {
			t.Errorf("bin %d ends at %d, which is in %d, and the next in %d", i, binEnd(i), BinOf(binEnd(i)), BinOf(binEnd(i)+1))
		}
	}
	if BinOf(1<<63) != NumBins-1 {
		t.Error("what is too long is not in the last bin")
	}
}

func TestMagnitudes(t *testing.T) {
	var h Times
	for _, ns := range []uint64{0, 1, 2, 3, 4, 7, 8, 1023, 1024} {
		h.Add(ns)
	}
	got := h.Magnitudes()
	for bits, want := range map[int]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 1, 5: 0, 10: 1, 11: 1} {
		if got[bits] != want {
			t.Errorf("%d times of %d bits, want %d", got[bits], bits, want)
		}
	}
}
