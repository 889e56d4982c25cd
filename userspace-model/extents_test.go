package model

import (
	"errors"
	"strings"
	"testing"
)

func TestParseExtents(t *testing.T) {
	tests := []struct {
		text, want string
		blocks     int64
		err        string
	}{
		{"W,U,U,W", "W,U2,W", 4, ""},
		{"WUUW", "W,U2,W", 4, ""},
		{"w4 h100 D", "W4,H100,D", 105, ""},
		{"W8|W8", "W8|W8", 16, ""},
		{"W8W8", "W16", 16, ""},
		{"", "", 0, ""},
		{"H4294967295", "H4294967295", 1<<32 - 1, ""},
		{"W,X", "", 0, `'X' at 3 is not one of W`},
		{"W0", "", 0, "0 blocks"},
		{"W99999999999", "", 0, "99999999999 blocks"},
		{"H4294967295W", "", 0, "more than 4294967295 blocks"},
		{"4W", "", 0, `'4' at 1 is not one of W`},
	}
	for _, tt := range tests {
		x, err := ParseExtents(tt.text)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: error %v, want %q in it", tt.text, err, tt.err)
			}
			continue
		}
		if err != nil || x.String() != tt.want || x.Blocks() != tt.blocks {
			t.Errorf("%q: %q with %d blocks, %v; want %q with %d", tt.text, x, x.Blocks(), err, tt.want, tt.blocks)
		}
		if again, err := ParseExtents(x.String()); err != nil || again.String() != x.String() {
			t.Errorf("%q does not survive its text: %q, %v", tt.text, again, err)
		}
	}
}

// TestLookup: one mapping, cut to what was asked; the cache decides how long it is.
func TestLookup(t *testing.T) {
	x, err := ParseExtents("W2U3H2W40000|W5")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		q     Query
		cache Cache
		ret   int32
		state BlockState
	}{
		{"head", Query{0, 8, 0}, CacheMerged, 2, Written},
		{"middle of a mapping", Query{1, 8, 0}, CacheMerged, 1, Written},
		{"unwritten, cut", Query{2, 2, 0}, CacheMerged, 2, Unwritten},
		{"hole", Query{5, 8, 0}, CacheMerged, 0, Hole},
		{"behind the end", Query{50000, 8, 0}, CacheMerged, 0, Hole},
		{"merged in the cache", Query{7, 50000, 0}, CacheMerged, 40000, Written},
		{"one extent on disk", Query{7, 50000, 0}, CacheCold, 32768, Written},
		{"the next lies elsewhere", Query{40006, 9, 0}, CacheMerged, 1, Written},
		{"cache only, warm", Query{0, 1, GetBlocksCachedNowait}, CacheMerged, 1, Written},
		{"cache only, cold", Query{0, 1, GetBlocksCachedNowait}, CacheCold, EAGAIN, LookupError},
		{"the largest block", Query{MaxBlocks, 1, 0}, CacheMerged, -117, LookupError},
	}
	for _, tt := range tests {
		r, _ := x.mapBlocks(tt.q, tt.cache, CachedMissEagain)
		if r.Ret != tt.ret || StateOf(r.Ret, r.MFlags) != tt.state {
			t.Errorf("%s: %d %s, want %d %s", tt.name, r.Ret, StateOf(r.Ret, r.MFlags), tt.ret, tt.state)
		}
	}
}

