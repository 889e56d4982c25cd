package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// wander are the numbers of so many windows, of which each depends on the one before it by
// phi; their mean is 0.
func wander(rng *rand.Rand, n int, phi float64) []float64 {
	out := make([]float64, n)
	x := rng.NormFloat64() / math.Sqrt(1-phi*phi)
	for i := range out {
		x = phi*x + rng.NormFloat64()
		out[i] = x
	}
	return out
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// Of runs whose windows depend on each other, at most so many comparisons of equals find a
// difference as the level allows. Windows that are drawn one by one would find far more.
func TestBootstrapOfDependentWindows(t *testing.T) {
	const runs, windows, phi = 400, 64, 0.6
	rng := rand.New(rand.NewPCG(7, 8))
	blocks, naive := 0, 0
	for i := range runs {
		a, b := wander(rng, windows, phi), wander(rng, windows, phi)
		sa, sb := Mean(a, ones(windows), uint64(2*i), false), Mean(b, ones(windows), uint64(2*i+1), false)
		if d, ok := Between(sa, sb, 0, 0.95); !ok || d.P < 0.05 {
			blocks++
		}
		if d, _ := Between(Runs(a), Runs(b), 0, 0.95); d.P < 0.05 {
			naive++
		}
	}
	if blocks > runs*10/100 {
		t.Errorf("%d of %d comparisons of equals find a difference", blocks, runs)
	}
	if naive < 2*blocks {
		t.Errorf("blocks: %d, no blocks: %d of %d; the test does not test blocks", blocks, naive, runs)
	}
}

// The same seed gives the same numbers, another one others.
func TestBootstrapSeed(t *testing.T) {
	x := wander(rand.New(rand.NewPCG(1, 1)), 40, 0.3)
	of := func(seed uint64) Spread { return Mean(x, ones(40), seed, false) }
	if one, again := of(1), of(1); one != again || one == of(2) {
		t.Errorf("%v, %v, %v", one, again, of(2))
	}
}

// A share that is the same in all windows is not certain: one window might have been otherwise.
func TestShareOfAll(t *testing.T) {
	all := func(n int, of float64) Spread {
		hits := make([]float64, n)
		for i := range hits {
			hits[i] = of
		}
		return Share(hits, ones(n), 1)
	}
	few, many := all(10, 1), all(60, 1)
	if few.Value != 1 || few.SE <= many.SE || many.SE <= 0 {
		t.Errorf("%+v, %+v", few, many)
	}
	if d, ok := Between(all(10, 1), all(10, 0), 0, 0.95); !ok || d.P > 1e-5 || d.Low < -1.3 {
		t.Errorf("all to none: %+v", d)
	}
	if s := all(MinBlocks-1, 1); s.Known() {
		t.Errorf("%d windows tell %+v", MinBlocks-1, s)
	}
}

// A run with something in a few windows only says no more than so many windows.
func TestFewWindows(t *testing.T) {
	sums, counts := make([]float64, 64), make([]float64, 64)
	for i := range MinBlocks {
		sums[9+i], counts[9+i] = float64(10+i%3), 1
	}
	if s := Mean(sums, counts, 1, true); !s.Known() || s.DF > MinBlocks-1 {
		t.Errorf("%+v", s)
	}
	sums[9], counts[9] = 0, 0
	if s := Mean(sums, counts, 1, true); s.Known() {
		t.Errorf("%d windows with something tell %+v", MinBlocks-1, s)
	}
	if s := Mean(make([]float64, 64), make([]float64, 64), 1, false); s.Known() || !math.IsNaN(s.Value) {
		t.Errorf("nothing tells %+v", s)
	}
}

func TestBetween(t *testing.T) {
	spread := func(v, se, df float64) Spread { return Spread{v, se, df} }
	for _, c := range []struct {
		name      string
		a, b      Spread
		least     float64
		low, high float64 // of the interval
		found     bool
	}{
		// t(18) reaches 2.101 standard errors at 95 %.
		{"far", spread(1, 0.1, 9), spread(2, 0.1, 9), 0, 1 - 2.101*math.Sqrt(0.02), 1 + 2.101*math.Sqrt(0.02), true},
		{"near", spread(1, 0.1, 9), spread(1.2, 0.1, 9), 0, 0.2 - 2.101*math.Sqrt(0.02), 0.2 + 2.101*math.Sqrt(0.02), false},
		{"more than the least", spread(1, 0.1, 9), spread(2, 0.1, 9), 0.5, 1 - 2.101*math.Sqrt(0.02), 1 + 2.101*math.Sqrt(0.02), true},
		{"less than the least", spread(1, 0.1, 9), spread(2, 0.1, 9), 0.9, 1 - 2.101*math.Sqrt(0.02), 1 + 2.101*math.Sqrt(0.02), false},
		{"one is certain", spread(1, 0, 9), spread(2, 0.1, 9), 0, 1 - 0.2262, 1 + 0.2262, true},
		{"both are", spread(1, 0, 9), spread(2, 0, 9), 0.9, 1, 1, true},
		{"both are the same", spread(1, 0, 9), spread(1, 0, 9), 0, 0, 0, false},
	} {
		d, ok := Between(c.a, c.b, c.least, 0.95)
		if !ok || math.Abs(d.Low-c.low) > 1e-3 || math.Abs(d.High-c.high) > 1e-3 || (d.P < 0.05) != c.found {
			t.Errorf("%s: %+v, %v", c.name, d, ok)
		}
	}
	for _, unknown := range []Spread{{}, {Value: 1}, {math.NaN(), 1, 1}, {1, math.NaN(), 1}, {math.Inf(-1), 1, 1}} {
		if _, ok := Between(unknown, spread(1, 0.1, 9), 0, 0.95); ok {
			t.Errorf("compared with %+v", unknown)
		}
	}
}

func TestRuns(t *testing.T) {
	s := Runs([]float64{1, 2, 3, 4})
	if s.Value != 2.5 || math.Abs(s.SE-0.6455) > 1e-4 || s.DF != 3 {
		t.Errorf("%+v", s)
	}
	if low, high := s.Interval(0.95); math.Abs(low-0.4457) > 1e-3 || math.Abs(high-4.5543) > 1e-3 {
		t.Errorf("%v to %v", low, high)
	}
	if one := Runs([]float64{7}); one.Known() || one.Value != 7 {
		t.Errorf("one run tells %+v", one)
	}
	if none := Runs(nil); none.Known() {
		t.Errorf("none tells %+v", none)
	}
}

func TestHolm(t *testing.T) {
	got := Holm([]float64{0.04, 0.01, 0.03, 0.9})
	for i, want := range []float64{0.09, 0.04, 0.09, 0.9} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("%v", got)
			break
		}
	}
	if len(Holm(nil)) != 0 {
		t.Error("of none there are some")
	}
}

