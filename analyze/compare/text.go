package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/table"
)

// maxSingles is how many classes of only one recording the text names.
const maxSingles = 10

// WriteText writes the report as text: what is missing first, then the sentence.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, line := range r.problems() {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "%s\n\n", r.Sentence())
	fmt.Fprintf(&b, "A: %s\nB: %s\n", r.A.told(), r.B.told())
	for _, f := range r.differing() {
		fmt.Fprintf(&b, "differs, %s: %s | %s\n", f.Name, f.A, f.B)
	}
	for i := range r.Pairs {
		fmt.Fprintf(&b, "\n%s\n", r.Pairs[i].Title())
		if f := r.Pairs[i].FileB; f != "" {
			fmt.Fprintf(&b, "(in B it is %s)\n", safe(f))
		}
		r.Pairs[i].table().Text(&b)
	}
	writeSingles(&b, "A", r.OnlyA)
	writeSingles(&b, "B", r.OnlyB)
	fmt.Fprintf(&b, "\n%s\n", strings.Join(r.how(), "\n"))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// problems are what a reader has to know before the numbers.
func (r *Report) problems() (out []string) {
	for _, s := range []struct {
		name string
		side *Side
	}{{"A", r.A}, {"B", r.B}} {
		for _, text := range s.side.missing() {
			out = append(out, "MISSING in "+s.name+": "+text)
		}
		for _, text := range s.side.left() {
			out = append(out, "NOT COMPARED in "+s.name+": "+text)
		}
	}
	return out
}

// table has the numbers of a class.
func (p *Pair) table() *table.Table {
	t := &table.Table{Head: []string{"<", "A", "B", "change", "interval", "<changed"}}
	t.Rows = append(t.Rows, []string{"writes", fmt.Sprint(p.WritesA), fmt.Sprint(p.WritesB)})
	for i := range p.Changes {
		c := &p.Changes[i]
		t.Rows = append(t.Rows, []string{c.label(), c.text(c.A), c.text(c.B), c.difference(), c.interval(), c.verdict()})
	}
	return t
}

// label names a number with its unit.
func (c *Change) label() string {
	if c.Unit == "1/s" {
		return "written/s"
	}
	return safe(c.Name)
}

// verdict is the outcome, with the reason where there is none.
func (c *Change) verdict() string {
	if c.Judged {
		return c.outcome()
	}
	return none + " " + c.Why
}

func writeSingles(b *strings.Builder, name string, list []Single) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\nonly in %s, so that there is nothing to compare them with:\n", name)
	for i := range list {
		if i == maxSingles {
			fmt.Fprintf(b, "  and %s more; --json has them\n", plural(len(list)-i, "class"))
			break
		}
		fmt.Fprintf(b, "  %s: %s\n", export.Plural(list[i].Writes, "write"), list[i].Title())
	}
}

// how says what the columns mean and what the test was.
func (r *Report) how() []string {
	return []string{
		fmt.Sprintf("change: B against A, × times as large, shares in points; interval: %g %% of a bootstrap over", 100*r.Level),
		fmt.Sprintf("windows of time, seed %d. changed: more than %g %%, for a share %g point; %d numbers were tested and", r.Seed, 100*r.Least, 100*leastShare, r.Tests),
		fmt.Sprintf("Holm's correction made, so that %g in 100 such comparisons find a change where there is none.", round(100*(1-r.Level))),
		"Two recordings do not tell what differs from run to run of one kernel: record each twice.",
	}
}
