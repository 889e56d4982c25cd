package coverage

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes reports as text: what is missing first.
func WriteText(w io.Writer, all []Report) error {
	var b strings.Builder
	for i := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		all[i].append(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) append(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %d of %d ways that a direct write can go were taken (%s), by %s that agree\n", r.Variant, r.Taken, r.Reachable, r.Percent(), plural(r.Writes))
	if r.Disagree > 0 {
		fmt.Fprintf(b, "  %s\n", r.disagreeText())
	}
	if r.Open > 0 {
		fmt.Fprintf(b, "  %s\n", r.openText())
	}
	listParted(b, r.Parted())
	r.list(b, Missing, "NOT TAKEN")
	r.list(b, Taken, "TAKEN")
	r.list(b, Unreachable, "NO DIRECT WRITE CAN TAKE IT ON THIS KERNEL")
	r.Conditions.append(b)
}

func (r *Report) disagreeText() string {
	if r.Disagree == 1 {
		return "1 write disagrees: which way the kernel went with it is not known, and it takes none"
	}
	return fmt.Sprintf("%d writes disagree: which way the kernel went with them is not known, and they take none", r.Disagree)
}

func (r *Report) openText() string {
	if r.Open == 1 {
		return "1 write is undecided or incomplete, and takes none"
	}
	return fmt.Sprintf("%d writes are undecided or incomplete, and take none", r.Open)
}

// plural is a number of writes.
func plural(n uint64) string {
	if n == 1 {
		return "1 write"
	}
	return fmt.Sprintf("%d writes", n)
}

// Percent is the share, rounded down: 100 % is all.
func (r *Report) Percent() string {
	if r.Reachable == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%d %%", 100*r.Taken/r.Reachable)
}

// listParted writes where the ways of writes that disagree part from the model's.
func listParted(b *strings.Builder, all []Point) {
	for i := range all {
		p := &all[i]
		if i == 0 {
			fmt.Fprintf(b, "\n%9s %9s  %s\n", "WRITES", "FIRST", "WHERE THE KERNEL'S WAY PARTS FROM THE MODEL'S")
		}
		first := ""
		if p.Where > 0 {
			first = fmt.Sprint(p.Where)
		}
		fmt.Fprintf(b, "%9d %9s  %s: %s\n", p.Parted, first, p.Function, p.Condition)
	}
}

// list writes the points of a state, each function once.
func (r *Report) list(b *strings.Builder, state State, title string) {
	r.only(b, state, title, func(Point) bool { return true })
}

// only is list of the points that are wanted.
func (r *Report) only(b *strings.Builder, state State, title string, wanted func(Point) bool) {
	fn := ""
	for i := range r.Points {
		p := &r.Points[i]
		if p.State != state || !wanted(*p) {
			continue
		}
		if title != "" {
			fmt.Fprintf(b, "\n%9s %9s  %s\n", "WRITES", "FIRST", title)
			title = ""
		}
		if p.Function != fn {
			fn = p.Function
			fmt.Fprintf(b, "%21s%s\n", "", fn)
		}
		count, first := "", ""
		if p.Writes > 0 {
			count = fmt.Sprint(p.Writes)
		}
		if p.First > 0 {
			first = fmt.Sprint(p.First)
		}
		fmt.Fprintf(b, "%9s %9s    %s: %s", count, first, p.Condition, p.Way)
		if p.Disputed > 0 {
			fmt.Fprintf(b, " (expected of %d that disagree)", p.Disputed)
		}
		b.WriteByte('\n')
	}
}
