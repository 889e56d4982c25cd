package table

import (
	"strings"
	"testing"
)

// A name that is wider than its columns, and a table of which one column alone is too
// wide, lose nothing.
func TestWideNames(t *testing.T) {
	long := strings.Repeat("n", 100)
	g := &Table{
		Head: []string{"JOBS", "a", "b", "c", "d"}, Rows: [][]string{{"1", "2", "3", "4", "5"}}, Over: []string{long, "short"}, Per: 2, LineWidth: 80,
	}
	var b strings.Builder
	g.Text(&b)
	want := "      " + long + "\nJOBS  a  " + strings.Repeat(" ", 96) + "b\n"
	if !strings.HasPrefix(b.String(), want) || !strings.HasSuffix(b.String(), "      short\nJOBS  c   d\n----  -  --\n   1  4   5\n") {
		t.Errorf("%s", b.String())
	}
}

// What is as wide as a line stands on it, and one character more goes to the next.
func TestLineWidth(t *testing.T) {
	for more, want := range map[int]int{0: 1, 1: 2} {
		g := &Table{Head: []string{"JOBS", strings.Repeat("a", 36), strings.Repeat("b", 36+more)}, LineWidth: 80}
		var b strings.Builder
		g.Text(&b)
		if got := strings.Count(b.String(), "JOBS"); got != want {
			t.Errorf("a table of %d columns is in %d parts, want %d", 80+more, got, want)
		}
	}
}

// Columns go to the side that they ask for, and nothing stands behind the last cell.
func TestSides(t *testing.T) {
	g := &Table{Head: []string{"<name", "n", "<why"}, Rows: [][]string{{"a", "10", "because"}, {"", "7"}}}
	var b strings.Builder
	g.Text(&b)
	if want := "name   n  why\n----  --  -------\na     10  because\n       7\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
