package tally

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
)

// maxFindings bounds the findings that are kept apart.
const maxFindings = 64

// Finding is one kind of disagreement: those of one verdict, with the same rules broken,
// for the same reason.
type Finding struct {
	Verdict     judge.Kind
	Rules       string
	Reason      string
	Writes      uint64
	First, Last uint64 // entry of the first and the last of them, ns of CLOCK_MONOTONIC
	Number      uint64 // of the first one among all writes, from 1
	// Example is the first one. It is never changed again.
	Example *export.Row
}

type findingKey struct {
	verdict       judge.Kind
	rules, reason string
}

// Findings gathers them. Its zero value is empty, and its memory is bounded.
type Findings struct {
	all  map[findingKey]*Finding
	more uint64 // disagreements of further kinds
}

// Add takes a disagreement, the reason of its row and its number among all writes. r
// stays the caller's.
func (f *Findings) Add(r *export.Row, reason string, number uint64) {
	key := findingKey{r.Verdict.V, strings.Join(r.Rules, " "), reason}
	e := f.all[key]
	switch {
	case e != nil:
		e.Writes++
		e.Last = max(e.Last, r.TimeNs)
	case len(f.all) >= maxFindings:
		f.more++
	default:
		if f.all == nil {
			f.all = make(map[findingKey]*Finding)
		}
		example := r.Clone()
		f.all[key] = &Finding{
			Verdict: key.verdict, Rules: key.rules, Reason: strings.Clone(reason), Writes: 1,
			First: r.TimeNs, Last: r.TimeNs, Number: number, Example: &example,
		}
	}
}

// Len is the number of kinds that are kept apart.
func (f *Findings) Len() int { return len(f.all) }

// More is the number of disagreements of further kinds.
func (f *Findings) More() uint64 { return f.more }

// List lists the kinds, the unsafe ones first, then the most frequent.
func (f *Findings) List() []Finding {
	out := make([]Finding, 0, len(f.all))
	for _, e := range f.all {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Verdict, a.Verdict), cmp.Compare(b.Writes, a.Writes), cmp.Compare(a.Number, b.Number))
	})
	return out
}
