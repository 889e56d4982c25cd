package whatif

import (
	"math"
	"math/bits"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// Sizes of what is kept for finding phases.
const (
	stretchMost  = 512 // then two become one
	stretchLeast = 8   // writes
	writerBits   = 256 // writers of a stretch are counted up to about twice as many
	kindsOfWrite = 16
)

// stretch is some writes that were complete one after the other.
type stretch struct {
	from, to uint64 // first entry, last end, ns of CLOCK_MONOTONIC
	writes   int
	spent    uint64 // time in which there was a write, ns
	busy     uint64 // time of all writes, ns
	who      [writerBits / 64]uint64
	kinds    [kindsOfWrite]uint32
}

// join adds what came after s.
func (s *stretch) join(o *stretch) {
	if s.writes == 0 {
		*s = *o
		return
	}
	s.from, s.to = min(s.from, o.from), max(s.to, o.to)
	s.writes += o.writes
	s.spent += o.spent
	s.busy += o.busy
	for i := range s.kinds {
		s.kinds[i] += o.kinds[i]
	}
	s.count(o)
}

// count counts the writers of o, too.
func (s *stretch) count(o *stretch) {
	for i := range s.who {
		s.who[i] |= o.who[i]
	}
}

// writers is how many threads wrote, as far as a set of their hashes tells.
func (s *stretch) writers() int {
	n := 0
	for _, w := range s.who {
		n += bits.OnesCount64(w)
	}
	if n == writerBits {
		n-- // at least so many
	}
	return int(math.Round(writerBits * math.Log(writerBits/float64(writerBits-n))))
}

// together is how many writes there were at a time, in the mean, while there were some.
func (s *stretch) together() float64 { return float64(s.busy) / float64(max(s.spent, 1)) }

// perSecond is the rate while there were writes.
func (s *stretch) perSecond() float64 { return float64(s.writes) * 1e9 / float64(max(s.spent, 1)) }

// stretches cut a trace into at most stretchMost parts of as many writes each.
type stretches struct {
	all  []stretch
	each int
	end  uint64 // latest end of a write so far
	mean float64
}

// add takes a write that was complete after those before it.
func (s *stretches) add(o *observe.Observation, lock Lock) {
	if s.each == 0 {
		s.each = stretchLeast
	}
	end := o.Time + o.LatencyNs
	one := stretch{from: o.Time, to: end, writes: 1, busy: o.LatencyNs}
	one.spent = s.spent(o.Time, end)
	h := o.Thread() * 0x9e3779b1 >> 24
	one.who[h/64] = 1 << (h % 64)
	one.kinds[kindOfWrite(o, lock)] = 1
	if n := len(s.all); n > 0 && s.all[n-1].writes < s.each {
		s.all[n-1].join(&one)
		return
	}
	if len(s.all) == stretchMost {
		s.halve()
	}
	s.all = append(s.all, one)
}

// spent is the time that came by the end of a write, without a pause of all.
func (s *stretches) spent(entry, end uint64) uint64 {
	took := float64(end - entry)
	if s.mean += (took - s.mean) / 64; s.end == 0 {
		s.end, s.mean = entry, took
	}
	if entry > s.end && float64(entry-s.end) > max(pauseNs, pauseTimes*s.mean) {
		s.end = entry
	}
	if end <= s.end {
		return 0
	}
	was := s.end
	s.end = end
	return end - was
}

// halve makes one stretch of two.
func (s *stretches) halve() {
	for i := range stretchMost / 2 {
		one := s.all[2*i]
		one.join(&s.all[2*i+1])
		s.all[i] = one
	}
	s.all, s.each = s.all[:stretchMost/2], 2*s.each
}

// kindOfWrite tells writes apart by their lock and by what decides it.
func kindOfWrite(o *observe.Observation, lock Lock) int {
	k := 0
	if unaligned, _ := o.Unaligned(); unaligned {
		k |= 1
	}
	if extending, _ := o.Extending(); extending {
		k |= 2
	}
	switch lock {
	case Exclusive:
		k |= 4
	case Buffered:
		k |= 8
	case Refused, Ended, Undecided:
		k |= 12
	}
	return k
}
