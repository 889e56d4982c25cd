package probes

import "sync"

// maxMarks bounds how far back skipped probes are placed in time; with a mark at each
// reading of the losses, twice a second, that is some minutes.
const maxMarks = 512

// skips remembers how many probes inside writes the kernel had skipped, and when. It is
// safe for concurrent use.
type skips struct {
	mu    sync.Mutex
	marks []skipMark // oldest first; the first stands for the begin
	last  uint64     // when the last reading began
	n     uint64     // what it read
}

type skipMark struct {
	t uint64 // ns of CLOCK_MONOTONIC, when the reading was over
	n uint64
}

// add notes a reading that lasted from begin to end.
func (k *skips) add(begin, end, n uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if begin < k.last {
		return
	}
	k.last, k.n = begin, n
	if len(k.marks) == maxMarks {
		k.marks = append(k.marks[:1], k.marks[maxMarks/2:]...)
	}
	k.marks = append(k.marks, skipMark{end, n})
}

// between reports whether some may have been skipped from one instant to another. It is
// not known, and fresh is false, when the last reading began before the second.
func (k *skips) between(from, to uint64) (any, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last < to {
		return false, false
	}
	var before uint64
	for i := len(k.marks) - 1; i >= 0; i-- {
		if k.marks[i].t <= from {
			before = k.marks[i].n
			break
		}
	}
	return k.n > before, true
}

// Doubt reports whether the kernel may have skipped a probe inside a write that lasted
// from one instant to another, ns of CLOCK_MONOTONIC: what was seen of it may then be
// wrong. What cannot be read is in doubt. It is for those writes only that seem to
// disagree: it may ask the kernel about every program. It is safe for concurrent use.
func (s *Session) Doubt(from, to uint64) bool {
	if any, fresh := s.skips.between(from, to); fresh {
		return any
	}
	if _, _, _, err := s.misses(); err != nil {
		return true
	}
	any, fresh := s.skips.between(from, to)
	return any || !fresh
}
