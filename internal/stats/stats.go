// Package stats tells a difference between two measurements from noise.
//
// A Spread is a number with what it may be off by. There are two ways to one: of several
// runs, which are independent (Runs), and of one run that was cut into windows of time,
// whose writes are not (Bootstrap). Difference compares two of them, and Holm corrects for
// many of these comparisons.
package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Spread is a number that was measured.
type Spread struct {
	Value float64
	SE    float64 // its standard error
	DF    float64 // degrees of freedom of SE; 0 where nothing tells SE
}

// Known reports whether it is known what the number may be off by.
func (s Spread) Known() bool {
	return s.DF > 0 && !math.IsNaN(s.SE) && !math.IsInf(s.SE, 0) && !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0)
}

// Runs is the mean of what independent runs measured.
func Runs(values []float64) Spread {
	n := float64(len(values))
	if n == 0 {
		return Spread{Value: math.NaN()}
	}
	mean, sd := meanDeviation(values)
	if n < 2 {
		return Spread{Value: mean}
	}
	return Spread{Value: mean, SE: sd / math.Sqrt(n), DF: n - 1}
}

// Interval is where the number is with a probability of level, 0 to 1.
func (s Spread) Interval(level float64) (low, high float64) {
	half := critical(s.DF, level) * s.SE
	return s.Value - half, s.Value + half
}

// meanDeviation is the mean and the standard deviation.
func meanDeviation(values []float64) (mean, sd float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v
	}
	mean /= n // behind the sum: that of equal values is exact
	for _, v := range values {
		sd += (v - mean) * (v - mean) / (n - 1)
	}
	return mean, math.Sqrt(sd)
}

// critical is how many standard errors an interval reaches to each side: Student's t. It is
// taken from the beta function, as gonum's stat/distuv would bring all of gonum's matrices
// into the program: 2 MB.
func critical(df, level float64) float64 {
	x := mathext.InvRegIncBeta(df/2, 0.5, 1-level)
	return math.Sqrt(df * (1 - x) / x)
}

// beyond is the probability that Student's t is so far from 0, to either side.
func beyond(t, df float64) float64 { return mathext.RegIncBeta(df/2, 0.5, df/(df+t*t)) }

// Difference is how much larger one number is than another.
type Difference struct {
	Value, Low, High float64
	// P is the probability of such a difference where the true one is at most the least
	// that was asked for.
	P  float64
	DF float64
}

// Between is b - a, with the interval of a level by Welch's t, and with the test of whether
// it is more than least. It is false where that is not known of one of them.
func Between(a, b Spread, least, level float64) (Difference, bool) {
	d := Difference{Value: b.Value - a.Value, P: 1}
	if !a.Known() || !b.Known() {
		return d, false
	}
	va, vb := a.SE*a.SE, b.SE*b.SE
	se := math.Sqrt(va + vb)
	if se == 0 {
		d.Low, d.High = d.Value, d.Value
		if d.DF = a.DF + b.DF; math.Abs(d.Value) > least {
			d.P = 0
		}
		return d, true
	}
	d.DF = (va + vb) * (va + vb) / (va*va/a.DF + vb*vb/b.DF)
	half := critical(d.DF, level) * se
	d.Low, d.High = d.Value-half, d.Value+half
	if t := (math.Abs(d.Value) - least) / se; t > 0 {
		d.P = beyond(t, d.DF)
	}
	return d, true
}

// Detectable is the least true difference that would most likely have been found by a test
// on this level, as far as the spread of the two tells.
func Detectable(a, b Spread, least, level float64) float64 {
	d, ok := Between(Spread{SE: a.SE, DF: a.DF}, Spread{SE: b.SE, DF: b.DF}, 0, level)
	if !ok {
		return math.Inf(1)
	}
	const power = 0.84 // in standard errors: found in 80 of 100 times
	half := d.High
	return least + half + power*half/critical(d.DF, level)
}

// Holm corrects the probabilities of several tests by the method of Holm, so that on a level
// of 5 % one of them finds what is not there in one of twenty times, however many they are.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	worst := 0.0
	for rank, i := range order {
		worst = max(worst, min(1, p[i]*float64(len(p)-rank)))
		out[i] = worst
	}
	return out
}