// TestFlushed: delayed blocks in the range become written ones, apart from their
// neighbours; others stay.
func TestFlushed(t *testing.T) {
	tests := []struct {
		text        string
		first, last uint32
		want        string
	}{
		{"WDDW", 0, 3, "W|W2|W"},
		{"WDDW", 0, 0, "W,D2,W"},
		{"D4", 1, 2, "D|W2,D"},
		{"D4", 0, 0, "W,D3"},
		{"W4", 0, 3, "W4"},
		{"DUD", 0, 2, "W|U|W"},
		{"DUD", 0, 0, "W|U,D"},
		{"D2WD", 2, 3, "D2,W|W"},
	}
	for _, tt := range tests {
		x, err := ParseExtents(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.flushed(tt.first, tt.last).String(); got != tt.want {
			t.Errorf("%s, blocks %d to %d: %s, want %s", tt.text, tt.first, tt.last, got, tt.want)
		}
	}
}

// TestImpossibleFacts: what cannot be is an error that names it, never a decision.
func TestImpossibleFacts(t *testing.T) {
	tests := []struct {
		name string
		set  func(*Write, *Inode)
		want string
	}{
		{"position", func(w *Write, _ *Inode) { w.Pos = -1 }, "a negative position"},
		{"length", func(w *Write, _ *Inode) { w.Len = -1 }, "a negative length"},
		{"end", func(w *Write, _ *Inode) { w.Pos, w.Len = maxPos, 2 }, "beyond the largest position"},
		{"last block", func(w *Write, _ *Inode) { w.Pos, w.Len = MaxBlocks<<12, 1 }, "behind the last one"},
		{"i_size", func(_ *Write, in *Inode) { in.ISize = -1 }, "a negative i_size"},
		{"i_size at the guess", func(_ *Write, in *Inode) { in.ISizeAtGuess = -1 }, "a negative i_size"},
		{"i_disksize", func(_ *Write, in *Inode) { in.IDisksize = -1 }, "a negative i_disksize"},
		{"i_disksize beyond i_size", func(_ *Write, in *Inode) { in.IDisksize = in.ISize + 1 }, "i_disksize beyond i_size"},
		{"block size", func(_ *Write, in *Inode) { in.Blkbits = 9 }, "a block size that ext4 does not have"},
		{"large block size", func(_ *Write, in *Inode) { in.Blkbits = 17 }, "a block size that ext4 does not have"},
		{"unwritten in a block map", func(_ *Write, in *Inode) { in.Indirect = true }, "unwritten blocks in an inode without extents"},
		{"inline data in a block map", func(_ *Write, in *Inode) {
			in.Indirect, in.Extents, in.Direct.Inline = true, nil, Yes
		}, "inline data and block map"},
		{"no blocks", func(_ *Write, in *Inode) { in.Extents = Extents{{Len: 0, State: Written}} }, "an extent without blocks"},
		{"no state", func(_ *Write, in *Inode) { in.Extents = Extents{{Len: 1, State: LookupError}} }, "an extent in no known state"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := Write{Pos: 0, Len: 4096}
			in := NewInode(12, 8192, Extents{{Len: 2, State: Unwritten}})
			tt.set(&w, in)
			var out Outcome
			err := Predict(&out, &w, in, Linux73)
			if !errors.Is(err, ErrFact) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want %q in it", err, tt.want)
			}
			if out.Known() {
				t.Errorf("decided nevertheless: %s", out.End)
			}
		})
	}
}

// liar is a world with one impossible answer.
type liar struct {
	layout
	checks func(*Checks)
	lookup Result
}

func (l *liar) Checks(pass int) (Checks, bool) {
	c, ok := l.layout.Checks(pass)
	if l.checks != nil {
		l.checks(&c)
	}
	return c, ok
}

func (l *liar) Lookup(pass int, q Query) (Result, bool) {
	if l.lookup.Ret != 0 {
		return l.lookup, true
	}
	return l.layout.Lookup(pass, q)
}

// TestContradiction: an observation that contradicts itself is never decided.
func TestContradiction(t *testing.T) {
	tests := []struct {
		name string
		lie  liar
		want string
	}{
		{"longer lookup", liar{lookup: Result{Ret: 9, MFlags: MapMapped}}, "more blocks than it was asked for"},
		{"lookup in no state", liar{lookup: Result{Ret: 1}}, "neither written nor unwritten"},
		{"more bytes", liar{checks: func(c *Checks) { c.Count++ }}, "more bytes after the write checks"},
		{"other position", liar{checks: func(c *Checks) { c.Pos++ }}, "ki_pos moved"},
		{"negative position", liar{checks: func(c *Checks) { c.Pos = -1 }}, "a negative position"},
		{"negative i_size", liar{checks: func(c *Checks) { c.ISize = -5 }}, "a negative i_size"},
		{"i_disksize", liar{checks: func(c *Checks) { c.IDisksize = c.ISize + 1 }}, "i_disksize beyond i_size"},
	}
	for _, v := range Variants() {
		for _, tt := range tests {
			w := Write{Pos: 512, Len: 1024}
			in := NewInode(12, 8192, Extents{{Len: 2, State: Written}})
			c := w.call(in)
			l := tt.lie
			l.layout = layout{in: in, w: &w, v: v, call: &c, left: w.Len}
			var d Decision
			Decide(&d, &c, &l, v)
			if v == Linux61 && l.lookup.Ret != 0 {
				continue // makes no lookup for an unaligned write
			}
			if d.Known() || !strings.Contains(d.Missing, tt.want) {
				t.Errorf("%s: %s: ends at %s, missing %q; want %q", v, tt.name, d.End, d.Missing, tt.want)
			}
		}
	}
}

// TestNothingToWrite: a write of no bytes is over before its position is looked at, wherever
// it lies (generic_write_checks).
func TestNothingToWrite(t *testing.T) {
	c := Call{Blkbits: 12}
	for _, k := range []Checks{{Pos: int64(MaxBlocks)<<c.Blkbits + 1}, {Pos: -1}} {
		if why := k.contradiction(&c); why != "" {
			t.Errorf("no bytes at %d: contradiction %q", k.Pos, why)
		}
	}
}
