package main

import (
	"fmt"
	"io"
	"strings"
)

// result is a mutant and what became of it.
type result struct {
	mutant
	outcome
	reason string // why it is equivalent
}

// verdict is what became of the mutant, in a word or with the test that noticed it, and
// whether somebody has to do something about it.
func (r *result) verdict() (text string, wrong bool) {
	switch {
	case r.noBuild:
		return "does not compile", false
	case r.killedBy != "" && r.reason != "":
		return "killed by " + r.killedBy + ", BUT LISTED AS EQUIVALENT", true
	case r.killedBy != "":
		return "killed by " + r.killedBy, false
	case r.reason != "":
		return "equivalent", false
	}
	return "SURVIVED", true
}

// tally counts results.
type tally struct{ made, killed, equivalent, wrong int }

func count(results []result) tally {
	var c tally
	for i := range results {
		r := &results[i]
		if r.noBuild {
			continue // no mutant
		}
		c.made++
		switch _, wrong := r.verdict(); {
		case wrong:
			c.wrong++
		case r.killedBy != "":
			c.killed++
		default:
			c.equivalent++
		}
	}
	return c
}

func (c tally) String() string {
	return fmt.Sprintf("%d mutants: %d killed, %d equivalent, %d to look at", c.made, c.killed, c.equivalent, c.wrong)
}

// writeTable writes a complete run as a document. It has no line numbers, so that
// it changes only when a mutant or its fate does.
func writeTable(w io.Writer, pkg string, results []result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the tests of %s notice\n\n", pkg)
	b.WriteString("Made by `go run ./internal/mutate -o internal/mutate/RESULT.md ./" + pkg + "`. Each line is one\n" +
		"small change to the source, made by itself, and the first test that failed for it.\n" +
		"The reasons of the equivalent ones stand in equivalent.txt, below the same names.\n\n")
	fmt.Fprintf(&b, "%s.\n", count(results))
	file := ""
	for i := range results {
		r := &results[i]
		if r.noBuild {
			continue
		}
		if r.file != file {
			file = r.file
			fmt.Fprintf(&b, "\n## %s\n\n| function | source | mutation | killed by |\n| --- | --- | --- | --- |\n", file)
		}
		change := quote(r.old) + " → " + quote(r.new)
		switch {
		case r.new == dropped:
			change = dropped
		case r.nth > 1:
			change += fmt.Sprintf(" (%d)", r.nth)
		}
		fate, _ := r.verdict()
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.fn, quote(r.where), change, strings.TrimPrefix(fate, "killed by "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quote makes source text a code span of a table's cell.
func quote(text string) string {
	text = strings.ReplaceAll(text, "|", `\|`)
	if strings.Contains(text, "`") {
		return "`` " + text + " ``"
	}
	return "`" + text + "`"
}
