package coverage

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A table of names as fstests has them is no wider than a terminal, and a long name moves no other line.
func TestMarksFit(t *testing.T) {
	name, long := "generic/0912", strings.Repeat("ä", 120)
	m := Marked{Mark: &name, Writes: 1234567, Shared: 1234567, Exclusive: 1234567, None: 1234, Taken: 61, New: make([]NewPoint, 44), Disagree: 12345, Open: 1234}
	other := m
	other.Mark = &long
	var b strings.Builder
	if err := WriteMarks(&b, []Marked{m, other}, strings.Clone); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 && !strings.HasPrefix(line, long) {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(b.String(), long+" 1234567") {
		t.Errorf("the long name is not whole:\n%s", b.String())
	}
}
