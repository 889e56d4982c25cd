package xfsio

import (
	"math/rand/v2"
	"testing"
)

// TestBlocks compares random changes with an array of blocks.
func TestBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		b := blocks{rest: state(rng.IntN(4))}
		var want [64]state
		for i := range want {
			want[i] = b.rest
		}
		for range 40 {
			from := rng.Int64N(64)
			to := from + rng.Int64N(65-from)
			s := state(rng.IntN(4))
			b.set(from, to, s)
			for i := from; i < to; i++ {
				want[i] = s
			}
			check(t, &b, want[:])
		}
	}
}

func check(t *testing.T, b *blocks, want []state) {
	t.Helper()
	at := int64(0)
	b.each(0, int64(len(want)), func(p piece) {
		if p.from != at || p.to <= p.from {
			t.Fatalf("piece %v at %d of %v", p, at, b.pieces)
		}
		for ; at < p.to; at++ {
			if want[at] != p.state {
				t.Fatalf("block %d is %d, not %d", at, p.state, want[at])
			}
		}
	})
	if at != int64(len(want)) {
		t.Fatalf("ends at %d", at)
	}
	for i, p := range b.pieces {
		if p.from >= p.to || p.state == b.rest || i > 0 && (p.from < b.pieces[i-1].to || p.from == b.pieces[i-1].to && p.state == b.pieces[i-1].state) {
			t.Fatalf("pieces %v", b.pieces)
		}
	}
}

func TestBlocksForget(t *testing.T) {
	var b blocks
	for i := range int64(maxPieces + 1) {
		b.set(2*i, 2*i+1, written)
	}
	n := 0
	b.each(0, 10, func(p piece) {
		if n++; p.state != unknown {
			t.Errorf("piece %v", p)
		}
	})
	if n != 1 {
		t.Errorf("%d pieces", n)
	}
}
