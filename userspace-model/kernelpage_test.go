package model

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The tables of docs/kernel.md from #checks-on-61 to #checks-with-patch-4, row by row:
// what a row is about, and what it says. The documents in testdata/rows draw examples of them, named by
// table and letter (7.3-j). Here each example is held against its row: that it is
// of the kind that the row is about, and that its answer is the row's.

// pageRow is one line of a table. An empty column means any. Two lines of a letter
// are one row of the page that has a condition in its answer.
type pageRow struct {
	letter string
	align  string // al, un
	extend string // S: end > i_size, D: only end > i_disksize, -: none
	nosec  string // y, n
	class  string // written, unwritten, mixed, as the range; since patch 4: zeroing, ok
	guess  string // SH, EX
	// answer to the blocking write, then to that under NOWAIT. L stands for the
	// lookups of one pass.
	answer, nowait string
}

// pageTable is one table and the variants that share it.
type pageTable struct {
	prefixes []string // as rows are named
	rows     []pageRow
}

// pageCells has the words of the page for those of a row.
var pageCells = map[string]string{
	"aligned": "al", "unaligned": "un",
	"i_size": "S", "i_disksize only": "D",
	"yes": "y", "no": "n", "any": "", "-": "",
	"one written mapping": "written", "one mapping": "written/unwritten", "unwritten or mixed": "unwritten/mixed", "mixed": "mixed",
	"exclusive": "EX", "shared": "SH",
}

// columns of a table of the page.
const (
	columnLetter = iota
	columnAlign
	columnExtend
	columnNosec
	columnRange
	columnFirst
	columnPasses
	columnLock
	columnDrain
	columnWait
	columnLookups
	columnNowait
	numColumns
)

// readPage reads the rows of the table below a heading of docs/kernel.md.
func readPage(t *testing.T, heading string) []pageRow {
	t.Helper()
	page, err := os.ReadFile("../docs/kernel.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(page), "\n## "+heading+"\n")
	part, _, _ = strings.Cut(part, "\n## ")
	zeroing := strings.Contains(part, "| needs zeroing |")
	var out []pageRow
	for line := range strings.Lines(part) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i, c := range cells {
			cells[i] = pageCell(c)
		}
		if len(cells) == numColumns && len(cells[columnLetter]) == 1 {
			out = append(out, readPageRow(t, cells, zeroing))
		}
	}
	if len(out) == 0 {
		t.Fatalf("docs/kernel.md has no table below %q", heading)
	}
	return out
}

// pageCell is a cell without emphasis and without what follows in brackets, or behind a
// comma or a semicolon.
func pageCell(cell string) string {
	cell = strings.TrimSpace(strings.ReplaceAll(cell, "*", ""))
	for _, end := range []string{";", " ("} {
		cell, _, _ = strings.Cut(cell, end)
	}
	if cell == "L, then none" {
		return "L / -"
	}
	cell, _, _ = strings.Cut(cell, ",")
	return cell
}

// readPageRow makes a row of the cells of one line.
func readPageRow(t *testing.T, cells []string, zeroing bool) pageRow {
	t.Helper()
	word := func(column int) string {
		w, ok := pageCells[cells[column]]
		if !ok {
			t.Fatalf("docs/kernel.md: a cell %q in %q", cells[column], cells)
		}
		return w
	}
	n := pageRow{letter: cells[columnLetter], align: word(columnAlign), extend: word(columnExtend), nosec: word(columnNosec), guess: word(columnFirst)}
	if cells[columnExtend] == "-" {
		n.extend = "-" // and not any
	}
	switch {
	case !zeroing:
		n.class = word(columnRange)
	case n.align == "un":
		n.class = map[string]string{"y": "zeroing", "n": "ok"}[word(columnRange)]
	}
	mode := n.guess
	if lock := word(columnLock); lock != mode {
		mode += ">" + lock
	}
	pick := func(column int, yes string) string {
		if word(column) == "y" {
			return yes
		}
		return "-"
	}
	lookups := strings.NewReplacer("Z", "L", "none", "-").Replace(cells[columnLookups])
	n.answer = strings.Join([]string{mode, cells[columnPasses], pick(columnDrain, "drain"), pick(columnWait, "fw"), lookups}, " ")
	n.nowait = n.answer
	if end := cells[columnNowait]; end != "goes on" {
		first, _, _ := strings.Cut(lookups, " / ")
		n.nowait = end + " " + first
	}
	return n
}

