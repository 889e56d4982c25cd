package testreport

import (
	"fmt"
	"io"
	"strings"
)

// WriteKTAP writes the report as KTAP: a test for each suite, whose subtests are its cases. What is known of a failure
// stands before its result, in diagnostic lines, as notes do.
func (r *Report) WriteKTAP(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "KTAP version 1\n1..%d\n", len(r.Suites))
	if r.Name != "" {
		diagnostics(&b, "", r.Name)
	}
	for i := range r.Suites {
		s := &r.Suites[i]
		fmt.Fprintf(&b, "  KTAP version 1\n  1..%d\n", len(s.Cases))
		for _, note := range s.Notes {
			diagnostics(&b, "  ", note)
		}
		for k := range s.Cases {
			s.Cases[k].ktap(&b, k+1)
		}
		whole := Case{Name: s.Name}
		failed, skipped := s.counts()
		switch {
		case failed > 0:
			fmt.Fprintf(&b, "# %d of %d failed, %d skipped\n", failed, len(s.Cases), skipped)
			whole.Failed = "yes"
		case skipped == len(s.Cases):
			whole.Skipped = "all of it was skipped"
		}
		result(&b, "", i+1, &whole)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write KTAP: %w", err)
	}
	return nil
}

func (c *Case) ktap(b *strings.Builder, number int) {
	if c.Failed != "" {
		if !strings.HasPrefix(c.Detail, c.Failed) {
			diagnostics(b, "  ", c.Failed)
		}
		diagnostics(b, "  ", c.Detail)
	}
	diagnostics(b, "  ", c.Note)
	named := *c
	if !strings.HasPrefix(c.Name, c.Class) {
		named.Name = c.Class + ": " + c.Name
	}
	result(b, "  ", number, &named)
}

// result writes the line with the result of a test.
func result(b *strings.Builder, indent string, number int, c *Case) {
	word, skip := "ok", ""
	switch {
	case c.Failed != "":
		word = "not ok"
	case c.Skipped != "":
		skip = " # SKIP " + oneLine(c.Skipped)
	}
	fmt.Fprintf(b, "%s%s %d %s%s\n", indent, word, number, oneLine(strings.ReplaceAll(c.Name, "#", "")), skip)
}

// diagnostics writes lines that are for people.
func diagnostics(b *strings.Builder, indent, text string) {
	for line := range strings.Lines(text) {
		if line = oneLine(line); line != "" {
			fmt.Fprintf(b, "%s# %s\n", indent, line)
		}
	}
}

// oneLine makes a line of text, without what a terminal or a parser would take for something else.
func oneLine(s string) string {
	return strings.Join(strings.Fields(printable(s)), " ")
}
