package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// budgetParts are the letter and the words of each part of a budget, by its name.
var budgetParts = map[string]struct {
	letter byte
	what   string
}{
	"spin":        {'l', "entry, spinning for i_rwsem, the write checks"},
	"queue":       {partWait, "queued for i_rwsem"},
	"failed_pass": {'p', "a pass that was given up"},
	"lookup":      {'k', "ext4_map_blocks of the checks"},
	"drain":       {'d', "inode_dio_wait"},
	"times":       {'t', "time stamps, privileges, a journal handle"},
	"alloc":       {partMap, "ext4_iomap_begin: lookup, journal, allocation"},
	"zero":        {'z', "iomap_dio_zero"},
	"submit":      {'s', "the rest of iomap_dio_rw"},
	"device":      {partIO, "the last bio submitted, to the last bio ended"},
	"wakeup":      {'u', "from there to ext4_dio_write_end_io"},
	"convert":     {'x', "unwritten extents, i_size"},
	"sync":        {'f', "ext4_sync_file of O_DSYNC"},
	"buffered":    {partCopy, "ext4_buffered_write_iter"},
	"rest":        {'r', "checks, unlock, return"},
}

// partFew are parts of which each took little, one behind the other.
const partFew = '-'

// budgetCourse is the course of a write of which each instant is known, nil of another one.
// Parts that took less than a two-hundredth and follow one another are one.
func budgetCourse(r *export.Row) *timeline {
	spans := r.Budget.V.Spans
	t := &timeline{whole: r.LatencyNs.V}
	if !coverAll(spans, t.whole) {
		return nil
	}
	for len(spans) > 0 {
		few := 0
		for few < len(spans) && spans[few].Ns < t.whole/200 {
			few++
		}
		s := &spans[0]
		part := stretch{letter: budgetParts[s.Part.String()].letter, at: s.At, ns: s.Ns, what: partText(s.Part)}
		if few > 1 {
			part = together(spans[:few])
		} else if s.Part == record.BudgetQueue {
			part.more = queuedFor(r, s)
		}
		t.all = append(t.all, part)
		spans = spans[max(few, 1):]
	}
	t.all = append(t.all, momentsOf(r)...)
	slices.SortStableFunc(t.all, func(a, b stretch) int { return cmp.Compare(a.at, b.at) })
	return t
}

// coverAll reports whether spans follow one another without a gap for so long.
func coverAll(spans []export.BudgetSpan, whole uint64) bool {
	at := uint64(0)
	for _, s := range spans {
		if s.At != at {
			return false
		}
		at += s.Ns
	}
	return at == whole
}

// queuedFor says for whom a write was queued: the wait ends with that part.
func queuedFor(r *export.Row, s *export.BudgetSpan) []string {
	const close = 2000 // waits are timed in microseconds
	end := s.At + s.Ns
	for i := range r.Waits {
		if at := uint64(r.Waits[i].AtUs) * 1000; at+close >= end && at <= end+close {
			return export.WaitedFor(r.Waits[i:i+1], s.Ns)
		}
	}
	return nil
}

func partText(p record.BudgetPart) string {
	return fmt.Sprintf("%-11s %s", p, budgetParts[p.String()].what)
}

// together are parts that follow one another as one, which says what each took.
func together(spans []export.BudgetSpan) stretch {
	var ns [record.NumBudgetParts]uint64
	s := stretch{letter: partFew, at: spans[0].At}
	for _, of := range spans {
		ns[of.Part] += of.Ns
		s.ns += of.Ns
	}
	var words []string
	for _, p := range record.BudgetOrder {
		if ns[p] > 0 {
			words = append(words, p.String()+" "+export.Duration(ns[p]))
		}
	}
	s.what = strings.Join(words, ", ")
	return s
}

// budgetTimeline puts the parts of a budget in the order in which they were, or, where that is
// not known, in which a write passes them: each is all that was spent so then, and the parts of
// a write that does one thing again and again lie between one another. What is not known of
// them is one more part.
func budgetTimeline(r *export.Row) *timeline {
	if t := budgetCourse(r); t != nil {
		return t
	}
	b := &r.Budget.V
	t := &timeline{whole: r.LatencyNs.V, summed: true}
	at := uint64(0)
	for _, p := range record.BudgetOrder {
		ns := b.Ns[p]
		if !ns.Known || ns.V == 0 {
			continue
		}
		s := stretch{letter: budgetParts[p.String()].letter, at: at, ns: ns.V, what: partText(p)}
		if p == record.BudgetQueue {
			s.more = export.WaitedFor(r.Waits, ns.V)
		}
		t.all = append(t.all, s)
		at += ns.V
	}
	if b.Missing != "" {
		t.note = "not known: " + export.SafeText(b.Missing)
	}
	if t.whole > at {
		t.all = append(t.all, stretch{letter: '?', at: at, ns: t.whole - at, what: fmt.Sprintf("%-11s %s", "?", "not known")})
	}
	t.whole = max(t.whole, at)
	t.all = append(t.all, momentsOf(r)...)
	return t
}

// momentsOf are the moments of a write, without the parts between them.
func momentsOf(r *export.Row) (out []stretch) {
	for _, s := range seenTimeline(r).all {
		if s.letter == 0 {
			out = append(out, s)
		} else if s.letter >= partPass && s.letter <= '9' {
			out = append(out, stretch{at: s.at, what: fmt.Sprintf("pass %c", s.letter)})
		}
	}
	return out
}
