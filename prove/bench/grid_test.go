package bench

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

// tracedSeries is what make bench-series measures, with numbers as wide as the cover
// letter's.
func tracedSeries(t *testing.T) Comparison {
	t.Helper()
	c := coverLetter(t)
	for i, name := range []string{"Debian 7.2", "Debian 7.3"} {
		x := coverLetter(t)[2*i]
		x.Name = name
		for _, r := range x.reports {
			r.Kernel = "7.3.4+deb13-amd64 (#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1~bpo13+1 (2026-11-15))"
		}
		c = append(c, x)
	}
	for _, x := range c {
		for _, r := range x.reports {
			for i := range r.Steps {
				s := &r.Steps[i]
				l := Locks{Seen: uint64(s.Writes), Exclusive: uint64(s.Writes), WaitNs: uint64(s.Writes) * uint64(s.Jobs) * 9_270_000, Losses: "none lost"}
				s.Traced = &Traced{Measure: s.Measure, Locks: l}
			}
		}
	}
	return c
}

// Three kernels fit side by side on a terminal of 80 columns, and five in two parts.
func TestTerminalWidth(t *testing.T) {
	c := tracedSeries(t)
	three := write(t, c[:3], "text")
	testkit.Golden(t, "traced.txt", three)
	if n := strings.Count(three, "JOBS "); n != 4 {
		t.Errorf("three kernels make %d tables, want two for each test:\n%s", n, three)
	}
	all := write(t, c, "text")
	if n := strings.Count(all, "JOBS "); n != 6 {
		t.Errorf("five kernels make %d tables, want three for each test:\n%s", n, all)
	}
	var report strings.Builder
	if err := c[4].reports["test1"].Text(&report); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(three + all + report.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// A name that is wider than its columns, and a table of which one column alone is too
// wide, lose nothing.
func TestWideNames(t *testing.T) {
	long := strings.Repeat("n", 100)
	g := &grid{head: []string{"JOBS", "a", "b", "c", "d"}, rows: [][]string{{"1", "2", "3", "4", "5"}}, over: []string{long, "short"}, per: 2}
	var b strings.Builder
	g.text(&b)
	want := "      " + long + "\nJOBS  a  " + strings.Repeat(" ", 96) + "b\n"
	if !strings.HasPrefix(b.String(), want) || !strings.HasSuffix(b.String(), "      short\nJOBS  c   d\n----  -  --\n   1  4   5\n") {
		t.Errorf("%s", b.String())
	}
}

// What is as wide as a line stands on it, and one character more goes to the next.
func TestLineWidth(t *testing.T) {
	for more, want := range map[int]int{0: 1, 1: 2} {
		g := &grid{head: []string{"JOBS", strings.Repeat("a", 36), strings.Repeat("b", 36+more)}}
		var b strings.Builder
		g.text(&b)
		if got := strings.Count(b.String(), "JOBS"); got != want {
			t.Errorf("a table of %d columns is in %d parts, want %d", 80+more, got, want)
		}
		line := wrap(strings.Repeat("a", 40) + " " + strings.Repeat("b", 39+more))
		if got := strings.Count(line, "\n"); got != want {
			t.Errorf("%d characters take %d lines, want %d", 80+more, got, want)
		}
	}
}
