package tally

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Hold is a time, ns of CLOCK_MONOTONIC, during which a write held i_rwsem in a mode, or
// waited for it.
type Hold struct {
	From, To uint64
	Mode     record.Lock
}

// HoldOf is when r held the lock in its last mode: from its last checks to its return. ok
// is false when it never got so far, or that is not known.
func HoldOf(r *export.Row) (h Hold, ok bool) {
	n := len(r.Facts.Checks)
	if n == 0 || r.SubmitNs == 0 {
		return h, false
	}
	c := &r.Facts.Checks[n-1]
	return Hold{r.TimeNs + uint64(c.AtUs)*1000, r.TimeNs + r.SubmitNs, c.Lock}, true
}

// WaitOf is when r waited for the lock in w.
func WaitOf(r *export.Row, w *observe.Wait) Hold {
	to := r.TimeNs + uint64(w.AtUs)*1000
	return Hold{to - min(w.Ns, to), to, w.Lock}
}

// Blocks is for how long of the wait w the holder kept others from what w waited for. ok
// is false when it did not: it held the lock at another time, or both are shared.
func (h Hold) Blocks(w Hold) (ns uint64, ok bool) {
	if w.Mode == record.LockShared && h.Mode == record.LockShared || h.From >= w.To || h.To <= w.From {
		return 0, false
	}
	return min(h.To, w.To) - max(h.From, w.From), true
}
