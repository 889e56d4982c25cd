package whatif

import "github.com/ext4dio/ext4dio-trace/decode/observe"

// step is one write, or one time that somebody else held the lock, as the simulation
// repeats it. Times are ns.
type step struct {
	entry  int64 // ns of CLOCK_MONOTONIC
	done   int64 // of its return, or when queued of its submission, since entry
	end    int64 // of its I/O, since entry
	waited int64 // for i_rwsem
	back   int64 // of an offloaded write: entry to the return of the first try
	hop    int64 // of one: entry to the beginning of the try that was not refused
	pre    int64 // entry, or that beginning, to the first try to lock
	check  int64 // under a first lock that was given up again, or before a drain of no write
	submit int64 // from the last lock to the submission of the I/O
	device int64 // from there until it is complete
	tail   int64 // of a queued write: from the submission of the I/O to the return
	locked int64 // when it got the last lock, since entry
	queue  int64 // how long it was queued for that
	// others is how long somebody who is not in the trace held the lock before.
	others int64
	writer int32
	file   int32
	size   int32
	depth  int32 // I/O in flight on the disk when this was submitted, itself included
	part   part
	now    way
	then   ways // under each change
}

// ways are those of a write under each change.
type ways [maxChanges]way

// fill takes the times of a write from its observation.
func (s *step) fill(o *observe.Observation, now way, then *ways) {
	s.entry, s.done, s.end, s.waited = int64(o.Time), int64(o.SubmitNs), int64(o.LatencyNs), int64(o.WaitNs)
	s.size, s.now, s.then = int32(min(o.Len0, 1<<30)), now, *then
	for i := range s.then {
		if s.then[i].lock == Undecided {
			s.then[i] = now
		}
	}
	s.end = max(s.end, s.done)
	if !o.Queued {
		s.end = s.done
	}
	if len(o.Passes) == 0 {
		// It has no part that is known to be under the lock, but a buffered copy is.
		s.submit = max(0, s.done-s.waited)
		return
	}
	locked := s.locks(o)
	s.locked = locked
	if o.Drain != nil {
		locked += int64(o.Drain.Ns)
	}
	sent := locked
	for i := range o.Mappings {
		sent = max(sent, int64(o.Mappings[i].AtUs)*1000)
	}
	for i := range o.Summed {
		sent = max(sent, int64(o.Summed[i].AtUs)*1000)
	}
	sent = min(sent, s.done)
	s.submit = max(0, sent-locked)
	s.device = s.end - sent
	s.tail = s.done - sent
	if !o.Dio {
		s.submit, s.device, s.tail = s.done-min(locked, s.done), 0, 0
	}
}

// again makes s, which was refused, one with the try that was made after it.
func (s *step) again(next *step) {
	hop, back := next.entry-s.entry, s.done
	if s.now.offload {
		back = s.back
	}
	next.entry, next.writer, next.file, next.waited = s.entry, s.writer, s.file, next.waited+s.waited
	next.hop, next.back = hop, min(back, hop)
	next.done += hop
	next.end += hop
	next.locked += hop
	*s = *next
}

// returned is when the writer could go on, since entry.
func (s *step) returned() int64 {
	if s.now.offload {
		return s.back
	}
	return s.done
}

// locks finds when the locks were got, sets what came before the last one, and returns
// when that was got, ns since entry.
func (s *step) locks(o *observe.Observation) int64 {
	first := int64(o.Passes[0].AtUs) * 1000
	last := int64(o.Passes[len(o.Passes)-1].AtUs) * 1000
	s.pre = first
	locked, dropped := first, int64(-1)
	for i := range o.Waits {
		at := int64(o.Waits[i].AtUs) * 1000
		switch {
		case at <= first:
			s.pre, locked = max(0, at-int64(o.Waits[i].Ns)), at
			s.queue = int64(o.Waits[i].Ns)
		case at <= last:
			dropped = max(locked, at-int64(o.Waits[i].Ns))
			s.check, locked = dropped-locked, at
			s.queue = int64(o.Waits[i].Ns)
		}
	}
	if dropped < 0 && last > first {
		s.check, locked, s.queue = max(0, last-locked), last, 0
	}
	return locked
}
