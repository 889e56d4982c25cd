package random

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// planted fails when a NOWAIT write of at least 1000 bytes comes after a punch.
func planted(c *Case) bool {
	punched := false
	for i := range c.Steps {
		s := &c.Steps[i]
		punched = punched || s.Op == Punch
		if punched && s.Op == Write && s.Flags&unix.RWF_NOWAIT != 0 && s.Len >= 1000 {
			return true
		}
	}
	return false
}

func TestShrink(t *testing.T) {
	found := 0
	for n := 1; n <= 300; n++ {
		c := Generate(9, n, fourK)
		if !planted(c) {
			continue
		}
		found++
		got := shrink(c, 512, 1000, planted)
		if !planted(got) || len(got.Steps) != 2 || got.Steps[0].Op != Punch {
			t.Fatalf("case %d: shrunk to %v", n, got.Steps)
		}
		w := got.Steps[1]
		if w.Len > 1536 || w.Buf != 0 || w.Fresh || len(w.Segs) != 1 || w.Flags != unix.RWF_NOWAIT || w.Engine != workload.Pwritev2 || w.Off >= 4096 {
			t.Errorf("case %d: %s is not the smallest write", n, &w)
		}
		if got.Number != n || got.Seed != 9 {
			t.Error("the shrunk case does not say where it is from")
		}
	}
	if found < 5 {
		t.Errorf("only %d cases failed", found)
	}
}

func TestShrinkIsBounded(t *testing.T) {
	c, runs := Generate(9, 1, fourK), 0
	shrink(c, 512, 5, func(*Case) bool { runs++; return true })
	if runs != 5 {
		t.Errorf("%d runs, want 5", runs)
	}
	before := len(c.Steps)
	if got := shrink(c, 512, 50, func(*Case) bool { return false }); got != c || len(c.Steps) != before {
		t.Error("a case that fails no more was taken")
	}
}
