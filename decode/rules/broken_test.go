package rules

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestOwnEnd: which zeroed pieces are the rest of the first or last block of the
// write from 4608 to 13824.
func TestOwnEnd(t *testing.T) {
	p := &observe.Pass{Pos: 4608, Count: 9216}
	for _, tt := range []struct {
		pos, n int64
		want   bool
	}{
		{4096, 512, true},
		{4096, 1024, false}, // begins there, but is longer: a copy that stopped
		{8192, 512, false},
		{13824, 2560, true},
		{12288, 1536, false},
	} {
		if got := ownEnd(&observe.Zeroed{Pos: tt.pos, Len: tt.n}, p, 12); got != tt.want {
			t.Errorf("%d+%d: %v", tt.pos, tt.n, got)
		}
	}
	if whole := (&observe.Pass{Pos: 0, Count: 8192}); ownEnd(&observe.Zeroed{Pos: 8192, Len: 4096}, whole, 12) {
		t.Error("a write that ends with its block has no tail")
	}
}

// TestAppendsUnseen: the exemption is for 6.1 alone, for what it took for aligned at
// its entry, and for the last block and what follows it.
func TestAppendsUnseen(t *testing.T) {
	for _, tt := range []struct {
		v     model.Variant
		align uint32 // at entry
		known bool
		pos   int64
		want  bool
	}{
		{model.Linux61, 4096, true, 4096, true},
		{model.Linux61, 4096, true, 8192, true},
		{model.Linux61, 4096, true, 4095, false},
		{model.Linux61, 512, true, 4096, false},
		{model.Linux61, 512, false, 4096, true},
		{model.Linux612, 4096, true, 4096, false},
		{model.Linux73, 4096, true, 4096, false},
	} {
		o := &observe.Observation{Blkbits: 12, Align0: tt.align, Align0Known: tt.known}
		c := ConditionsOf(tt.v, 0)
		if got := AppendsUnseen(o, &observe.Zeroed{Pos: tt.pos}, &observe.Pass{ISize: 5000}, c); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
