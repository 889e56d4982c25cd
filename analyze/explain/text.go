package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// WriteText writes the explanation for people: the drawing, the procedure, the
// outcome. Several variants stand side by side, and a '*' marks where they part.
func (e *Explanation) WriteText(w io.Writer) error {
	var b strings.Builder
	writeLines(&b, e.headline()...)
	writePicture(&b, e.picture())
	cols := e.columns()
	if len(cols) == 1 {
		e.single(&b, cols[0])
	} else {
		sideBySide(&b, cols)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writePicture adds the drawing, when there is something to draw.
func writePicture(b *strings.Builder, p *picture) {
	if lines := p.lines(); len(lines) > 0 {
		b.WriteByte('\n')
		writeLines(b, lines...)
	}
}

func writeLines(b *strings.Builder, lines ...string) {
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
}

// single prints one procedure with what each answer means.
func (e *Explanation) single(b *strings.Builder, c column) {
	fmt.Fprintf(b, "\n%s\n", strings.Join(c.names, ", "))
	steps(b, &c.outcome.Decision)
	b.WriteString("\noutcome\n")
	for _, f := range outcomeOf(c.outcome) {
		fmt.Fprintf(b, "  %-11s %s\n", f.label, f.text)
	}
}

// steps prints the procedure that led to d.
func steps(b *strings.Builder, d *model.Decision) {
	head, pass := "", uint8(0)
	for _, s := range d.Steps() {
		if s.Pass != pass {
			head, pass = "", s.Pass
			b.WriteString("  restarted:\n")
		}
		if s.Func() != head {
			head = s.Func()
			fmt.Fprintf(b, "  %s\n", head)
		}
		fmt.Fprintf(b, "    %s: %s\n", s.Test(), s.Outcome())
	}
}

// sideBySide prints the procedures of several columns, then their outcomes.
func sideBySide(b *strings.Builder, cols []column) {
	b.WriteByte('\n')
	names := make([]string, len(cols))
	steps, outcomes := make([][]item, len(cols)), make([][]item, len(cols))
	for i, c := range cols {
		names[i] = string(rune('A' + i))
		fmt.Fprintf(b, "%s  %s\n", names[i], strings.Join(c.names, ", "))
		steps[i], outcomes[i] = procedureOf(&c.outcome.Decision), outcomeOf(c.outcome)
	}
	b.WriteByte('\n')
	table(b, "procedure (* where they part)", names, align(steps), false)
	b.WriteByte('\n')
	table(b, "outcome", names, align(outcomes), false)
}

// table prints rows in columns as wide as their widest cell. A fact that all columns
// share is printed once, unless every cell is asked for.
func table(b *strings.Builder, title string, names []string, rows []row, every bool) {
	label := utf8.RuneCountInString(title)
	width := make([]int, len(names))
	for i, n := range names {
		width[i] = len(n)
	}
	for _, r := range rows {
		label = max(label, utf8.RuneCountInString(r.label)+2)
		if every || !r.once() {
			for i, c := range r.cells {
				width[i] = max(width[i], utf8.RuneCountInString(c))
			}
		}
	}
	line := func(mark, text string, cells []string) {
		var l strings.Builder
		fmt.Fprintf(&l, "%s %-*s", mark, label, text)
		for i, c := range cells {
			fmt.Fprintf(&l, "  %-*s", width[i], c)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(" ", title, names)
	head, passes := "", slices.ContainsFunc(rows, func(r row) bool { return r.pass > 1 })
	for _, r := range rows {
		indent := ""
		if r.head != "" {
			indent = "  "
			if now := headText(r, passes); now != head {
				head = now
				line(" ", head, nil)
			}
		}
		mark := " "
		if r.parts() {
			mark = "*"
		}
		if !every && r.once() {
			r.cells = r.cells[:1]
		}
		line(mark, indent+r.label, r.cells)
	}
}

// headText is the function of r, with the pass where there are two.
func headText(r row, passes bool) string {
	if passes && r.pass > 0 {
		return fmt.Sprintf("%s, pass %d", r.head, r.pass)
	}
	return r.head
}
