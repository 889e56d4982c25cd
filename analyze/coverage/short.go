package coverage

import (
	"fmt"
	"io"
	"strings"
)

// WriteShort writes the share of each variant and what is missing, of which at most so many
// lines.
func WriteShort(w io.Writer, all []Report, most int) error {
	var b strings.Builder
	for i := range all {
		r := &all[i]
		fmt.Fprintf(&b, "coverage: %s of %s: %d of %d ways, by %d writes that agree", r.Percent(), r.Variant, r.Taken, r.Reachable, r.Writes)
		if r.Disagree > 0 {
			fmt.Fprintf(&b, "; %d disagree, and take none", r.Disagree)
		}
		if r.Open > 0 {
			fmt.Fprintf(&b, "; %d are undecided or incomplete, and take none", r.Open)
		}
		b.WriteByte('\n')
		if c := r.Conditions; c != nil && r.Writes > 0 {
			fmt.Fprintf(&b, "noticed:  a kernel with one wrong condition in %d of %d ways\n", c.Noticed, c.Of)
		}
		r.missing(&b, most)
	}
	if Empty(all) {
		b.WriteString("coverage: no write counts, so that nothing was taken\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// missing writes what was not taken.
func (r *Report) missing(b *strings.Builder, most int) {
	left := r.Reachable - r.Taken
	for i := range r.Points {
		p := &r.Points[i]
		switch {
		case p.State != Missing:
			continue
		case most == 0:
			fmt.Fprintf(b, "          and %d more\n", left)
			return
		}
		fmt.Fprintf(b, "missing:  %s: %s: %s\n", p.Function, p.Condition, p.Way)
		most--
		left--
	}
}
