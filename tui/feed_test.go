package tui

import (
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

// Where drawing takes too much of a CPU, it is done less often, and more often again when
// it does not.
func TestPace(t *testing.T) {
	every := shortest
	for _, step := range []struct {
		share float64
		want  time.Duration
	}{
		{0.01, shortest}, {0.5, 2 * shortest}, {0.5, 4 * shortest}, {0.07, 4 * shortest}, {0.9, 8 * shortest}, {0.9, longest}, {0.9, longest},
		{0.01, longest / 2}, {0.01, longest / 4}, {0.01, longest / 8}, {0.01, shortest},
	} {
		if every = pace(every, step.share); every != step.want {
			t.Errorf("share %g: every %s, want %s", step.share, every, step.want)
		}
	}
}

// BenchmarkCollector is what a write costs on its way to the screen; nearly all of them
// are only counted.
func BenchmarkCollector(b *testing.B) {
	rows := exporttest.Rows()
	c := NewCollector(false, nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Add(&rows[i%len(rows)], true)
	}
}
