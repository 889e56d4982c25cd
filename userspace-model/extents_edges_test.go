package model

import (
	"slices"
	"strings"
	"testing"
)

// TestExtentsRead: what a layout is read into, extent by extent.
func TestExtentsRead(t *testing.T) {
	tests := []struct {
		text string
		want Extents
	}{
		{"W", Extents{{1, Written, false}}},
		{"w9,u,h10 d", Extents{{9, Written, false}, {1, Unwritten, false}, {10, Hole, false}, {1, Delayed, false}}},
		{"W2W3", Extents{{5, Written, false}}},
		{"W2|W3", Extents{{2, Written, false}, {3, Written, true}}},
		{"W|U", Extents{{1, Written, false}, {1, Unwritten, true}}},
		{"W|U,U", Extents{{1, Written, false}, {2, Unwritten, true}}},
		{"H|H", Extents{{2, Hole, false}}}, // holes have no place on the device
		{"W4294967294W", Extents{{4294967295, Written, false}}},
		{",  ,", nil},
	}
	for _, tt := range tests {
		got, err := ParseExtents(tt.text)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %+v, %v; want %+v", tt.text, got, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		"W4294967296":  "4294967296 blocks: a number from 1 to 4294967295",
		"W00":          "00 blocks",
		"WW:":          "':' at 3",
		"W/":           "'/' at 2",
		"W4294967295":  "",
		"U4294967295H": "more than 4294967295 blocks",
	} {
		_, err := ParseExtents(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
	for text, want := range map[string]int64{"": 0, "W": 1, "W2U3H": 6, "H4294967295": 4294967295} {
		x, _ := ParseExtents(text)
		if got := x.Blocks(); got != want {
			t.Errorf("%q: %d blocks, want %d", text, got, want)
		}
	}
}

// TestAt: the mapping from a block on, at both sides of each border.
func TestAt(t *testing.T) {
	tests := []struct {
		text    string
		lblk, n uint32
		want    Extent
	}{
		{"W2U3H2W", 0, 9, Extent{2, Written, false}},
		{"W2U3H2W", 1, 9, Extent{1, Written, false}},
		{"W2U3H2W", 2, 9, Extent{3, Unwritten, false}},
		{"W2U3H2W", 2, 3, Extent{3, Unwritten, false}},
		{"W2U3H2W", 2, 2, Extent{2, Unwritten, false}},
		{"W2U3H2W", 4, 9, Extent{1, Unwritten, false}},
		{"W2U3H2W", 5, 9, Extent{2, Hole, false}},
		{"W2U3H2W", 7, 9, Extent{1, Written, false}},
		{"W2U3H2W", 8, 9, Extent{9, Hole, false}},
		{"W2|W3", 1, 9, Extent{1, Written, false}},
		{"W2|W3", 2, 9, Extent{3, Written, false}},
		{"WH2", 1, 9, Extent{9, Hole, false}}, // with all that follows
		{"WH2", 2, 9, Extent{9, Hole, false}},
		{"", 0, 9, Extent{9, Hole, false}},
	}
	for _, tt := range tests {
		x, err := ParseExtents(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.At(tt.lblk, tt.n); got != tt.want {
			t.Errorf("%s: %d blocks from %d: %+v, want %+v", tt.text, tt.n, tt.lblk, got, tt.want)
		}
	}
	// A layout that was not read may hold neighbours of one kind.
	x := Extents{{2, Written, false}, {3, Written, false}, {4, Written, true}, {5, Hole, false}, {6, Hole, true}, {1, Written, false}}
	for lblk, want := range map[uint32]Extent{
		0: {5, Written, false}, 1: {4, Written, false}, 2: {3, Written, false}, 5: {4, Written, false},
		9: {11, Hole, false}, 14: {6, Hole, false}, 20: {1, Written, false},
	} {
		if got := x.At(lblk, 99); got != want {
			t.Errorf("%s from %d: %+v, want %+v", x, lblk, got, want)
		}
	}
	for _, q := range [][3]uint32{{0, 2, 2}, {0, 3, 3}, {1, 3, 3}, {1, 4, 4}, {1, 5, 4}} { // from, of how many, found
		if got := x.At(q[0], q[1]); got != (Extent{q[2], Written, false}) {
			t.Errorf("%s, %d blocks from %d: %+v, want %d", x, q[1], q[0], got, q[2])
		}
	}
}

// TestExtentCaps: a lookup that goes to the tree sees one extent, which has a longest
// length; one in the cache may see several merged.
func TestExtentCaps(t *testing.T) {
	tests := []struct {
		text  string
		q     Query
		cache Cache
		want  Result
		left  uint32
	}{
		{"W40000", Query{0, 32768, 0}, CacheCold, Result{32768, MapMapped}, 32768},
		{"W40000", Query{0, 32769, 0}, CacheCold, Result{32768, MapMapped}, 32768},
		{"W40000", Query{0, 32769, 0}, CacheMerged, Result{32769, MapMapped}, 32769},
		{"U40000", Query{0, 32767, 0}, CacheCold, Result{32767, MapUnwritten}, 32767},
		{"U40000", Query{0, 32768, 0}, CacheCold, Result{32767, MapUnwritten}, 32767},
		{"U40000", Query{0, 32768, 0}, CacheMerged, Result{32768, MapUnwritten}, 32768},
		{"H40000W", Query{0, 40000, 0}, CacheCold, Result{}, 40000},
		{"D40000W", Query{0, 40000, 0}, CacheCold, Result{0, MapDelayed}, 40000},
		{"D3W", Query{1, 9, 0}, CacheMerged, Result{0, MapDelayed}, 2},
		{"W", Query{0, 1, GetBlocksCachedNowait}, CacheMerged, Result{1, MapMapped}, 1},
		{"W", Query{0, 7, GetBlocksCachedNowait}, CacheCold, Result{EAGAIN, 0}, 7},
		{"W", Query{MaxBlocks, 3, 0}, CacheMerged, Result{-efscorrupted, 0}, 3},
		{"W", Query{MaxBlocks - 1, 1, 0}, CacheMerged, Result{}, 1},
	}
	for _, tt := range tests {
		x, err := ParseExtents(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, left := x.mapBlocks(tt.q, tt.cache, CachedMissEagain); got != tt.want || left != tt.left {
			t.Errorf("%s: %+v, %s: %+v and %d blocks, want %+v and %d", tt.text, tt.q, tt.cache, got, left, tt.want, tt.left)
		}
	}
}

// TestDelayedRange: delayed blocks inside a range, at both sides of its ends.
func TestDelayedRange(t *testing.T) {
	tests := []struct {
		text        string
		first, last uint32
		delayed     bool
		flushed     string
	}{
		{"W2D2W2", 0, 1, false, "W2,D2,W2"},
		{"W2D2W2", 0, 2, true, "W2|W,D,W2"},
		{"W2D2W2", 2, 2, true, "W2|W,D,W2"},
		{"W2D2W2", 3, 3, true, "W2,D,W|W2"},
		{"W2D2W2", 2, 3, true, "W2|W2|W2"},
		{"W2D2W2", 3, 9, true, "W2,D,W|W2"},
		{"W2D2W2", 4, 9, false, "W2,D2,W2"},
		{"D3|D3", 1, 4, true, "D,W2|W2,D"},
		{"W|D|W", 1, 1, true, "W|W|W"},
		{"W2|W2", 0, 3, false, "W2|W2"},
		{"W2|W2D", 0, 3, false, "W2|W2,D"},
		{"", 0, 3, false, ""},
	}
	for _, tt := range tests {
		x, err := ParseExtents(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.delayed(tt.first, tt.last); got != tt.delayed {
			t.Errorf("%s, blocks %d to %d: delayed %v", tt.text, tt.first, tt.last, got)
		}
		got := slices.Clone(x.flushed(tt.first, tt.last))
		for i := range got {
			// A border between two kinds says nothing.
			got[i].Apart = got[i].Apart && i > 0 && got[i].State == got[i-1].State
		}
		if got.String() != tt.flushed {
			t.Errorf("%s, blocks %d to %d: %s, want %s", tt.text, tt.first, tt.last, got, tt.flushed)
		}
	}
}

// TestFlushedNeighbours: extents that continue each other still do so when blocks
// elsewhere were flushed; those that were flushed continue nothing.
func TestFlushedNeighbours(t *testing.T) {
	x := Extents{{2, Written, false}, {3, Written, false}, {1, Delayed, false}, {4, Written, false}, {5, Written, false}}
	got := x.flushed(0, 9)
	for lblk, want := range map[uint32]uint32{0: 5, 2: 3, 5: 1, 6: 9, 10: 5} {
		if e := got.At(lblk, 99); e != (Extent{want, Written, false}) {
			t.Errorf("%s from %d: %+v, want %d written blocks", got, lblk, e, want)
		}
	}
}

// TestExtentsCheck: layouts that cannot be, at both sides of each limit.
func TestExtentsCheck(t *testing.T) {
	tests := []struct {
		x        Extents
		indirect bool
		want     string
	}{
		{nil, false, ""},
		{Extents{{MaxBlocks, Hole, false}}, true, ""},
		{Extents{{MaxBlocks, Hole, false}, {1, Written, false}}, false, "more blocks than a file can have"},
		{Extents{{1, Written, false}, {0, Written, false}}, false, "an extent without blocks"},
		{Extents{{1, Delayed, false}}, true, ""},
		{Extents{{1, LookupError, false}}, false, "an extent in no known state"},
		{Extents{{1, Unwritten, false}}, false, ""},
		{Extents{{1, Unwritten, false}}, true, "unwritten blocks in an inode without extents, which has no such state"},
	}
	for _, tt := range tests {
		got := ""
		if err := tt.x.check(tt.indirect); err != nil {
			got = strings.TrimPrefix(err.Error(), "impossible fact: ")
		}
		if got != tt.want {
			t.Errorf("%s, indirect %v: %q, want %q", tt.x, tt.indirect, got, tt.want)
		}
	}
}
