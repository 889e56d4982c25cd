package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/histogram"
	"github.com/ext4dio/ext4dio-trace/record"
)

// spread is where the latency of the writes of one reason went, with how that is spread over
// them. Its memory is bounded, and its zero value is empty.
type spread struct {
	spent
	latency histogram.Times
	parts   [record.NumBudgetParts]histogram.Times
	// slow has the writes by their latency: what the slowest spent is not known before the last
	// one was seen.
	slow [histogram.NumBins]*slowBin
}

// slowBin are the writes of which the latencies are not told apart.
type slowBin struct {
	spent
	least uint64
}

func (s *spread) add(b *Budget) {
	if s.spent.add(b); b.Missing != "" {
		return
	}
	whole := uint64(0)
	for p := range b.Ns {
		whole += b.Ns[p].V
		s.parts[p].Add(b.Ns[p].V)
	}
	s.latency.Add(whole)
	bin := histogram.BinOf(whole)
	if s.slow[bin] == nil {
		s.slow[bin] = &slowBin{least: whole}
	}
	s.slow[bin].add(b)
	s.slow[bin].least = min(s.slow[bin].least, whole)
}

// slowestLine is what the slowest 1 % of the writes of one reason spent: those of the longest
// latencies that are told apart, at least so many.
type slowestLine struct {
	Writes uint64            `json:"writes"`
	FromNs uint64            `json:"from_ns"` // each of them took at least so long
	Most   string            `json:"most"`    // the part that took the most time
	Parts  map[string]uint64 `json:"parts_ns"`

	spent spent
}

// slowest sums up the slowest 1 %, nil of no writes.
func (s *spread) slowest() *slowestLine {
	if s.writes == 0 {
		return nil
	}
	l := &slowestLine{}
	for bin := len(s.slow) - 1; bin >= 0 && l.spent.writes*100 < s.writes; bin-- {
		if of := s.slow[bin]; of != nil {
			l.spent.merge(&of.spent)
			l.FromNs = of.least
		}
	}
	l.Writes, l.Parts = l.spent.writes, l.spent.byName()
	l.Most = slices.MaxFunc(record.BudgetOrder[:], func(a, b record.BudgetPart) int { return cmp.Compare(l.spent.ns[a], l.spent.ns[b]) }).String()
	return l
}

// merge adds the writes of another one.
func (s *spent) merge(of *spent) {
	s.writes += of.writes
	s.unknown += of.unknown
	s.total += of.total
	for p := range s.ns {
		s.ns[p] += of.ns[p]
	}
}

// byName are the parts by their names, ns.
func (s *spent) byName() map[string]uint64 {
	out := make(map[string]uint64, len(s.ns))
	for p, ns := range s.ns {
		out[record.BudgetPart(p).String()] = ns
	}
	return out
}

// quantiles are those of the parts by their names, ns.
func (s *spread) quantiles(q float64) map[string]uint64 {
	out := make(map[string]uint64, len(s.parts))
	for p := range s.parts {
		out[record.BudgetPart(p).String()] = s.parts[p].Quantile(q)
	}
	return out
}

// shown is the least share of the time of a part that has a line.
const shown = 0.005

// BudgetLines are where the time of the writes of each reason went, as text in columns; none
// when that was not recorded. A part with little of it has a line where the slowest writes
// spent more there.
func (b *Breakdown) BudgetLines() (out []string) {
	lines := b.byBudget()
	if len(lines) == 0 {
		return nil
	}
	out = append(out, fmt.Sprintf("%9s %9s %9s %9s  %s", "WRITES", "MEAN", "P50", "P99", "WHERE THE TIME GOES, BY REASON"))
	row := func(first string, sum, writes uint64, h *histogram.Times, name string) {
		out = append(out, fmt.Sprintf("%9s %9s %9s %9s  %s", first, Duration(sum/max(writes, 1)), Duration(h.Quantile(0.5)), Duration(h.Quantile(0.99)), name))
	}
	for i := range lines[:min(len(lines), textParts)] {
		l := &lines[i]
		name := Safe(l.Reason)
		if l.Incomplete > 0 {
			name += fmt.Sprintf(" (%d more incomplete)", l.Incomplete)
		}
		row(fmt.Sprint(l.Writes), l.LatencyNs, l.Writes, &l.spread.latency, name)
		if l.Slowest == nil {
			continue
		}
		for _, p := range record.BudgetOrder {
			if share, slow := l.spread.share(p), l.Slowest.spent.share(p); max(share, slow) >= shown {
				row(fmt.Sprintf("%.0f %%", share*100), l.Parts[p.String()], l.Writes, &l.spread.parts[p], "  "+p.String())
			}
		}
		for _, line := range wrapped(l.Slowest.text(), 69) {
			out = append(out, fmt.Sprintf("%11s%s", "", line))
		}
	}
	if more := len(lines) - textParts; more > 0 {
		out = append(out, fmt.Sprintf("%41sand %d more", "", more))
	}
	return out
}

// text says where the time of the slowest writes went, the most of it first.
func (l *slowestLine) text() []string {
	parts := slices.DeleteFunc(slices.Clone(record.BudgetOrder[:]), func(p record.BudgetPart) bool { return l.spent.share(p) < shown })
	slices.SortStableFunc(parts, func(a, b record.BudgetPart) int { return cmp.Compare(l.spent.ns[b], l.spent.ns[a]) })
	var words []string
	for _, p := range parts {
		words = append(words, fmt.Sprintf("%s %.0f %%", p, l.spent.share(p)*100))
	}
	if len(words) == 0 {
		return nil
	}
	words[0] = fmt.Sprintf("slowest 1 %%: %s of %s or more, %s", Plural(l.Writes, "write"), Duration(l.FromNs), words[0])
	return words
}

// writeSpent writes where the time of the writes of each reason went.
func (b *Breakdown) writeSpent(out *strings.Builder) {
	for _, line := range b.BudgetLines() {
		out.WriteString(line + "\n")
	}
	if len(b.spent) > 0 {
		out.WriteByte('\n')
	}
}
