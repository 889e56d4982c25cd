package bench

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/table"
)

// Column is one kernel of a comparison.
type Column struct {
	Name    string
	reports map[string]*Report   // by test; of several runs one with their means
	runs    map[string][]*Report // by test
}

// NewColumn makes a column of reports. Several of one test are runs of it.
func NewColumn(name string, reports []*Report) (Column, error) {
	c := Column{Name: name, reports: make(map[string]*Report), runs: make(map[string][]*Report)}
	for _, r := range reports {
		c.runs[r.Test] = append(c.runs[r.Test], r)
	}
	for test, runs := range c.runs {
		if c.reports[test] = runs[0]; len(runs) == 1 {
			continue
		}
		merged, err := merge(name, runs)
		if err != nil {
			return c, err
		}
		c.reports[test] = merged
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
	case "text", "markdown":
		c.tables(&b, styles(format))
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

// style is how tables are written: for a terminal, or as Markdown.
type style struct {
	draw  func(*table.Table, *strings.Builder)
	line  func(string) string // ends a line of text
	title string              // before the name of a test
	after string              // behind that line
	item  string              // before a line of a list
}

// styles are those of the formats that are text.
func styles(format string) style {
	if format == "markdown" {
		return style{(*table.Table).Markdown, func(s string) string { return s + "\n" }, "### ", "\n", "- "}
	}
	return style{draw: (*table.Table).Text, line: wrap}
}

// tables writes everything as text.
func (c Comparison) tables(b *strings.Builder, s style) {
	for i, t := range c.tests() {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.line(s.title+t.Heading+": "+t.Title+".") + s.after + "Metric: IOPS.\n\n")
		c.problems(b, t.Name, s)
		s.draw(c.iops(t.Name), b)
		if g := c.intervals(t.Name); g != nil {
			b.WriteString("\n" + s.line(c.about(t.Name)) + "\n")
			s.draw(g, b)
		}
		for _, line := range c.walls(t.Name) {
			b.WriteString("\n" + s.line(line))
		}
		if g := c.locks(t.Name); g != nil {
			b.WriteString("\nWith the tracer on. excl: share of the writes that held i_rwsem exclusive;\n" +
				"wait: how long a write waited for it, on average.\n\n")
			s.draw(g, b)
		}
		b.WriteByte('\n')
		c.describe(b, t.Name, s)
	}
}

// iops is the table of the cover letter.
func (c Comparison) iops(test string) *table.Table {
	g := &table.Table{Head: []string{"JOBS"}, LineWidth: lineWidth}
	for _, x := range c {
		g.Head = append(g.Head, safe(x.Name))
	}
	g.Head = append(g.Head, "speedup")
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
		g.Rows = append(g.Rows, append(row, cell))
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
	if a == nil || b == nil || a.Writes != b.Writes || c.repeated(test) || first.reports[test].WritesPerJob == 0 {
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
func (c Comparison) locks(test string) *table.Table {
	g := &table.Table{Head: []string{"JOBS"}, Per: 3, LineWidth: lineWidth}
	var traced []*Report
	for _, x := range c {
		if r := x.reports[test]; r != nil && r.traced() {
			traced = append(traced, r)
			g.Over = append(g.Over, safe(x.Name))
			g.Head = append(g.Head, "IOPS", "excl", "wait")
		}
	}
	if traced == nil {
		return nil
	}
	for _, n := range c.jobs(test) {
		row := []string{fmt.Sprint(n)}
		for _, r := range traced {
			if s := r.step(n); s != nil && s.Traced != nil {
				row = append(row, grouped(s.Traced.IOPS), s.Traced.share(), s.Traced.wait())
			} else {
				row = append(row, none, none, none)
			}
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// conditions are those under which a test was measured, each once.
func (c Comparison) conditions(test string) (out []string) {
	for _, x := range c {
		if r := x.reports[test]; r != nil && !slices.Contains(out, r.conditions()) {
			out = append(out, r.conditions())
		}
	}
	return out
}

// problems writes what is wrong or missing, before the numbers.
func (c Comparison) problems(b *strings.Builder, test string, s style) {
	before := b.Len()
	if len(c.conditions(test)) > 1 {
		b.WriteString(s.line(s.item + "NOT ALIKE: limits, blocks or CPUs differ; they are named below"))
	}
	for _, x := range c {
		if r := x.reports[test]; r != nil {
			var p strings.Builder
			r.problems(&p)
			for line := range strings.Lines(p.String()) {
				b.WriteString(s.line(s.item + safe(x.Name) + ": " + strings.TrimSuffix(line, "\n")))
			}
		}
	}
	if b.Len() > before {
		b.WriteByte('\n')
	}
}

// describe says what the columns are, and under which conditions they were measured.
func (c Comparison) describe(b *strings.Builder, test string, s style) {
	conditions := c.conditions(test)
	for _, x := range c {
		text := "no report"
		if r := x.reports[test]; r != nil {
			if text = safe(r.Kernel); len(conditions) > 1 {
				text += "; " + r.conditions()
			}
		}
		b.WriteString(s.line(s.item + safe(x.Name) + ": " + text))
	}
	if len(conditions) == 1 {
		b.WriteString(s.line(s.item + "all: " + conditions[0]))
	}
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
