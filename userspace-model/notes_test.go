package model

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The truth tables of the notes on the kernels, row by row: what a row is about,
// and what it says. The documents in testdata/rows draw examples of them, named by
// table and letter (K73-j). Here each example is held against its row: that it is
// of the kind that the row is about, and that its answer is the row's.

// noteRow is one line of a table. An empty column means any. Two lines of a letter
// are one row of the notes that has a condition in its answer.
type noteRow struct {
	letter string
	align  string // al, un
	extend string // S: end > i_size, D: only end > i_disksize, -: none
	nosec  string // y, n
	class  string // W1, U1/X, W1/U1, X; since patch 4: nz, ok
	guess  string // SH, EX
	// answer to the blocking write, then to that under NOWAIT. L stands for the
	// lookups of one pass.
	answer, nowait string
}

// noteTable is one table and the variants that share it.
type noteTable struct {
	prefixes []string // as rows are named
	rows     []noteRow
}

const (
	upgraded = "SH>EX 2 - - L / L"
	waits    = "SH>EX 2 - fw L / L"
	drains   = "SH>EX 2 drain fw L / L"
)

// notes61 is table 2.1.
var notes61 = []noteRow{
	{"a", "un", "", "", "", "EX", "EX 1 drain fw -", "N3 -"},
	{"b", "al", "S", "", "", "EX", "EX 1 - fw -", "N3 -"},
	{"c", "al", "S", "", "", "SH", "SH>EX 2 - fw -", "N2 -"},
	{"d", "al", "D", "", "", "SH", "SH>EX 2 - fw -", "N2 -"},
	{"e", "al", "-", "n", "", "SH", "SH>EX 2 - - -", "N2 -"},
	{"f", "al", "-", "y", "W1", "SH", "SH 1 - - L", "SH 1 - - L"},
	{"g", "al", "-", "y", "U1/X", "SH", "SH>EX 2 - - L / -", "N2 L"},
	{"h", "al", "-", "", "", "EX", "EX 1 - - -", "EX 1 - - -"},
	{"i", "al", "D", "", "", "EX", "EX 1 - fw -", "N3 -"},
}

// notesUnaligned are the rows of table 2.2 that hold up to patch 3.
var notesUnaligned = []noteRow{
	{"a", "al", "S", "", "", "EX", "EX 1 - fw -", "N3 -"},
	{"b", "un", "S", "", "", "EX", "EX 1 drain fw -", "N3 -"},
	{"c", "al", "S", "", "", "SH", "SH>EX 2 - fw -", "N2 -"},
	{"c", "un", "S", "", "", "SH", "SH>EX 2 drain fw -", "N2 -"},
	{"e", "un", "D", "", "W1", "SH", waits, "N2 L"},
	{"f", "un", "D", "", "U1/X", "SH", drains, "N2 L"},
	{"h", "un", "-", "y", "W1", "SH", "SH 1 - - L", "SH 1 - - L"},
	{"j", "un", "-", "y", "U1/X", "SH", drains, "N2 L"},
	{"l", "un", "-", "n", "W1", "SH", waits, "N2 L"},
	{"m", "un", "-", "n", "U1/X", "SH", drains, "N2 L"},
	{"o", "un", "-", "", "W1", "EX", "EX 1 - fw L", "N3 L"},
	{"p", "un", "-", "", "U1/X", "EX", "EX 1 drain fw L", "N3 L"},
	{"q", "un", "D", "", "W1", "EX", "EX 1 - fw L", "N3 L"},
	{"q", "un", "D", "", "U1/X", "EX", "EX 1 drain fw L", "N3 L"},
}

// notes612 are the aligned rows of table 2.2.
var notes612 = []noteRow{
	{"d", "al", "D", "", "", "SH", waits, "N2 L"},
	{"g", "al", "-", "y", "W1/U1", "SH", "SH 1 - - L", "SH 1 - - L"},
	{"i", "al", "-", "y", "X", "SH", upgraded, "N2 L"},
	{"k", "al", "-", "n", "", "SH", upgraded, "N2 L"},
	{"n", "al", "-", "", "", "EX", "EX 1 - - L", "EX 1 - - L"},
	{"q", "al", "D", "", "", "EX", "EX 1 - fw L", "N3 L"},
}

