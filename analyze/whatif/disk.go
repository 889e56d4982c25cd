package whatif

import (
	"cmp"
	"math/bits"
	"slices"
)

// depthClasses are 1, 2, 3-4, 5-8 … I/O in flight.
const depthClasses = 16

// enough is how many writes tell a service time.
const enough = 20

// disk is how long I/O takes, and how that depends on how much is in flight.
type disk struct {
	// factor of each depth class to the mean of its sizes.
	factor  [depthClasses]float64
	most    int     // deepest class that was seen often enough
	growth  float64 // of the factor for each class beyond that
	deepest int     // most in flight that was seen
	classes int     // seen often enough
}

func depthClass(n int) int { return min(bits.Len(uint(max(n, 1)-1)), depthClasses-1) }

func sizeClass(n int32) int { return bits.Len32(uint32(n)) }

// learn measures the disk in a window, and notes the depth at which each write was made.
func (d *disk) learn(w *window) {
	depths(w)
	var sum [33]float64
	var count [33]int
	for i := range w.steps {
		if s := &w.steps[i]; s.device > 0 && s.writes() {
			sum[sizeClass(s.size)] += float64(s.device)
			count[sizeClass(s.size)]++
		}
	}
	var total [depthClasses]float64
	var n [depthClasses]int
	for i := range w.steps {
		s := &w.steps[i]
		if c := sizeClass(s.size); s.device > 0 && s.writes() {
			at := depthClass(int(s.depth))
			total[at] += float64(s.device) * float64(count[c]) / sum[c]
			n[at]++
			d.deepest = max(d.deepest, int(s.depth))
		}
	}
	d.settle(&total, &n)
}

// settle makes factors of the sums. A class that was seen too seldom is like the one
// below it; beyond the deepest, time grows on as it did, where it did.
func (d *disk) settle(total *[depthClasses]float64, n *[depthClasses]int) {
	least, first := 0.0, -1
	for c := range depthClasses {
		d.factor[c] = 1
		if c > 0 {
			d.factor[c] = d.factor[c-1]
		}
		if n[c] < enough {
			continue
		}
		d.factor[c] = total[c] / float64(n[c])
		d.classes++
		d.most = c
		if first < 0 {
			least, first = d.factor[c], c
		}
	}
	for c := 0; c < first; c++ {
		d.factor[c] = least
	}
	const noise = 1.25
	if d.classes > 1 && d.factor[d.most] > noise*least {
		d.growth = d.factor[d.most] / d.factor[d.most-1]
	}
	for c := d.most + 1; c < depthClasses; c++ {
		d.factor[c] = d.factor[c-1] * max(1, min(d.growth, 2))
	}
}

// scale is how much longer I/O takes with now in flight than with was.
func (d *disk) scale(now, was int) float64 {
	return d.factor[depthClass(now)] / d.factor[depthClass(was)]
}

// depths counts the I/O in flight on the disk of each write, itself included. A write
// returns a little after it gave its lock back: that is no I/O beside the next one's.
func depths(w *window) {
	type edge struct {
		at   int64
		step int32
		up   bool
	}
	var edges []edge
	for i := range w.steps {
		if s := &w.steps[i]; s.device > 0 {
			end := s.entry + s.end
			edges = append(edges, edge{end - s.device, int32(i), true}, edge{end - s.device/50, int32(i), false})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step))
	})
	flying := map[uint32]int32{}
	for _, e := range edges {
		dev := w.files[w.steps[e.step].file].dev
		if !e.up {
			flying[dev]--
			continue
		}
		flying[dev]++
		w.steps[e.step].depth = flying[dev]
	}
}
