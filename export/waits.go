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
// (the nearest rank). It is not known of no writes, nor when there were too many waits.
func (w *waits) quantile(q float64) Opt[uint64] {
	if w.writes == 0 || w.over {
		return Opt[uint64]{}
	}
	if !w.sorted {
		slices.Sort(w.ns)
		w.sorted = true
	}
	rank := max(uint64(math.Ceil(q*float64(w.writes))), 1)
	if zero := w.writes - uint64(len(w.ns)); rank > zero {
		return Some(w.ns[rank-zero-1])
	}
	return Some(uint64(0))
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
		m := modeWaits{Lock: Lock(mode).String(), Writes: w.writes, WaitNs: w.sum}
		for _, q := range []struct {
			share float64
			to    **uint64
		}{{0.5, &m.P50}, {0.99, &m.P99}, {1, &m.Max}} {
			if v := w.quantile(q.share); v.Known {
				*q.to = &v.V
			}
		}
		out = append(out, m)
	}
	return out
}