// notesPatch3 are the aligned rows of table 2.3; g and i are one there. Whether d
// and q look up is not known: L?.
var notesPatch3 = []noteRow{
	{"d", "al", "D", "", "", "SH", "SH>EX 2 - fw L? / L?", "N2 L?"},
	{"g", "al", "-", "y", "", "SH", "SH 1 - - -", "SH 1 - - -"},
	{"k", "al", "-", "n", "", "SH", "SH>EX 2 - - -", "N2 -"},
	{"n", "al", "-", "", "", "EX", "EX 1 - - -", "EX 1 - - -"},
	{"q", "al", "D", "", "", "EX", "EX 1 - fw L?", "N3 L?"},
}

// notes73 is table 2.4.
var notes73 = []noteRow{
	{"a", "al", "S", "", "", "EX", "EX 1 - fw -", "N3 -"},
	{"b", "un", "S", "", "", "EX", "EX 1 drain fw -", "N3 -"},
	{"c", "al", "S", "", "", "SH", "SH>EX 2 - fw -", "N2 -"},
	{"c", "un", "S", "", "", "SH", "SH>EX 2 drain fw -", "N2 -"},
	{"d", "al", "D", "", "", "SH", "SH>EX 2 - fw -", "N2 -"},
	{"e", "un", "D", "", "ok", "SH", waits, "N2 L"},
	{"f", "un", "D", "", "nz", "SH", drains, "N2 L"},
	{"g", "al", "-", "y", "", "SH", "SH 1 - - -", "SH 1 - - -"},
	{"h", "un", "-", "y", "ok", "SH", "SH 1 - - L", "SH 1 - - L"},
	{"j", "un", "-", "y", "nz", "SH", drains, "N2 L"},
	{"k", "al", "-", "n", "", "SH", "SH>EX 2 - - -", "N2 -"},
	{"l", "un", "-", "n", "ok", "SH", upgraded, "N2 L"},
	{"m", "un", "-", "n", "nz", "SH", drains, "N2 L"},
	{"n", "al", "-", "", "", "EX", "EX 1 - - -", "EX 1 - - -"},
	{"o", "un", "-", "", "ok", "EX", "EX 1 - - L", "EX 1 - - L"},
	{"p", "un", "-", "", "nz", "EX", "EX 1 drain fw L", "N3 L"},
	{"q", "al", "D", "", "", "EX", "EX 1 - fw -", "N3 -"},
	{"q", "un", "D", "", "ok", "EX", "EX 1 - fw L", "N3 L"},
	{"q", "un", "D", "", "nz", "EX", "EX 1 drain fw L", "N3 L"},
}

func noteTables() []noteTable {
	return []noteTable{
		{[]string{"K61"}, notes61},
		{[]string{"K612", "K72", "base"}, slices.Concat(notesUnaligned, notes612)},
		{[]string{"B3"}, slices.Concat(notesUnaligned, notesPatch3)},
		{[]string{"B34", "K73", "V2"}, notes73},
	}
}

// notesSituation are the columns of the tables for the write of a row.
func notesSituation(s *scene, v Variant) noteRow {
	s.blocks = strings.ReplaceAll(s.blocks, "M", "W") // written, but not in the cache
	sit := classify(s)
	pick := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	bs := int64(1) << s.blkbits
	guessEX := s.pos0+s.n0 > s.isize0
	if v == Linux61 {
		sit.unaligned = s.pos0%bs != 0 || s.n0%bs != 0 || int64(s.mem)%bs != 0
		guessEX = guessEX || sit.unaligned
	}
	out := noteRow{
		align: pick(sit.unaligned, "un", "al"), extend: pick(sit.beyondSize, "S", pick(sit.beyondDisk, "D", "-")),
		nosec: pick(s.nosec, "y", "n"), guess: pick(guessEX, "EX", "SH"), class: sit.class,
	}
	if v.Has(NeedsZeroing) {
		out.class = pick(sit.nz, "nz", "ok")
	}
	return out
}

