package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// WriteText writes the report as plain text, fit for a mail.
func (p *Report) WriteText(w io.Writer) error {
	v, err := p.page()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", v.Title, strings.Repeat("=", min(len(v.Title), 78)))
	if v.Redacted {
		b.WriteString("Names of files, processes and the host are replaced by tokens.\n")
	}
	heading(&b, "What is missing")
	if len(v.Missing) == 0 {
		b.WriteString("nothing: no write was lost, and every record is whole\n")
	}
	for _, m := range v.Missing {
		b.WriteString("MISSING: " + m + "\n")
	}
	heading(&b, "Verdicts")
	for _, l := range v.Verdicts {
		fmt.Fprintf(&b, "%10d  %s\n", l.Count, l.Name)
	}
	heading(&b, "Writes")
	for _, l := range v.Totals {
		fmt.Fprintf(&b, "%10d  %s\n", l.Count, l.Name)
	}
	heading(&b, "Where")
	for _, f := range v.Facts {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	v.tables(&b)
	v.blames(&b)
	v.times(&b)
	if v.Prediction != "" {
		heading(&b, "What another kernel would do")
		b.WriteString(v.Prediction)
	}
	v.cases(&b)
	_, err = io.WriteString(w, b.String())
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func heading(b *strings.Builder, text string) {
	fmt.Fprintf(b, "\n%s\n%s\n", text, strings.Repeat("-", len(text)))
}

func (v *page) tables(b *strings.Builder) {
	for _, t := range v.Tables {
		heading(b, "By "+t.Title)
		fmt.Fprintf(b, "%9s %9s %9s %9s %9s\n", "WRITES", "SHARED", "EXCL", "DISAGREE", "WAIT")
		for _, l := range t.Lines {
			fmt.Fprintf(b, "%9d %9d %9d %9d %9s  %s\n", l.Writes, l.Shared, l.Exclusive, l.Disagreements(), export.Duration(l.WaitNs), export.Safe(l.Name))
		}
		if t.More > 0 {
			fmt.Fprintf(b, "%49s  and %d more\n", "", t.More)
		}
	}
}

func (v *page) blames(b *strings.Builder) {
	if len(v.Blames)+len(v.NoBlame) == 0 {
		return
	}
	heading(b, "Who was serialised by whom")
	if len(v.Blames) > 0 {
		fmt.Fprintf(b, "%9s %9s  %-16s %-16s %-9s %s\n", "IN ALL", "TIMES", "WHO WAITED", "FOR", "HELD", "FILE")
	}
	for _, l := range v.Blames {
		fmt.Fprintf(b, "%9s %9d  %-16s %-16s %-9s %s\n", l.Time(), l.Waits, l.Waiter, l.Holder, l.Held(), l.File)
	}
	for _, n := range v.NoBlame {
		b.WriteString(n + "\n")
	}
}

// barWidth is the longest bar of a distribution, characters.
const barWidth = 40

func (v *page) times(b *strings.Builder) {
	for _, t := range v.Times {
		heading(b, t.Title+", by mode of i_rwsem")
		for _, m := range t.Modes {
			fmt.Fprintf(b, "%s: %s\n", m.Mode, m.Words())
			most := m.hist.most()
			first, last := m.hist.span()
			for i := first; i <= last; i++ {
				n := m.hist[i]
				fmt.Fprintf(b, "%9s %9d %s\n", export.Duration(tally.BinStart(i, 0)), n, strings.Repeat("#", int((n*barWidth+most-1)/most)))
			}
		}
	}
	if len(v.Lanes) == 0 {
		return
	}
	heading(b, "Mode of i_rwsem over time, by file")
	fmt.Fprintf(b, "from the first write to %s after it; . shared, x exclusive, + both, - neither\n", v.LanesEnd)
	for _, l := range v.Lanes {
		fmt.Fprintf(b, "%s  %d writes, waited %s, %s\n", l.row(), l.Writes, l.Wait, l.Name)
	}
	if v.LaneNote != "" {
		b.WriteString(v.LaneNote + "\n")
	}
}

// textBins is how many characters show a timeline.
const textBins = 40

// row is a timeline in characters.
func (l *laneLine) row() string {
	var out [textBins]byte
	for i := range out {
		var sum bin
		for k := i * l.used / textBins; k < max((i+1)*l.used/textBins, i*l.used/textBins+1) && k < numBins; k++ {
			for m, n := range l.lane.bins[k] {
				sum[m] += n
			}
		}
		switch {
		case sum[1] > 0 && sum[2] > 0:
			out[i] = '+'
		case sum[2] > 0:
			out[i] = 'x'
		case sum[1] > 0:
			out[i] = '.'
		case sum[0] > 0:
			out[i] = '-'
		default:
			out[i] = ' '
		}
	}
	return "|" + string(out[:]) + "|"
}

func (v *page) cases(b *strings.Builder) {
	heading(b, "Disagreements")
	if len(v.Lines) == 0 {
		b.WriteString("none\n")
	}
	for _, c := range v.Cases {
		fmt.Fprintf(b, "\n%s\n\n%s\n\nTo see it again:\n\n%s\n", c.Title, c.Explanation, c.Reproducer)
	}
	for _, l := range v.Lines {
		b.WriteString(l + "\n")
	}
	if v.CaseNote != "" {
		b.WriteString(v.CaseNote + "\n")
	}
}
