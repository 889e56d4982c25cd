package export

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/request"
	"github.com/ext4dio/ext4dio-trace/record"
)

// maxReasons bounds the number of reasons that are counted apart.
const maxReasons = 64

// Totals counts rows. Its zero value is empty.
type Totals struct {
	Part
	Blames Blames // who waited for whom

	// Written counts the writes with a positive result by record.Caller.
	Written [record.NumCallers]uint64

	// Inside are the first of the writes that had not returned, which are not counted
	// otherwise, and of those that were queued and not seen to end.
	Inside                  []Inside
	Unreturned, Uncompleted uint64

	reasons map[string]uint64 // why exclusive
	missing map[string]uint64 // facts that were missing for a verdict

	incomplete map[string]uint64 // why records were not judged
	// InPart counts the writes of which the decision was seen and judged, and something
	// that came after it did not fit into the record; unseen counts them by the part.
	InPart  uint64
	unseen  map[string]uint64
	hazards map[string]uint64 // by rule: broken, but not promised
	ended   ended
	spent   spent // of the writes with a budget
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
	t.Blames.Add(r)
	t.ended.add(r)
	if Is(r.Lock, Exclusive) {
		count(&t.reasons, r.ReasonText())
	}
	if Is(r.Verdict, judge.Undecided) {
		count(&t.missing, r.Missing)
	}
	if r.Incomplete != "" {
		count(&t.incomplete, r.Incomplete)
	}
	if r.InPart() {
		t.InPart++
		for _, part := range r.Unseen() {
			count(&t.unseen, part)
		}
	}
	for _, rule := range r.Hazards {
		count(&t.hazards, rule)
	}
	if r.Budget.Known {
		t.spent.add(&r.Budget.V)
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
	return counts(t.reasons)
}

// Incompletes lists why records were not judged, the most frequent first.
func (t *Totals) Incompletes() []Count { return counts(t.incomplete) }

// Unseen lists the parts that records did not hold of writes that were judged.
func (t *Totals) Unseen() []Count { return counts(t.unseen) }

func counts(m map[string]uint64) []Count {
	out := make([]Count, 0, len(m))
	for reason, n := range m {
		out = append(out, Count{reason, n})
	}
	return sorted(out)
}

// IncompleteText says why records were not judged.
func (t *Totals) IncompleteText() string {
	var parts []string
	for _, c := range t.Incompletes() {
		parts = append(parts, fmt.Sprintf("%d %s", c.N, Safe(c.Reason)))
	}
	return strings.Join(parts, ", ")
}

// InPartText says what records did not hold of writes that were judged.
func (t *Totals) InPartText() string {
	var parts []string
	for _, c := range t.Unseen() {
		parts = append(parts, fmt.Sprintf("%s of %d", c.Reason, c.N))
	}
	return fmt.Sprintf("%s judged by the decision; of what came after it the record does not hold all: %s", Plural(t.InPart, "write"), strings.Join(parts, ", "))
}

// Clone returns a copy that shares nothing with t.
func (t *Totals) Clone() Totals {
	c := *t
	c.Inside = slices.Clone(t.Inside)
	c.reasons, c.missing, c.hazards = maps.Clone(t.reasons), maps.Clone(t.missing), maps.Clone(t.hazards)
	c.incomplete, c.unseen = maps.Clone(t.incomplete), maps.Clone(t.unseen)
	c.ended, c.Blames = t.ended.clone(), t.Blames.clone()
	return c
}

// Summary is what is known at the end of a trace.
type Summary struct {
	Totals   Totals
	Losses   record.Losses
	Unpaired uint64 // queued writes whose completion was not seen
	Overlaps overlap.Stats
	Requests request.Stats
	Variant  string
	Evidence []string
	Holders  string        // of i_rwsem besides direct writes, which were recorded: auto, all or off; empty when that is not known
	Elapsed  time.Duration // 0 when not known
	Sample   record.Sample // which requests were recorded
	Advice   []Advice      // what costs time, and what changes it; nil when nobody has looked for it
	// Coverage is what came out of analyze/coverage, which no package of rows knows, for JSON;
	// nil when nobody has counted.
	Coverage any
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

// NothingSeen says that all writes that were made were left out, and by which filters; empty
// where some passed, or none was made.
func (s *Summary) NothingSeen() string {
	if s.Issued() > 0 || s.Losses.TooFast > 0 || s.Losses.Filtered == 0 {
		return ""
	}
	return fmt.Sprintf("NOTHING SEEN: %s made and left out: %s", were(s.Losses.Filtered), s.Losses.LeftOut())
}

func were(n uint64) string {
	if n == 1 {
		return "1 direct write was"
	}
	return fmt.Sprintf("%d direct writes were", n)
}

// WriteTo writes the summary as text: what is missing first, then what was seen.
func (s *Summary) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	t := &s.Totals
	nothing := s.NothingSeen()
	if nothing != "" {
		fmt.Fprintln(&b, nothing)
	}
	if s.Losses.Any() {
		fmt.Fprintf(&b, "LOST: %s\n", s.Losses)
	}
	if n := s.Losses.LostHold; n > 0 {
		fmt.Fprintf(&b, "HOLDERS LOST: %s of i_rwsem without a record (try --ring), so that it is not known who waited for them\n", Plural(n, "holder"))
	}
	if n := s.Losses.LostBudget; n > 0 {
		fmt.Fprintf(&b, "BUDGETS LOST: it is not known where the time of %s went (try --ring)\n", Plural(n, "write"))
	}
	s.appendInside(&b)
	if n := s.Unaccounted(); n > 0 {
		fmt.Fprintf(&b, "UNACCOUNTED: %s entered the kernel, and it is not known what became of them\n", Plural(n, "write"))
	}
	if t.Incomplete > 0 {
		fmt.Fprintf(&b, "INCOMPLETE: %s not judged: %s\n", Plural(t.Incomplete, "write"), t.IncompleteText())
	}
	if t.InPart > 0 {
		fmt.Fprintf(&b, "IN PART: %s\n", t.InPartText())
	}
	if s.Unpaired > 0 {
		fmt.Fprintf(&b, "WITHOUT COMPLETION: %s, so results and latencies of them are not known\n", Plural(s.Unpaired, "queued write"))
	}
	for _, line := range AdviceLines(s.Advice) {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "writes:   %d issued, %d seen, %d lost", s.Issued(), t.Writes, s.Losses.Lost())
	if s.Losses.Unfinished > 0 {
		fmt.Fprintf(&b, ", %d unfinished", s.Losses.Unfinished)
	}
	if s.Elapsed > 0 {
		fmt.Fprintf(&b, ", in %s", Duration(uint64(s.Elapsed)))
	}
	if s.Losses.TooFast > 0 {
		fmt.Fprintf(&b, "\nquicker:  %s, not shown because of --min-latency", Plural(s.Losses.TooFast, "write"))
	}
	if s.Losses.Filtered > 0 && nothing == "" {
		fmt.Fprintf(&b, "\nleft out: %s", s.Losses.LeftOut())
	}
	b.WriteByte('\n')
	s.appendSample(&b)
	for _, l := range [...][2]string{{"requests", s.RequestsText()}, {"refused", t.RefusedText()}, {"failed", t.FailedText()}} {
		if l[1] != "" {
			fmt.Fprintf(&b, "%-9s %s\n", l[0]+":", l[1])
		}
	}
	fmt.Fprintf(&b, "lock:     %d shared, %d exclusive, %d no direct I/O", t.Shared, t.Exclusive, t.NoDIO)
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
	t.spent.writeLine(&b)
	fmt.Fprintf(&b, "verdict:  %d agree, %d undecided, %d slower, %d differs, %d unsafe", t.Verdicts[judge.Agree],
		t.Verdicts[judge.Undecided], t.Verdicts[judge.Slower], t.Verdicts[judge.Differs], t.Verdicts[judge.Unsafe])
	if t.Unjudged > 0 {
		fmt.Fprintf(&b, ", %d not judged", t.Unjudged)
	}
	if s.Sample.OneIn > 0 {
		b.WriteString(" (of the sample only)")
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
	for _, line := range t.Blames.lines(s.Holders) {
		fmt.Fprintln(&b, line)
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