// pageTables are the tables of docs/kernel.md. patch3 has the unaligned rows of 7.2.
func pageTables(t *testing.T) []pageTable {
	seven := readPage(t, "Checks on 6.12 and 7.2")
	unaligned := slices.DeleteFunc(slices.Clone(seven), func(n pageRow) bool { return n.align != "un" })
	return []pageTable{
		{[]string{"6.1"}, readPage(t, "Checks on 6.1")},
		{[]string{"6.12", "7.2", "base"}, seven},
		{[]string{"patch3"}, slices.Concat(unaligned, readPage(t, "Checks with patch 3"))},
		{[]string{"patch4", "7.3", "v2"}, readPage(t, "Checks with patch 4")},
	}
}

// pageSituation are the columns of the tables for the write of a row.
func pageSituation(s *scene, v Variant) pageRow {
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
	out := pageRow{
		align: pick(sit.unaligned, "un", "al"), extend: pick(sit.beyondSize, "S", pick(sit.beyondDisk, "D", "-")),
		nosec: pick(s.nosec, "y", "n"), guess: pick(guessEX, "EX", "SH"), class: sit.class,
	}
	if v.Has(NeedsZeroing) {
		out.class = pick(sit.nz, "zeroing", "ok")
	}
	return out
}

// covers reports whether a row of a table is about this situation.
func (n *pageRow) covers(s pageRow) bool {
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
func (n *pageRow) want(s *scene, v Variant, missed bool) string {
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

// pageName takes a name such as 7.3-j-hole apart.
func pageName(name string) (prefix, letter string) {
	part := strings.SplitN(name, "-", 3)
	if len(part) < 2 || len(part[1]) != 1 {
		return "", ""
	}
	return part[0], part[1]
}

// TestRowsFollowPage: every example is of the kind that its row of the page is
// about, and its expected answer is that row's. Every row has an example.
func TestRowsFollowPage(t *testing.T) {
	cases := allCases(t)
	for _, table := range pageTables(t) {
		for _, prefix := range table.prefixes {
			seen := map[pageRow]bool{}
			for _, c := range cases {
				if p, letter := pageName(c.row.name); c.cmd == "rows" && p == prefix {
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
func (table *pageTable) check(t *testing.T, c tableCase, letter string) pageRow {
	if shortNames[c.variant] != strings.SplitN(c.row.name, "-", 2)[0] {
		t.Errorf("%s: %s is named for another variant than %s", c.at, c.row.name, c.variant)
	}
	if letter == "i" && c.variant == Patch3 {
		letter = "g"
	}
	s := c.row.scene()
	sit := pageSituation(s, c.variant)
	i := slices.IndexFunc(table.rows, func(n pageRow) bool { return n.covers(sit) })
	if i < 0 {
		t.Errorf("%s: %s: no row of the page is about %+v", c.at, c.row.line, sit)
		return pageRow{}
	}
	n := table.rows[i]
	if n.letter != letter {
		t.Errorf("%s: %s is an example of row %s", c.at, c.row.line, n.letter)
	}
	got := lookupsOpen.ReplaceAllString(lookupsMade.ReplaceAllString(c.want, "L"), "L?")
	if want := n.want(s, c.variant, strings.Contains(c.want, "=-11")); got != want {
		t.Errorf("%s: %s: expects %q, but the page says %q", c.at, c.row.line, got, want)
	}
	_, nowait, _ := strings.Cut(c.want, "NOWAIT")
	lookups, cached := strings.Count(nowait, "="), strings.Count(nowait, ",0x800)=")
	if c.variant == SeriesV2 && lookups != cached || c.variant != SeriesV2 && cached != 0 {
		t.Errorf("%s: %s: flags of the lookups under NOWAIT: %s", c.at, c.row.line, nowait)
	}
	return n
}
