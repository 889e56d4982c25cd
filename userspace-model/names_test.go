package model

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// allCases are the answers of all documents. A case is named as its subtest is:
// linux-7.3/K73-j.
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

// corner is an item of section 8 of the notes: rows that show it, or why none does.
type corner struct {
	rows []string // beginnings of their names; 8.n- when empty
	why  string
}

// corners are those whose rows do not begin with their number, and those without.
var corners = map[int]corner{
	24: {why: "a short copy depends on the caller's memory, which is no fact of the model"},
	25: {rows: []string{"8.1-shrank", "K61-c-truncated", "K73-c-truncated"}},
	26: {rows: []string{"K61-sticky-extend", "K72-extend-cleared", "K73-sticky-nz"}},
	29: {why: "these mount options are about buffered writes; no decision looks at them"},
	31: {why: "free space is no fact of the model: -ENOSPC is not predicted"},
	35: {why: "who else updates timestamps is no part of one write's decision"},
	36: {why: "whether a drain had to wait is seen, not predicted"},
	39: {why: "a rule about two observations of one write: brokenTruths holds every row against it"},
	40: {rows: []string{"8.4-unaligned", "8.4-tail"}},
}

// lastCorner is the last item of section 8.
const lastCorner = 40

// wantedNames are the names that the documents must have, or their beginnings.
func wantedNames() []string {
	var out []string
	for _, table := range noteTables() {
		for _, prefix := range table.prefixes {
			for _, n := range table.rows {
				out = append(out, prefix+"-"+n.letter)
			}
		}
	}
	out = append(out, wantedCells()...)
	out = append(out, "N0", "N1", "N2-", "N3-", "N4", "8.5-N5", "N6")
	for n := 1; n <= lastCorner; n++ {
		switch c := corners[n]; {
		case c.why != "":
		case c.rows != nil:
			out = append(out, c.rows...)
		default:
			out = append(out, fmt.Sprintf("8.%d-", n))
		}
	}
	return out
}

// wantedCells are the lookups of table 2.4, the cells of table 2.5 and the worked
// rows of 2.6.
func wantedCells() []string {
	out := strings.Fields("nz-beyond nz-memory nz-head-written nz-head-hole nz-head-error nz-same-written nz-same-unwritten" +
		" nz-both-head-bad nz-both-one-map nz-both-tail-good nz-both-tail-bad nz-both-tail-error nz-tail-written nz-tail-hole")
	for _, v := range Variants() {
		if v.Alike() != v {
			continue // its answers are those of another
		}
		for _, cell := range []string{"written", "unwritten", "hole", "hole-nowait", "beyond", "straddling"} {
			for _, format := range []string{"extent", "indirect"} {
				out = append(out, fmt.Sprintf("2.5-%s-%s-%s", cell, format, shortNames[v]))
			}
		}
		for _, worked := range []string{"WU", "HHHH", "WUUW", "WWWW", "memory"} {
			out = append(out, fmt.Sprintf("2.6-%s-%s", worked, shortNames[v]))
			if v != Patch3 && v != Patch4 {
				out = append(out, shortNames[v]+"/"+worked)
			}
		}
	}
	return out
}

// TestRowNames: every row of the notes' tables 2.1 to 2.6 and every corner case of
// section 8 has a row, and the documents did not shrink.
func TestRowNames(t *testing.T) {
	cases := allCases(t)
	if len(cases) < 1600 {
		t.Errorf("only %d rows", len(cases))
	}
	for _, want := range wantedNames() {
		found := false
		for _, c := range cases {
			exact := strings.HasPrefix(want, "2.") || strings.Contains(want, "/")
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
