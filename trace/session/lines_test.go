package session

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
)

// TestLossStandsAtItsPlace: what is lost between two batches is said between their writes,
// once, in JSON and in text; the summary is the last line of JSON.
func TestLossStandsAtItsPlace(t *testing.T) {
	for _, json := range []bool{true, false} {
		var out bytes.Buffer
		s := &Lines{Out: &out, JSON: json}
		var sum export.Summary
		flush := func(lost uint64) {
			s.Row(&export.Row{Comm: "writer"})
			sum.Totals.Writes++
			sum.Losses.LostRing = lost
			if err := s.Flush(&sum); err != nil {
				t.Fatal(err)
			}
		}
		flush(0)
		flush(7)
		flush(7)
		s.Note("be told")
		flush(9)
		if err := s.End(&sum); err != nil {
			t.Fatal(err)
		}
		want := []string{`"schema":"ext4dio-trace/1","kind":"start"`, `"writer"`, `"writer"`, `"kind":"loss","writes":7,"total":7,"text":"7 writes: ring buffer full`,
			`"writer"`, `{"kind":"notice","text":"be told"}`, `"writer"`, `"kind":"loss","writes":2,"total":9`, `"kind":"summary","issued":13,"seen":4,"lost":9`}
		if !json {
			want = []string{"TIME", " writer ", " writer ", "-- LOST here: 7 writes: ring buffer full", " writer ", "-- be told", " writer ", "-- LOST here: 2 writes"}
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("line %d is %s\nwant %s", i+1, lines[i], want[i])
			}
		}
	}
}
