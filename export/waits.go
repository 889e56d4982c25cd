package export

import (
	"math"
	"slices"
)

// maxWaits bounds how many waits of one mode are kept, 32 MB of them.
const maxWaits = 1 << 22

// waits are the times, ns, that writes of one lock mode waited for i_rwsem. Most did
// not wait, and are only counted. Its zero value is empty.
type waits struct {
	writes uint64
	sum    uint64
	ns     []uint64 // those that are not 0, until there are too many
	sorted bool
	over   bool // there were too many
}

func (w *waits) add(ns uint64) {
	w.writes++
	w.sum += ns
	switch {
	case ns == 0 || w.over:
	case len(w.ns) == maxWaits:
		w.over, w.ns = true, nil
	default:
		w.ns = append(w.ns, ns)
		w.sorted = false
	}
}

// quantile is the least wait that at least the share q of the writes did not exceed
// (the nearest rank). It is nil of no writes, and when there were too many waits.
func (w *waits) quantile(q float64) *uint64 {
	if w.writes == 0 || w.over {
		return nil
	}
	if !w.sorted {
		slices.Sort(w.ns)
		w.sorted = true
	}
	rank := max(uint64(math.Ceil(q*float64(w.writes))), 1)
	if zero := w.writes - uint64(len(w.ns)); rank > zero {
		ns := w.ns[rank-zero-1]
		return &ns
	}
	return new(uint64)
}

// modeWaits is what is said of the waits of one mode.
type modeWaits struct {
	Lock   string  `json:"lock"`
	Writes uint64  `json:"writes"`
	WaitNs uint64  `json:"wait_ns"`
	P50    *uint64 `json:"p50_ns"` // null when there were too many to keep
	P99    *uint64 `json:"p99_ns"`
	Max    *uint64 `json:"max_ns"`
}

// byMode lists the modes that were held, or were waited for in vain.
func (b *Breakdown) byMode() []modeWaits {
	out := []modeWaits{}
	for mode := range b.waits {
		w := &b.waits[mode]
		if w.writes == 0 {
			continue
		}
		out = append(out, modeWaits{
			Lock: Lock(mode).String(), Writes: w.writes, WaitNs: w.sum,
			P50: w.quantile(0.5), P99: w.quantile(0.99), Max: w.quantile(1),
		})
	}
	return out
}
