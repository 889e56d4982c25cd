package bench

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Column is one kernel of a comparison.
type Column struct {
	Name    string
	reports map[string]*Report // by test
}

// NewColumn makes a column of reports, at most one of each test.
func NewColumn(name string, reports []*Report) (Column, error) {
	c := Column{Name: name, reports: make(map[string]*Report)}
	for _, r := range reports {
		if c.reports[r.Test] != nil {
			return c, fmt.Errorf("%s holds two reports of %s", name, r.Test)
		}
		c.reports[r.Test] = r
	}
	return c, nil
}

// Comparison sets kernels side by side. The first is what the others are compared
// with, and the speedup is that of the last, as in the cover letter.
type Comparison []Column

// Formats are the formats of Write.
func Formats() []string { return []string{"text", "markdown", "csv", "svg"} }

// Write writes the comparison in one of the Formats.
func (c Comparison) Write(w io.Writer, format string) error {
	var b strings.Builder
	switch format {
	case "text":
		c.tables(&b, (*grid).text, "", "")
	case "markdown":
		c.tables(&b, (*grid).markdown, "### ", "- ")
	case "csv":
		if err := c.csv(&b); err != nil {
			return err
		}
	case "svg":
		c.svg(&b)
	default:
		return fmt.Errorf("no format is called %q", format)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// tests lists the tests that any column holds.
func (c Comparison) tests() (out []Test) {
	for _, t := range Tests() {
		if slices.ContainsFunc(c, func(x Column) bool { return x.reports[t.Name] != nil }) {
			out = append(out, t)
		}
	}
	return out
}

// jobs lists the steps of a test that any column holds, in order.
func (c Comparison) jobs(test string) (out []int) {
	for _, x := range c {
		if r := x.reports[test]; r != nil {
			for i := range r.Steps {
				out = append(out, r.Steps[i].Jobs)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// speedup is the ratio of the last column's IOPS to the first's.
func (c Comparison) speedup(test string, jobs int) (float64, bool) {
	return ratio(c[0].reports[test].step(jobs), c[len(c)-1].reports[test].step(jobs))
}

// ratio is how many times the IOPS of a are those of b.
func ratio(a, b *Step) (float64, bool) {
	if a == nil || b == nil || a.IOPS <= 0 {
		return 0, false
	}
	return b.IOPS / a.IOPS, true
}

// tables writes everything as text, with draw for a table, title before the name
// of a test and item before a line of the list of kernels.
func (c Comparison) tables(b *strings.Builder, draw func(*grid, *strings.Builder), title, item string) {
	for i, t := range c.tests() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "%s%s: %s. Metric: IOPS.\n\n", title, t.Heading, t.Title)
		c.problems(b, t.Name, item)
		draw(c.iops(t.Name), b)
		for _, line := range c.walls(t.Name) {
			b.WriteString("\n" + line + "\n")
		}
		if g := c.locks(t.Name); g != nil {
			b.WriteString("\nWith the tracer on: share of exclusive locks, time waited for i_rwsem per write, IOPS.\n\n")
			draw(g, b)
		}
		b.WriteByte('\n')
		for _, x := range c {
			x.describe(b, t.Name, item)
		}
	}
}

// iops is the table of the cover letter.
func (c Comparison) iops(test string) *grid {
	g := &grid{head: []string{"JOBS"}}
	for _, x := range c {
		g.head = append(g.head, safe(x.Name))
	}
	g.head = append(g.head, "speedup")
	for _, n := range c.jobs(test) {
		row := []string{fmt.Sprint(n)}
		for _, x := range c {
			cell := none
			if s := x.reports[test].step(n); s != nil {
				cell = grouped(s.IOPS)
			}
			row = append(row, cell)
		}
		cell := none
		if f, ok := c.speedup(test, n); ok {
			cell = times(f)
		}
		g.rows = append(g.rows, append(row, cell))
	}
	return g
}

// walls compares the wall times of the last step, where both made the same writes.
func (c Comparison) walls(test string) []string {
	jobs := c.jobs(test)
	if len(jobs) == 0 {
		return nil
	}
	first, last, n := c[0], c[len(c)-1], jobs[len(jobs)-1]
	a, b := first.reports[test].step(n), last.reports[test].step(n)
	if a == nil || b == nil || a.Writes != b.Writes || first.reports[test].WritesPerJob == 0 {
		return nil
	}
	how := "faster"
	if b.WallNs > a.WallNs {
		how = "as fast"
	}
	return []string{fmt.Sprintf("Wall time at JOBS=%d: %s (%s) -> %s (%s), %s %s.", n, seconds(a.WallNs), safe(first.Name),
		seconds(b.WallNs), safe(last.Name), times(float64(a.WallNs)/float64(b.WallNs)), how)}
}

// locks is the table of what the tracer saw; nil when it was on in no step.
func (c Comparison) locks(test string) *grid {
	g := &grid{head: []string{"JOBS"}}
	var traced []*Report
	for _, x := range c {
		if r := x.reports[test]; r != nil && r.traced() {
			traced = append(traced, r)
			g.head = append(g.head, safe(x.Name)+" exclusive", "wait", "IOPS")
		}
	}
	if traced == nil {
		return nil
	}
	for _, n := range c.jobs(test) {
		row := []string{fmt.Sprint(n)}
		for _, r := range traced {
			if s := r.step(n); s != nil && s.Traced != nil {
				row = append(row, s.Traced.share(), s.Traced.wait(), grouped(s.Traced.IOPS))
			} else {
				row = append(row, none, none, none)
			}
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// problems writes what is wrong or missing, before the numbers.
func (c Comparison) problems(b *strings.Builder, test, item string) {
	var all strings.Builder
	for _, x := range c {
		if r := x.reports[test]; r != nil {
			var p strings.Builder
			r.problems(&p)
			for line := range strings.Lines(p.String()) {
				fmt.Fprintf(&all, "%s%s: %s", item, safe(x.Name), line)
			}
		}
	}
	if all.Len() > 0 {
		b.WriteString(all.String() + "\n")
	}
}

// describe says what a column is.
func (x Column) describe(b *strings.Builder, test, item string) {
	r := x.reports[test]
	if r == nil {
		fmt.Fprintf(b, "%s%s: no report\n", item, safe(x.Name))
		return
	}
	fmt.Fprintf(b, "%s%s: %s, %s\n", item, safe(x.Name), safe(r.Kernel), r.limit())
}

// csv writes a line for each step of each kernel. A field is empty where nothing
// was measured.
func (c Comparison) csv(b *strings.Builder) error {
	w := csv.NewWriter(b)
	_ = w.Write(strings.Fields("test jobs name kernel writes wall_ns iops speedup wrong_bytes traced_iops exclusive_share wait_ns_per_write lost unproven"))
	for _, t := range c.tests() {
		for _, n := range c.jobs(t.Name) {
			for _, x := range c {
				if s := x.reports[t.Name].step(n); s != nil {
					_ = w.Write(c.record(t.Name, x, s))
				}
			}
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// record is the line of one step; its speedup is over the first column.
func (c Comparison) record(test string, x Column, s *Step) []string {
	decimal := func(f float64, ok bool) string {
		if !ok {
			return ""
		}
		return strconv.FormatFloat(f, 'f', 4, 64)
	}
	wrong := int64(0)
	for _, m := range s.measures() {
		wrong += m.WrongBytes
	}
	out := []string{
		test, fmt.Sprint(s.Jobs), safe(x.Name), safe(x.reports[test].Kernel), fmt.Sprint(s.Writes), fmt.Sprint(s.WallNs),
		strconv.FormatFloat(s.IOPS, 'f', 1, 64), decimal(ratio(c[0].reports[test].step(s.Jobs), s)), fmt.Sprint(wrong),
	}
	if s.Traced == nil {
		return append(out, "", "", "", "", "")
	}
	wait := ""
	if d, ok := s.Traced.Wait(); ok {
		wait = fmt.Sprint(d.Nanoseconds())
	}
	return append(out, strconv.FormatFloat(s.Traced.IOPS, 'f', 1, 64), decimal(s.Traced.ExclusiveShare()), wait,
		fmt.Sprint(s.Traced.Lost), fmt.Sprint(s.Traced.Unproven))
}

// Check looks for what makes a comparison impossible: fewer than two columns, or
// two of the same name.
func (c Comparison) Check() error {
	if len(c) < 2 {
		return errors.New("two reports at least are compared")
	}
	for i, x := range c {
		if slices.ContainsFunc(c[:i], func(y Column) bool { return y.Name == x.Name }) {
			return fmt.Errorf("two reports are called %q", x.Name)
		}
	}
	return nil
}
