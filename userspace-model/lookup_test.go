package model

import (
	"slices"
	"testing"
)

// scripted is a world whose lookups are answered one after the other; those behind
// the last answer were not seen.
type scripted struct {
	fixed
	answers []Result
	asked   []Query
}

func (s *scripted) Lookup(_ int, q Query) (Result, bool) {
	s.asked = append(s.asked, q)
	if len(s.asked) > len(s.answers) {
		return Result{}, false
	}
	return s.answers[len(s.asked)-1], true
}

// TestPartialBlocks: the lookups of an unaligned write far from the beginning of the
// file (docs/kernel.md#checks-with-patch-4), with answers that were not seen. The write stays shared,
// so that it makes one pass, or ends at a fact that is not known.
func TestPartialBlocks(t *testing.T) {
	w1, w2, w3 := Result{Ret: 1, MFlags: MapMapped}, Result{Ret: 2, MFlags: MapMapped}, Result{Ret: 3, MFlags: MapMapped}
	tests := []struct {
		name     string
		v        Variant
		pos, end int64
		answers  []Result
		asked    []Query
		known    bool
	}{
		{"head and tail in one mapping", Linux73, 5<<12 + 512, 8<<12 - 512, []Result{w3}, []Query{{5, 3, 0}}, true},
		{"in two", Linux73, 5<<12 + 512, 8<<12 - 512, []Result{w2, w1}, []Query{{5, 3, 0}, {7, 1, 0}}, true},
		{"tail not seen", Linux73, 5<<12 + 512, 8<<12 - 512, []Result{w2}, []Query{{5, 3, 0}, {7, 1, 0}}, false},
		{"head not seen", Linux73, 5<<12 + 512, 8<<12 - 512, nil, []Query{{5, 3, 0}}, false},
		{"head only", Linux73, 5<<12 + 512, 8 << 12, []Result{w1}, []Query{{5, 3, 0}}, true},
		{"tail only", Linux73, 5 << 12, 8<<12 - 512, []Result{w1}, []Query{{7, 1, 0}}, true},
		{"tail only, not seen", Linux73, 5 << 12, 8<<12 - 512, nil, []Query{{7, 1, 0}}, false},
		{"one block", Linux73, 5<<12 + 512, 6<<12 - 512, []Result{w1}, []Query{{5, 1, 0}}, true},
		{"memory only", Linux73, 5 << 12, 8 << 12, nil, nil, true},
		{"the whole range", Linux72, 5<<12 + 512, 8<<12 - 512, []Result{w3}, []Query{{5, 3, 0}}, true},
		{"the whole range, not seen", Linux72, 5<<12 + 512, 8<<12 - 512, nil, []Query{{5, 3, 0}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := tt.end - tt.pos
			c := Call{Pos: tt.pos, Len: n, Align: Alignment{Bits: 512, Known: true}, ISize: 1 << 20, Blkbits: 12, Async: No}
			w := scripted{answers: tt.answers, fixed: fixed{trylock: Yes, dio: Yes, checks: Checks{
				Pos: tt.pos, Count: n, ISize: 1 << 20, IDisksize: 1 << 20, Align: c.Align, Nosec: true,
			}}}
			var d Decision
			Decide(&d, &c, &w, tt.v)
			if !slices.Equal(w.asked, tt.asked) || !slices.Equal(d.Pass[0].Queries[:d.Pass[0].N], tt.asked) {
				t.Errorf("lookups %v, shown as %v; want %v", w.asked, d.Pass[0].Queries[:d.Pass[0].N], tt.asked)
			}
			if d.Known() != tt.known {
				t.Errorf("ends at %s, missing %q", d.End, d.Missing)
			}
			if tt.known && (d.Mode != Shared || d.Passes != 1) {
				t.Errorf("%s after %d passes, want shared after 1", d.Mode, d.Passes)
			}
		})
	}
}
