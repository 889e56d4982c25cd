package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// spent sums up where the latency of the writes of one reason went. Its zero value is empty.
type spent struct {
	writes  uint64 // of which all parts are known
	unknown uint64 // of which some are not
	total   uint64 // ns, of the former
	ns      [record.NumBudgetParts]uint64
}

func (s *spent) add(b *Budget) {
	if b.Missing != "" {
		s.unknown++
		return
	}
	s.writes++
	for p := range b.Ns {
		s.ns[p] += b.Ns[p].V
		s.total += b.Ns[p].V
	}
}

// addSpent counts the budget of r.
func (b *Breakdown) addSpent(r *Row, reason string) {
	if len(b.spent) >= maxReasons && b.spent[reason] == nil {
		reason = otherParts
	}
	s := b.spent[reason]
	if s == nil {
		if b.spent == nil {
			b.spent = make(map[string]*spread)
		}
		s = new(spread)
		b.spent[reason] = s
	}
	s.add(&r.Budget.V)
}

// spentLine is what is said of the writes of one reason: the parts in ns, together.
type spentLine struct {
	Reason     string            `json:"reason"`
	Writes     uint64            `json:"writes"`     // of which all parts are known
	Incomplete uint64            `json:"incomplete"` // of which some are not
	LatencyNs  uint64            `json:"latency_ns"`
	Parts      map[string]uint64 `json:"parts_ns"`

	// At most a quarter too large, of single writes.
	P50      uint64            `json:"p50_ns"` // of the latency
	P99      uint64            `json:"p99_ns"`
	PartsP50 map[string]uint64 `json:"parts_p50_ns"`
	PartsP99 map[string]uint64 `json:"parts_p99_ns"`
	Slowest  *slowestLine      `json:"slowest"` // 1 %; null when of no write all parts are known

	spread *spread
}

// byBudget lists them, those that took the most time first.
func (b *Breakdown) byBudget() []spentLine {
	out := []spentLine{}
	for reason, s := range b.spent {
		out = append(out, spentLine{
			Reason: cmp.Or(reason, "reason not known"), Writes: s.writes, Incomplete: s.unknown, LatencyNs: s.total, Parts: s.byName(),
			P50: s.latency.Quantile(0.5), P99: s.latency.Quantile(0.99), PartsP50: s.quantiles(0.5), PartsP99: s.quantiles(0.99),
			Slowest: s.slowest(), spread: s,
		})
	}
	slices.SortFunc(out, func(a, b spentLine) int {
		return cmp.Or(cmp.Compare(b.LatencyNs, a.LatencyNs), strings.Compare(a.Reason, b.Reason))
	})
	return out
}

// shares are the parts that are at least half a per cent of the whole, in the order of a
// write.
func (s *spent) shares() (out []string) {
	for _, p := range record.BudgetOrder {
		if share := s.share(p); share >= shown {
			out = append(out, fmt.Sprintf("%s %.0f %%", p, share*100))
		}
	}
	return out
}

// share is that of a part of the whole.
func (s *spent) share(p record.BudgetPart) float64 {
	return float64(s.ns[p]) / float64(max(s.total, 1))
}

// writeLine writes where the time of all writes went, if that was recorded.
func (s *spent) writeLine(out *strings.Builder) {
	if s.writes+s.unknown == 0 {
		return
	}
	fmt.Fprintf(out, "time:     %s", cmp.Or(strings.Join(s.shares(), ", "), "not known"))
	if s.unknown > 0 {
		fmt.Fprintf(out, "; of %s not known in all parts", Plural(s.unknown, "write"))
	}
	out.WriteByte('\n')
}

// wrapped joins words to lines of a width.
func wrapped(words []string, width int) (lines []string) {
	for _, w := range words {
		if n := len(lines) - 1; n >= 0 && len(lines[n])+2+len(w) <= width {
			lines[n] += ", " + w
			continue
		} else if n >= 0 {
			lines[n] += ","
		}
		lines = append(lines, w)
	}
	return lines
}

// BudgetText says where the latency of a write went: a line for each part that took time,
// with a bar of its share.
func BudgetText(b *Budget, latency uint64) (lines []string) {
	for _, p := range record.BudgetOrder {
		switch ns := b.Ns[p]; {
		case !ns.Known:
			lines = append(lines, fmt.Sprintf("%-11s %9s", p, "?"))
		case ns.V > 0:
			share := float64(ns.V) / float64(max(latency, 1))
			bar := strings.Repeat("#", int(share*40+0.5))
			lines = append(lines, strings.TrimRight(fmt.Sprintf("%-11s %9s %3.0f %%  %s", p, Duration(ns.V), share*100, bar), " "))
		}
	}
	if b.Missing != "" {
		lines = append(lines, "? "+b.Missing)
	}
	return lines
}

// BudgetOf is b as a row has it.
func BudgetOf(b *observe.Budget) Budget {
	var r Row
	r.fillBudget(b)
	return r.Budget.V
}
