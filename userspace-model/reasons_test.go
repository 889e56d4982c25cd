package model

import (
	"slices"
	"testing"
)

// TestReasons: all that made a write exclusive is named, the first operand of the
// kernel's condition first.
func TestReasons(t *testing.T) {
	unwritten := Result{Ret: 1, MFlags: MapUnwritten}
	allUnwritten, all := Result{Ret: 3, MFlags: MapUnwritten}, Result{Ret: 3, MFlags: MapMapped}
	two := Result{Ret: 2, MFlags: MapUnwritten}
	for name, tt := range map[string]struct {
		v         Variant
		pos, size int64
		nosec     bool
		result    Result
		want      []Reason
	}{
		"one":                  {Linux73, 512, 16384, true, unwritten, []Reason{ReasonHead}},
		"nosec, and it zeroes": {Linux73, 512, 16384, false, unwritten, []Reason{ReasonNosec, ReasonHead}},
		"nosec, aligned":       {Linux73, 0, 16384, false, unwritten, []Reason{ReasonNosec}},
		"first lock exclusive": {Linux73, 512, 4608, false, unwritten, []Reason{ReasonExtending}},
		"6.12":                 {Linux612, 512, 16384, false, unwritten, []Reason{ReasonNosec, ReasonNotOver}},
		"6.12, unwritten":      {Linux612, 512, 16384, true, allUnwritten, []Reason{ReasonUnwritten}},
		"nosec, and unwritten": {Linux612, 512, 16384, false, allUnwritten, []Reason{ReasonNosec, ReasonUnwritten}},
		"nosec, and written":   {Linux612, 512, 16384, false, all, []Reason{ReasonNosec}},
		"nosec, whole blocks":  {Linux612, 0, 16384, false, two, []Reason{ReasonNosec}},
		"6.1 looks no further": {Linux61, 0, 16384, false, unwritten, []Reason{ReasonNosec}},
		"6.1, unaligned":       {Linux61, 512, 16384, true, unwritten, []Reason{ReasonUnaligned}},
		"6.1, and it extends":  {Linux61, 512, 4608, true, unwritten, []Reason{ReasonUnaligned, ReasonExtending}},
		"shared":               {Linux73, 0, 16384, true, unwritten, []Reason{ReasonAligned}},
	} {
		c, k := plain()
		c.Pos, c.Align.Bits, c.ISize = tt.pos, uint32(tt.pos)|8192, tt.size
		k.fixed.checks = Checks{Pos: c.Pos, Count: c.Len, ISize: c.ISize, IDisksize: c.ISize, Align: c.Align, Nosec: tt.nosec}
		k.result = tt.result
		var d Decision
		Decide(&d, &c, &k, tt.v)
		if got := d.Reasons(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestNoReasonYet: what the lookup would say is not known, so that no reason is.
func TestNoReasonYet(t *testing.T) {
	c, k := plain()
	k.noLookup = true
	var d Decision
	Decide(&d, &c, &k, Linux612)
	if got := d.Reasons(); len(got) > 0 || d.Known() {
		t.Errorf("reasons %q, known: %t", got, d.Known())
	}
}
