package tally

import "github.com/ext4dio/ext4dio-trace/export"

// Span is a piece of time, and the writes that were entered in it, by what they got.
type Span struct {
	Shared, Exclusive, Other uint32
}

// numSpans is how many are kept.
const numSpans = 512

// Series is the recent past, or the whole of a recording, in spans of equal length.
type Series struct {
	Start uint64 // of the first span, ns of CLOCK_MONOTONIC
	Width uint64 // of a span, ns
	Spans []Span // the last one may not be over
}

// series gathers a Series. One of a kernel forgets what is older than it can hold; one of
// a recording keeps all of it, in ever longer spans.
type series struct {
	whole bool
	start uint64
	width uint64
	spans []Span
}

func (s *series) at(ns uint64) *Span {
	if s.spans == nil {
		s.spans = make([]Span, 0, numSpans)
		s.start = ns - ns%s.width
	}
	if ns < s.start {
		ns = s.start // it began before those that ended earlier
	}
	for (ns-s.start)/s.width >= numSpans {
		if s.whole {
			s.fold()
		} else {
			s.forget(int((ns-s.start)/s.width) - numSpans + 1)
		}
	}
	i := int((ns - s.start) / s.width)
	for len(s.spans) <= i {
		s.spans = append(s.spans, Span{})
	}
	return &s.spans[i]
}

func (s *series) add(r *export.Row) {
	span := s.at(r.TimeNs)
	switch {
	case export.Is(r.Lock, export.Shared):
		span.Shared++
	case export.Is(r.Lock, export.Exclusive):
		span.Exclusive++
	default:
		span.Other++
	}
}

// fold makes one span of two.
func (s *series) fold() {
	n := (len(s.spans) + 1) / 2
	for i := range n {
		sum := s.spans[2*i]
		if 2*i+1 < len(s.spans) {
			b := &s.spans[2*i+1]
			sum.Shared, sum.Exclusive, sum.Other = sum.Shared+b.Shared, sum.Exclusive+b.Exclusive, sum.Other+b.Other
		}
		s.spans[i] = sum
	}
	s.spans = s.spans[:n]
	s.width *= 2
}

// forget drops the n oldest spans, or all of them.
func (s *series) forget(n int) {
	s.spans = append(s.spans[:0], s.spans[min(n, len(s.spans)):]...)
	s.start += uint64(n) * s.width
}

func (s *series) picture() Series {
	return Series{Start: s.start, Width: s.width, Spans: append([]Span(nil), s.spans...)}
}
