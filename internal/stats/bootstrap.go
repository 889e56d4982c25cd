package stats

import (
	"math"
	"math/rand/v2"
)

const (
	// Draws is how often a run is drawn again: the standard error is then within a few
	// percent of that of endlessly many draws.
	Draws = 400
	// MinBlocks is into how many blocks a run is cut at least. With fewer, what one differs
	// from another by tells nothing.
	MinBlocks = 8
)

// Bootstrap is a statistic of a run that was cut into windows of the same length of time.
// The run is drawn again from itself many times, in blocks of windows that follow on each
// other, as a circle: of is the statistic of a run in which each window occurs as often as
// its weight says. What windows have to do with each other stays in the blocks as far as
// these are long enough. So lengths of 1, 2, 4 … windows are tried, up to an eighth of the
// run, and the one counts that says the most to be uncertain.
//
// The same seed gives the same result. A statistic that is not a number in some draws is
// taken from the others; one that is in fewer than half of them is not known.
func Bootstrap(windows int, seed uint64, of func(weights []float64) float64) Spread {
	weights := make([]float64, windows)
	for i := range weights {
		weights[i] = 1
	}
	out := Spread{Value: of(weights)}
	if math.IsNaN(out.Value) {
		return out
	}
	widest := -1.0
	for length := 1; windows/length >= MinBlocks; length *= 2 {
		rng := rand.New(rand.NewPCG(seed, uint64(length)))
		se, ok := drawn(rng, weights, length, of)
		if !ok {
			continue
		}
		df := float64(windows/length - 1)
		if half := se * critical(df, 0.95); half > widest {
			widest, out.SE, out.DF = half, se, df
		}
	}
	return out
}

// drawn is the standard error of the statistic, by blocks of a length.
func drawn(rng *rand.Rand, weights []float64, length int, of func([]float64) float64) (float64, bool) {
	n := len(weights)
	values := make([]float64, 0, Draws)
	for range Draws {
		clear(weights)
		for left := n; left > 0; left -= length {
			at := rng.IntN(n)
			for i := range min(length, left) {
				weights[(at+i)%n]++
			}
		}
		if v := of(weights); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	if len(values) < Draws/2 {
		return 0, false
	}
	blocks := float64(n) / float64(length)
	_, sd := meanDeviation(values)
	return sd * math.Sqrt(blocks/(blocks-1)), true
}

// Share is a part of a whole, of which each window tells how much: hits of tries. Where it is
// the same in all windows, drawing tells nothing of how far it may be off; then it is by as
// much as one window that is otherwise would make it.
func Share(hits, tries []float64, seed uint64) Spread {
	with := 0.0
	for _, n := range tries {
		if n > 0 {
			with++
		}
	}
	s := Bootstrap(len(tries), seed, func(w []float64) float64 { return dot(w, hits) / dot(w, tries) })
	s = s.atMost(with)
	if !s.Known() {
		return s
	}
	p := 1 / (with + 2) // of one window in so many, with one more of each kind
	s.SE = max(s.SE, math.Sqrt(p*(1-p)/(with+2)))
	return s
}

// Mean is a sum by a count, of which each window has its part. With logs it is the logarithm
// of that.
func Mean(sums, counts []float64, seed uint64, logs bool) Spread {
	with := 0.0
	for _, n := range counts {
		if n > 0 {
			with++
		}
	}
	return Bootstrap(len(sums), seed, func(w []float64) float64 {
		mean := dot(w, sums) / dot(w, counts)
		if logs {
			return math.Log(mean)
		}
		return mean
	}).atMost(with)
}

// AtMost is s when it rests on so many windows with something in them: a run of 64 windows of
// which 9 are not empty says no more than one of 9.
func (s Spread) AtMost(windows int) Spread { return s.atMost(float64(windows)) }

func (s Spread) atMost(windows float64) Spread {
	if s.DF = min(s.DF, windows-1); windows < MinBlocks {
		s.DF = 0
	}
	return s
}

func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
