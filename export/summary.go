package export

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/record"
)

// maxReasons bounds the number of reasons that are counted apart.
const maxReasons = 64

// Totals counts rows. Its zero value is empty.
type Totals struct {
	Part

	// Written counts the writes with a positive result by record.Caller.
	Written [record.NumCallers]uint64

	// Inside are the first of the writes that had not returned, which are not counted
	// otherwise, and of those that were queued and not seen to end.
	Inside                  []Inside
	Unreturned, Uncompleted uint64

	reasons map[string]uint64 // why exclusive
	missing map[string]uint64 // facts that were missing for a verdict
	hazards map[string]uint64 // by rule: broken, but not promised
}

// Add counts r.
func (t *Totals) Add(r *Row) {
	switch {
	case r.Inside.Known:
		t.Unreturned++
		t.addInside(r)
		return
	case r.Facts.Queued && !r.Facts.Completed:
		t.Uncompleted++
		t.addInside(r)
	}
	t.Part.Add(r)
	if Is(r.Lock, Exclusive) {
		count(&t.reasons, r.ReasonText())
	}
	if Is(r.Verdict, judge.Undecided) {
		count(&t.missing, r.Missing)
	}
	for _, rule := range r.Hazards {
		count(&t.hazards, rule)
	}
	if r.Ret.V > 0 {
		t.Written[min(int(r.Caller), len(t.Written)-1)]++
	}
}

// count adds one to a reason, of which only so many are kept apart.
func count(m *map[string]uint64, reason string) {
	if *m == nil {
		*m = make(map[string]uint64)
	}
	if len(*m) >= maxReasons && (*m)[reason] == 0 {
		reason = "other reasons"
	}
	(*m)[reason]++
}

// Count is a reason and the number of its writes.
type Count struct {
	Reason string
	N      uint64
}

// Reasons lists why writes were exclusive, the most frequent first.
func (t *Totals) Reasons() []Count {
	out := make([]Count, 0, len(t.reasons))
	for reason, n := range t.reasons {
		out = append(out, Count{reason, n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Reason, b.Reason))
	})
	return out
}

// Clone returns a copy that shares nothing with t.
func (t *Totals) Clone() Totals {
	c := *t
	c.Inside = slices.Clone(t.Inside)
	c.reasons, c.missing, c.hazards = maps.Clone(t.reasons), maps.Clone(t.missing), maps.Clone(t.hazards)
	return c
}

// Summary is what is known at the end of a trace.
type Summary struct {
	Totals   Totals
	Losses   record.Losses
	Unpaired uint64 // queued writes whose completion was not seen
	Overlaps overlap.Stats
	Variant  string
	Evidence []string
	Elapsed  time.Duration // 0 when not known
}

// Issued is the number of writes that the kernel was asked for, counted at their
// entry; where the source has no such count, or has one that is older than the last
// writes, as in a recording that was cut off, the sum of what became of them.
func (s *Summary) Issued() uint64 {
	n := s.Losses.Seen + s.Losses.MissedEntry
	return max(n-min(n, s.Losses.TooFast), s.accounted())
}

// accounted is the number of writes of which it is known what became of them.
func (s *Summary) accounted() uint64 {
	return s.Totals.Writes + s.Losses.Lost() + s.Losses.Unfinished
}

// Unaccounted is the number of writes that were counted at their entry, but
// neither seen nor counted as lost. It means something only at the end.
func (s *Summary) Unaccounted() uint64 {
	if n := s.accounted(); s.Issued() > n {
		return s.Issued() - n
	}
	return 0
}

// Unproven reports whether something is missing, so that nothing is proven by
// what was seen.
func (s *Summary) Unproven() bool {
	return s.Losses.Any() || s.Losses.Unfinished+s.Totals.Unreturned > 0 || s.Unpaired > 0 || s.Totals.Incomplete > 0 || s.Unaccounted() > 0
}

// WriteTo writes the summary as text: what is missing first, then what was seen.
func (s *Summary) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	t := &s.Totals
	if s.Losses.Any() {
		fmt.Fprintf(&b, "LOST: %s\n", s.Losses)
	}
	s.appendInside(&b)
	if n := s.Unaccounted(); n > 0 {
		fmt.Fprintf(&b, "UNACCOUNTED: %s entered the kernel, and it is not known what became of them\n", Plural(n, "write"))
	}
	if t.Incomplete > 0 {
		fmt.Fprintf(&b, "INCOMPLETE: %s not judged, as a stage of them was missed\n", Plural(t.Incomplete, "write"))
	}
	if s.Unpaired > 0 {
		fmt.Fprintf(&b, "WITHOUT COMPLETION: %s, so results and latencies of them are not known\n", Plural(s.Unpaired, "queued write"))
	}
	fmt.Fprintf(&b, "writes:   %d issued, %d seen, %d lost", s.Issued(), t.Writes, s.Losses.Lost())
	if s.Losses.Unfinished > 0 {
		fmt.Fprintf(&b, ", %d unfinished", s.Losses.Unfinished)
	}
	if s.Elapsed > 0 {
		fmt.Fprintf(&b, ", in %s", Duration(uint64(s.Elapsed)))
	}
	fmt.Fprintf(&b, "\nlock:     %d shared, %d exclusive, %d no direct I/O", t.Shared, t.Exclusive, t.NoDIO)
	if t.NoLock > 0 {
		fmt.Fprintf(&b, ", %d unknown", t.NoLock)
	}
	fmt.Fprintf(&b, "; %d restarted, %d drained\n", t.Restarted, t.Drained)
	if reasons := t.Reasons(); len(reasons) > 0 {
		const most = 5
		b.WriteString("excl.:    ")
		for i, c := range reasons[:min(most, len(reasons))] {
			if i > 0 {
				b.WriteString(", ")
			}
			if c.Reason == "" {
				c.Reason = "reason not known"
			}
			fmt.Fprintf(&b, "%d %s", c.N, Safe(c.Reason))
		}
		if len(reasons) > most {
			b.WriteString(", ...")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "verdict:  %d agree, %d undecided, %d slower, %d differs, %d unsafe", t.Verdicts[judge.Agree],
		t.Verdicts[judge.Undecided], t.Verdicts[judge.Slower], t.Verdicts[judge.Differs], t.Verdicts[judge.Unsafe])
	if t.Unjudged > 0 {
		fmt.Fprintf(&b, ", %d not judged", t.Unjudged)
	}
	b.WriteByte('\n')
	s.appendTogether(&b)
	if s.Variant != "" {
		fmt.Fprintf(&b, "variant:  %s", s.Variant)
		if len(s.Evidence) > 0 {
			fmt.Fprintf(&b, " (%s)", Safe(strings.Join(s.Evidence, "; ")))
		}
		b.WriteByte('\n')
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// Plural writes n with the noun in the right number.
func Plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
