package races

import (
	"fmt"
	"io"
	"strings"
)

// eofTailText says why class EOFTail is listed apart.
const eofTailText = `eof-tail: lost bytes that are known, and listed apart because they are older than
the series: since 310ee0902b8d (v6.5) an async write that ends exactly at i_size
inside a written block can be in flight without a lock, with a zero bio for the
rest of the block. A write that extends and is aligned takes the exclusive lock
without a drain, so that zero bio can land on its data behind the old i_size. The
two writes overlap below the old i_size; behind it only the second one writes.
Patch 4 lets more writes get there: some that begin in a block that is not
written, and some that hold the exclusive lock because S_NOSEC is clear.`

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	var known *Result
	for i := range r.Results {
		res := &r.Results[i]
		res.text(&b)
		if known == nil && res.Fault == NoFault && res.Known != nil {
			known = res
		}
	}
	if known != nil {
		r.knownText(&b, known)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// text is one result: a line, and each finding with its steps.
func (res *Result) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s, %s", res.Variant, res.Format)
	if res.Fault != NoFault {
		fmt.Fprintf(b, ", %s", res.Fault)
	}
	fmt.Fprintf(b, ": %s, %s: ", counted(res.Scenarios, "scenario"), counted(res.States, "state"))
	switch {
	case res.WithFinding > 0:
		fmt.Fprintf(b, "findings in %s", counted(res.WithFinding, "scenario"))
	case res.Known != nil:
		b.WriteString("none besides eof-tail")
	default:
		b.WriteString("none")
	}
	if res.Known != nil {
		fmt.Fprintf(b, " (eof-tail in %d)", res.Known.Scenarios)
	}
	if res.Format == Indirect && !res.Patch2 {
		b.WriteString("; the buffered fallback does not drain (no patch 2)")
	}
	b.WriteByte('\n')
	for i := range res.Findings {
		res.Findings[i].text(b)
	}
	if len(res.Findings) > 0 {
		b.WriteByte('\n')
	}
}

// knownText is the part about class EOFTail, with one example.
func (r *Report) knownText(b *strings.Builder, known *Result) {
	fmt.Fprintf(b, "\n%s\n\n", eofTailText)
	var has, not []string
	for i := range r.Results {
		res := &r.Results[i]
		label := res.Variant.String() + " " + res.Format.String()
		switch {
		case res.Fault != NoFault:
		case res.Known != nil:
			has = append(has, label)
		default:
			not = append(not, label)
		}
	}
	fmt.Fprintf(b, "Bytes are lost: %s.\n", strings.Join(has, ", "))
	if len(not) > 0 {
		fmt.Fprintf(b, "Not lost: %s.\n", strings.Join(not, ", "))
	}
	fmt.Fprintf(b, "\n%s, %s:", known.Variant, known.Format)
	known.Known.text(b)
}

// text is one finding as a numbered sequence of steps.
func (f *Finding) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s: %s, %d with writes that do not overlap; the shortest%s:\n%s\n",
		f.Class, counted(f.Scenarios, "scenario"), f.Disjoint, choose(f.Disjoint > 0, " of these", ""), f.Scenario)
	for i, s := range f.Steps {
		fmt.Fprintf(b, "%3d. %-1s  %s\n", i+1, s.Who, s.Text)
	}
	for _, l := range f.Lost {
		fmt.Fprintf(b, "%s: %s\n", f.Class, l)
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