// What would most likely be found is found most of the times, and half of it is not.
func TestDetectable(t *testing.T) {
	a := Spread{0, 0.1, 20}
	d := Detectable(a, a, 0.05, 0.95)
	rng := rand.New(rand.NewPCG(5, 6))
	found := func(by float64) (n int) {
		for range 1000 {
			x, y := a, a
			x.Value, y.Value = 0.1*rng.NormFloat64(), by+0.1*rng.NormFloat64()
			if d, _ := Between(x, y, 0.05, 0.95); d.P < 0.05 {
				n++
			}
		}
		return n
	}
	if n := found(d); n < 700 || n > 900 {
		t.Errorf("%v is found in %d of 1000", d, n)
	}
	if n := found(d / 2); n > 400 {
		t.Errorf("half of %v is found in %d of 1000", d, n)
	}
	if d := Detectable(Spread{}, a, 0, 0.95); !math.IsInf(d, 1) {
		t.Errorf("without a spread it is %v", d)
	}
}

// The values of a table of Student's t.
func TestStudent(t *testing.T) {
	for _, c := range []struct{ df, level, want float64 }{
		{1, 0.95, 12.706}, {4, 0.95, 2.776}, {10, 0.99, 3.169}, {30, 0.95, 2.042}, {63, 0.9999, 4.155}, {1e6, 0.95, 1.960},
	} {
		got := critical(c.df, c.level)
		if math.Abs(got-c.want) > 0.002 {
			t.Errorf("t of %v at %v is %v, want %v", c.df, c.level, got, c.want)
		}
		if p := beyond(got, c.df); math.Abs(p-(1-c.level)) > 1e-9 {
			t.Errorf("beyond %v is %v of %v", got, p, c.df)
		}
	}
	if p := beyond(40, 20); p <= 0 || p > 1e-18 {
		t.Errorf("far away is %v", p)
	}
}