// covers reports whether a row of a table is about this situation.
func (n *noteRow) covers(s noteRow) bool {
	is := func(column, value string) bool {
		return column == "" || slices.Contains(strings.Split(column, "/"), value)
	}
	return is(n.align, s.align) && is(n.extend, s.extend) && is(n.nosec, s.nosec) &&
		is(n.class, s.class) && is(n.guess, s.guess)
}

var (
	lookupsMade = regexp.MustCompile(`(\(\d+,\d+(,0x800)?\)=-?\d+)+`)
	lookupsOpen = regexp.MustCompile(`\(\d+,\d+\)\?`)
)

// want is the row's answer to an example of it. An unaligned write without a
// partial block makes no lookups since patch 4: there L is nothing.
func (n *noteRow) want(s *scene, v Variant, missed bool) string {
	mask := int64(1)<<s.blkbits - 1
	answer, nowait := n.answer, n.nowait
	if missed { // a cached miss counts as not written
		nowait = map[string]string{"SH": "N2 L", "EX": "N3 L"}[n.guess]
	}
	text := answer + " | NOWAIT: " + nowait
	if v.Has(NeedsZeroing) && s.pos&mask == 0 && (s.pos+s.n)&mask == 0 {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "L / L", "-"), "L", "-")
	}
	return text
}

// notesName takes a name such as K73-j-hole apart.
func notesName(name string) (prefix, letter string) {
	part := strings.SplitN(name, "-", 3)
	if len(part) < 2 || len(part[1]) != 1 {
		return "", ""
	}
	return part[0], part[1]
}

// TestRowsFollowNotes: every example is of the kind that its row of the notes is
// about, and its expected answer is that row's. Every row has an example.
func TestRowsFollowNotes(t *testing.T) {
	cases := allCases(t)
	for _, table := range noteTables() {
		for _, prefix := range table.prefixes {
			seen := map[noteRow]bool{}
			for _, c := range cases {
				if p, letter := notesName(c.row.name); c.cmd == "rows" && p == prefix {
					seen[table.check(t, c, letter)] = true
				}
			}
			for _, n := range table.rows {
				if !seen[n] {
					t.Errorf("%s-%s: no example of %+v", prefix, n.letter, n)
				}
			}
		}
	}
}

// check holds one example against its row, which it returns.
func (table *noteTable) check(t *testing.T, c tableCase, letter string) noteRow {
	if shortNames[c.variant] != strings.SplitN(c.row.name, "-", 2)[0] {
		t.Errorf("%s: %s is named for another variant than %s", c.at, c.row.name, c.variant)
	}
	if letter == "i" && c.variant == Patch3 {
		letter = "g"
	}
	s := c.row.scene()
	sit := notesSituation(s, c.variant)
	i := slices.IndexFunc(table.rows, func(n noteRow) bool { return n.covers(sit) })
	if i < 0 {
		t.Errorf("%s: %s: no row of the notes is about %+v", c.at, c.row.line, sit)
		return noteRow{}
	}
	n := table.rows[i]
	if n.letter != letter {
		t.Errorf("%s: %s is an example of row %s", c.at, c.row.line, n.letter)
	}
	got := lookupsOpen.ReplaceAllString(lookupsMade.ReplaceAllString(c.want, "L"), "L?")
	if want := n.want(s, c.variant, strings.Contains(c.want, "=-11")); got != want {
		t.Errorf("%s: %s: expects %q, but the notes say %q", c.at, c.row.line, got, want)
	}
	_, nowait, _ := strings.Cut(c.want, "NOWAIT")
	lookups, cached := strings.Count(nowait, "="), strings.Count(nowait, ",0x800)=")
	if c.variant == SeriesV2 && lookups != cached || c.variant != SeriesV2 && cached != 0 {
		t.Errorf("%s: %s: flags of the lookups under NOWAIT: %s", c.at, c.row.line, nowait)
	}
	return n
}
