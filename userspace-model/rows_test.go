package model

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestRows runs the tables in testdata/rows. They are documents: a table is a
// command, rows as parseRow reads them, and their answers, one for each row.
//
//	rows     the check phase, then the check phase of the same write under NOWAIT
//	one      the check phase of the write as it stands
//	reasons  what settled the lock mode
//	steps    the procedure of one row, step by step
//	outcome  everything that the variant does with a write to a known inode
//	compare  the outcome of each variant; those that agree stand together
//
// Every row is a subtest: TestRows/linux-7.3/7.3-j. A row of compare is one for
// each variant: TestRows/iomap/by-inode-format-hole-indirect-7.3. The answers were written down
// from the kernel sources; -rewrite is for their layout.
func TestRows(t *testing.T) {
	datadriven.Walk(t, "testdata/rows", func(t *testing.T, path string) {
		for _, c := range readCases(t, path) {
			t.Run(c.name, func(t *testing.T) {
				if c.got != c.want {
					t.Errorf("%s\n%s\n got %s\nwant %s", c.at, c.row.line, c.got, c.want)
				}
				for _, why := range c.broken {
					t.Errorf("%s\n%s\n%s", c.at, c.row.line, why)
				}
			})
		}
	})
}

// tableCase is one answer of a table.
type tableCase struct {
	name      string // of the subtest
	cmd       string
	variant   Variant
	at        string // file and line of the table
	row       *row
	got, want string
	broken    []string // truths about every write that this one breaks
}

// readCases runs all tables of a document.
func readCases(t *testing.T, path string) []tableCase {
	rewrite := flag.Lookup("rewrite").Value.String() == "true"
	var out []tableCase
	names := map[string]bool{}
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		tb := newTable(t, d)
		for _, c := range tb.cases(t) {
			if names[c.name] {
				t.Fatalf("%s: a second row %q", d.Pos, c.name)
			}
			names[c.name] = true
			if rewrite {
				c.want = c.got
			}
			out = append(out, c)
		}
		if rewrite {
			return tb.text(t)
		}
		return d.Expected // the rows are compared one by one
	})
	return out
}

// table is one command of a document.
type table struct {
	cmd     string
	at      string
	prefix  string // of the names, where a document has several variants
	variant Variant
	rows    []*row
	// want are the expected lines by row name; for compare by name of the row and
	// of the variant.
	want map[string]string
}

func newTable(t *testing.T, d *datadriven.TestData) *table {
	tb := &table{cmd: d.Cmd, at: d.Pos}
	if d.Cmd != "compare" {
		var name string
		d.ScanArgs(t, "variant", &name)
		v, err := ParseVariant(name)
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		tb.variant = v
		if file, _, _ := strings.Cut(d.Pos, ":"); filepath.Base(file) != name {
			tb.prefix = shortName(v) + "/"
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		tb.rows = append(tb.rows, parseRow(t, line))
	}
	tb.readAnswers(t, d.Expected)
	return tb
}

// readAnswers splits the answers by row. An answer to no row is an error.
func (tb *table) readAnswers(t *testing.T, text string) {
	tb.want = map[string]string{}
	if tb.cmd == "steps" {
		tb.want[tb.rows[0].name] = text
		return
	}
	known := map[string]bool{}
	for _, r := range tb.rows {
		known[r.name] = true
	}
	group := ""
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		name, answer, _ := strings.Cut(line, ":")
		switch {
		case line == "":
		case tb.cmd == "compare" && strings.HasPrefix(line, " "):
			tb.readGroup(t, group, name, strings.TrimSpace(answer))
		case !known[name]:
			t.Errorf("%s: an answer to no row: %q", tb.at, line)
		case tb.cmd == "compare":
			group = name
		default:
			tb.want[name] = strings.TrimSpace(answer)
		}
	}
}

// readGroup reads the variants that share an answer to one row.
func (tb *table) readGroup(t *testing.T, row, names, answer string) {
	if strings.TrimSpace(names) == allVariants {
		names = strings.Join(VariantNames(), ",")
	}
	for _, name := range strings.Split(names, ",") {
		v, err := ParseVariant(strings.TrimSpace(name))
		if err != nil {
			t.Fatalf("%s: %s: %v", tb.at, row, err)
		}
		key := row + " " + v.String()
		if _, twice := tb.want[key]; twice {
			t.Errorf("%s: %s: two answers of %s", tb.at, row, v)
		}
		tb.want[key] = answer
	}
}

// cases answers every row.
func (tb *table) cases(t *testing.T) []tableCase {
	var out []tableCase
	for _, r := range tb.rows {
		if tb.cmd == "compare" {
			for _, v := range Variants() {
				c := tb.answer(t, r, v)
				c.name, c.want = r.name+"-"+shortName(v), tb.want[r.name+" "+v.Alike().String()]
				if own, ok := tb.want[r.name+" "+v.String()]; ok {
					c.want = own
				}
				out = append(out, c)
			}
			continue
		}
		c := tb.answer(t, r, tb.variant)
		c.name, c.want = tb.prefix+r.name, tb.want[r.name]
		if tb.cmd == "reasons" || tb.cmd == "steps" {
			c.name = tb.prefix + tb.cmd + "/" + r.name
		}
		out = append(out, c)
	}
	return out
}

// answer is what the model says to one row.
func (tb *table) answer(t *testing.T, r *row, v Variant) tableCase {
	c := tableCase{cmd: tb.cmd, variant: v, at: tb.at, row: r}
	if tb.cmd == "outcome" || tb.cmd == "compare" {
		c.got, c.broken = outcome(t, r, v)
		return c
	}
	s := r.scene()
	var d Decision
	Decide(&d, s.call(), s, v)
	switch tb.cmd {
	case "rows":
		c.got = checksText(&d, s)
		c.broken = append(c.broken, differsFromInode(t, r, &d, v)...)
		s.flags |= IocbNowait
		Decide(&d, s.call(), s, v)
		c.got += " | NOWAIT: " + checksText(&d, s)
	case "one":
		c.got = checksText(&d, s)
	case "reasons":
		c.got = string(d.Reason)
	case "steps":
		for _, st := range d.Steps() {
			c.got += st.String() + "\n"
		}
	default:
		t.Fatalf("%s: unknown command %q", tb.at, tb.cmd)
	}
	return c
}

// text is the table's answers as the model gives them.
func (tb *table) text(t *testing.T) string {
	var b strings.Builder
	for _, r := range tb.rows {
		switch tb.cmd {
		case "compare":
			fmt.Fprintf(&b, "%s:\n%s", r.name, compareText(t, r))
		case "steps":
			b.WriteString(tb.answer(t, r, tb.variant).got)
		default:
			fmt.Fprintf(&b, "%s: %s\n", r.name, tb.answer(t, r, tb.variant).got)
		}
	}
	return b.String()
}

// shortNames are the variants as the rows are named.
var shortNames = map[Variant]string{
	Linux61: "6.1", Linux612: "6.12", Linux72: "7.2", Base: "base",
	Patch3: "patch3", Patch4: "patch4", Linux73: "7.3", SeriesV2: "v2",
}

func shortName(v Variant) string {
	if short, ok := shortNames[v]; ok {
		return short
	}
	return v.String()
}
