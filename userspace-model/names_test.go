package model

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// allCases are the answers of all documents. A case is named as its subtest is:
// linux-7.3/7.3-j.
func allCases(t *testing.T) []tableCase {
	paths, err := filepath.Glob("testdata/rows/*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d documents: %v", len(paths), err)
	}
	var out []tableCase
	for _, path := range paths {
		for _, c := range readCases(t, path) {
			c.name = filepath.Base(path) + "/" + c.name
			out = append(out, c)
		}
	}
	return out
}

// corner is a heading of docs/kernel.md#corner-cases: rows that show it, or why none does.
type corner struct {
	rows []string // beginnings of their names; the heading as links name it when empty
	why  string
}

// corners are those whose rows do not begin with their heading, and those without.
var corners = map[string]corner{
	"short-copies":                              {why: "a short copy depends on the caller's memory, which is no fact of the model"},
	"truncate":                                  {rows: []string{"first-lock-shrank", "6.1-c-truncated", "7.3-c-truncated"}},
	"between-two-passes":                        {rows: []string{"6.1-sticky-extend", "7.2-extend-cleared", "7.3-sticky-zeroing"}},
	"mount-options-without-effect":              {why: "these mount options are about buffered writes; no decision looks at them"},
	"no-space":                                  {why: "free space is no fact of the model: -ENOSPC is not predicted"},
	"timestamps-under-the-shared-lock":          {why: "who else updates timestamps is no part of one write's decision"},
	"reads-in-flight":                           {why: "whether a drain had to wait is seen, not predicted"},
	"what-shared-protects":                      {why: "a rule about two observations of one write: brokenTruths holds every row against it"},
	"blocks-that-change-before-the-second-pass": {rows: []string{"delayed-blocks-unaligned", "delayed-blocks-tail"}},
}

// cornerHeadings are the headings of docs/kernel.md#corner-cases, as links name them.
func cornerHeadings(t *testing.T) []string {
	page, err := os.ReadFile("../docs/kernel.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(page), "\n## Corner cases\n")
	var out []string
	for line := range strings.Lines(part) {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			out = append(out, strings.NewReplacer(" ", "-", "/", "").Replace(strings.ToLower(strings.TrimSpace(heading))))
		}
	}
	if len(out) < 40 {
		t.Errorf("only %d corner cases", len(out))
	}
	return out
}

// wantedNames are the names that the documents must have, or their beginnings.
func wantedNames(t *testing.T) []string {
	var out []string
	for _, table := range pageTables(t) {
		for _, prefix := range table.prefixes {
			for _, n := range table.rows {
				out = append(out, prefix+"-"+n.letter)
			}
		}
	}
	out = append(out, wantedCells()...)
	out = append(out, "N0", "N1", "N2-", "N3-", "N4", "cached-pages-under-nowait-N5", "N6")
	for _, heading := range cornerHeadings(t) {
		switch c := corners[heading]; {
		case c.why != "":
		case c.rows != nil:
			out = append(out, c.rows...)
		default:
			out = append(out, heading+"-")
		}
	}
	return out
}

// wantedCells are those of docs/kernel.md#which-blocks-are-looked-up, #by-inode-format and
// #worked-writes.
func wantedCells() []string {
	out := strings.Fields("needs-zeroing-beyond needs-zeroing-memory needs-zeroing-head-written needs-zeroing-head-hole needs-zeroing-head-error needs-zeroing-same-written needs-zeroing-same-unwritten" +
		" needs-zeroing-both-head-bad needs-zeroing-both-one-map needs-zeroing-both-tail-good needs-zeroing-both-tail-bad needs-zeroing-both-tail-error needs-zeroing-tail-written needs-zeroing-tail-hole")
	for _, v := range Variants() {
		if v.Alike() != v {
			continue // its answers are those of another
		}
		for _, cell := range []string{"written", "unwritten", "hole", "hole-nowait", "beyond", "straddling"} {
			for _, format := range []string{"extent", "indirect"} {
				out = append(out, fmt.Sprintf("by-inode-format-%s-%s-%s", cell, format, shortNames[v]))
			}
		}
		for _, worked := range []string{"WU", "HHHH", "WUUW", "WWWW", "memory"} {
			out = append(out, fmt.Sprintf("worked-writes-%s-%s", worked, shortNames[v]))
			if v != Patch3 && v != Patch4 {
				out = append(out, shortNames[v]+"/"+worked)
			}
		}
	}
	return out
}

// TestRowNames: every row of the tables of docs/kernel.md and every corner case of it
// has a row, and the documents did not shrink.
func TestRowNames(t *testing.T) {
	cases := allCases(t)
	if len(cases) < 1600 {
		t.Errorf("only %d rows", len(cases))
	}
	for _, want := range wantedNames(t) {
		found := false
		for _, c := range cases {
			exact := strings.HasPrefix(want, "by-inode-format-") || strings.HasPrefix(want, "worked-writes-") || strings.Contains(want, "/")
			found = found || strings.HasSuffix(c.name, "/"+want) || !exact && strings.HasPrefix(c.row.name, want)
		}
		if !found {
			t.Errorf("no row %s", want)
		}
	}
}

// TestRowsAgree: rows of one variant that draw the same write give the same answer,
// whichever document they stand in.
func TestRowsAgree(t *testing.T) {
	first := map[string]tableCase{}
	for _, c := range allCases(t) {
		kind := c.cmd
		if kind == "compare" {
			kind = "outcome"
		}
		_, situation, _ := strings.Cut(c.row.line, " ")
		key := fmt.Sprint(kind, c.variant, strings.Fields(situation))
		if other, ok := first[key]; ok && other.want != c.want {
			t.Errorf("%s and %s are the same write, but expect\n%s\n%s", other.name, c.name, other.want, c.want)
		}
		first[key] = c
	}
}
