package bench

import (
	"strings"
	"testing"
)

// What is as wide as a line stands on it, and one character more goes to the next.
func TestWrap(t *testing.T) {
	for more, want := range map[int]int{0: 1, 1: 2} {
		line := wrap(strings.Repeat("a", 40) + " " + strings.Repeat("b", 39+more))
		if got := strings.Count(line, "\n"); got != want {
			t.Errorf("%d characters take %d lines, want %d", 80+more, got, want)
		}
	}
}
