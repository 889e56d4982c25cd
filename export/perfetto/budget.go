package perfetto

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// appendBudget appends when r was in which part of its time, as far as that is known and lies
// between from and to. In its task, and then in flight.
func appendBudget(dst []span, r *export.Row, from, to uint64) []span {
	if !r.Budget.Known {
		return dst
	}
	for _, b := range r.Budget.V.Spans {
		at := r.TimeNs + b.At
		if s := (span{max(at, from), min(at+b.Ns, to), "budget: " + b.Part.String()}); s.to > s.from {
			dst = append(dst, s)
		}
	}
	return dst
}

// annotateBudget adds the sums, and of which of them it is not known when they were.
func (w *Writer) annotateBudget(b *export.Budget) {
	unplaced := b.Unplaced()
	for _, p := range record.BudgetOrder {
		if ns := b.Ns[p]; ns.Known {
			w.noteInt("budget_"+p.String()+"_ns", int64(ns.V))
		}
		if ns := unplaced[p]; ns > 0 {
			w.noteInt("budget_"+p.String()+"_without_place_ns", int64(ns))
		}
	}
	w.noteText("budget_incomplete", b.Missing)
}

// shortest is what is left of a span that lies in two parts of a budget, ns: waits and sleeps
// are timed in microseconds, and parts in nanoseconds.
const shortest = 1000

// nest writes spans of a track from an instant on: outer ones, which follow one another, and
// inner ones below them, cut where an outer one begins or ends.
func (w *Writer) nest(track uint64, outer, inner []span, from uint64, category string) {
	slices.SortStableFunc(inner, func(a, b span) int { return int(int64(a.from - b.from)) })
	at := from
	between := func(from, to uint64) { // the inner ones there
		for _, s := range inner {
			whole := s.to - s.from
			s.from, s.to = max(s.from, from, at), min(s.to, to)
			if s.to > s.from && s.to-s.from >= min(whole, shortest) {
				w.slice(track, s.from, s.to, s.name, category, nil)
				at = s.to
			}
		}
	}
	for _, s := range outer {
		between(at, s.from)
		at = s.from
		w.event(track, s.from, typeBegin, s.name, category, nil)
		between(s.from, s.to)
		w.event(track, s.to, typeEnd, "", "", nil)
		at = s.to
	}
	between(at, ^uint64(0))
}
