package model

import "testing"

// fixed is a world that answers the same to every question.
type fixed struct {
	trylock, dio Answer
	checks       Checks
	result       Result
	modified     int
}

func (f *fixed) Trylock(Mode) Answer              { return f.trylock }
func (f *fixed) UseDio() Answer                   { return f.dio }
func (f *fixed) Checks(int) (Checks, bool)        { return f.checks, true }
func (f *fixed) Lookup(int, Query) (Result, bool) { return f.result, true }
func (f *fixed) Modified() (int, bool)            { return f.modified, true }

// TestLimitsOfFacts: the facts of an observation at both sides of each limit. What
// lies within is decided, what does not is named.
func TestLimitsOfFacts(t *testing.T) {
	const last = int64(MaxBlocks) << 12 // where the last block of 4 KiB ends
	move := func(c *Call, w *fixed, pos, n int64) { c.Pos, c.Len, w.checks.Pos, w.checks.Count = pos, n, pos, n }
	tests := []struct {
		name string
		set  func(*Call, *fixed)
		want string
	}{
		{"nothing odd", func(*Call, *fixed) {}, ""},
		{"blocks of 512", func(c *Call, _ *fixed) { c.Blkbits = 9 }, "a block size that ext4 does not have"},
		{"blocks of 1 KiB", func(c *Call, _ *fixed) { c.Blkbits = 10 }, ""},
		{"blocks of 64 KiB", func(c *Call, _ *fixed) { c.Blkbits = 16 }, ""},
		{"blocks of 128 KiB", func(c *Call, _ *fixed) { c.Blkbits = 17 }, "a block size that ext4 does not have"},
		{"position 0", func(c *Call, w *fixed) { move(c, w, 0, 1024) }, ""},
		{"position -1", func(c *Call, _ *fixed) { c.Pos = -1 }, "a negative position"},
		{"length 0", func(c *Call, w *fixed) { move(c, w, 512, 0) }, ""},
		{"length -1", func(c *Call, _ *fixed) { c.Len = -1 }, "a negative length"},
		{"to the largest position", func(c *Call, _ *fixed) { c.Len = maxPos - 512 }, ""},
		{"beyond it", func(c *Call, _ *fixed) { c.Len = maxPos - 511 }, "a write beyond the largest position"},
		{"i_size 0 at the guess", func(c *Call, _ *fixed) { c.ISize = 0 }, ""},
		{"i_size -1 at the guess", func(c *Call, _ *fixed) { c.ISize = -1 }, "a negative i_size"},

		{"i_size 0", func(_ *Call, w *fixed) { w.checks.ISize, w.checks.IDisksize = 0, 0 }, ""},
		{"i_size -1", func(_ *Call, w *fixed) { w.checks.ISize, w.checks.IDisksize = -1, -1 }, "a negative i_size"},
		{"i_size -1 alone", func(_ *Call, w *fixed) { w.checks.ISize = -1 }, "a negative i_size"},
		{"i_disksize 0", func(_ *Call, w *fixed) { w.checks.IDisksize = 0 }, ""},
		{"i_disksize -1", func(_ *Call, w *fixed) { w.checks.IDisksize = -1 }, "a negative i_size"},
		{"i_disksize beyond i_size", func(_ *Call, w *fixed) { w.checks.IDisksize = 8193 }, "i_disksize beyond i_size"},
		{"an error leaves ki_pos alone", func(c *Call, w *fixed) {
			c.Flags, w.checks.Count = IocbAppend, -27
		}, ""},
		{"nothing to write leaves ki_pos alone", func(c *Call, w *fixed) {
			c.Flags, w.checks.Count = IocbAppend, 0
		}, ""},
		{"position -1 after the checks", func(_ *Call, w *fixed) { w.checks.Pos = -1 }, "a negative position"},
		{"one byte more after the checks", func(_ *Call, w *fixed) { w.checks.Count = 1025 }, "more bytes after the write checks than before"},
		{"one byte less", func(_ *Call, w *fixed) { w.checks.Count = 1023 }, ""},
		{"an append beyond the largest position", func(c *Call, w *fixed) {
			c.Flags, w.checks.ISize, w.checks.Pos = IocbAppend, maxPos-1023, maxPos-1023
		}, "a write beyond the largest position"},
		{"an append to the largest position", func(c *Call, w *fixed) {
			c.Flags, w.checks.ISize, w.checks.Pos = IocbAppend, maxPos-1024, maxPos-1024
		}, "a block behind the last one that a file can have"},
		{"an append at i_size", func(c *Call, w *fixed) { c.Flags, w.checks.Pos = IocbAppend, 8192 }, ""},
		{"an append elsewhere", func(c *Call, w *fixed) { c.Flags, w.checks.Pos = IocbAppend, 512 }, "an append that does not begin at i_size"},
		{"ki_pos moved to i_size", func(_ *Call, w *fixed) { w.checks.Pos = 8192 }, "ki_pos moved without IOCB_APPEND"},
		{"to the end of the last block", func(c *Call, w *fixed) { move(c, w, last-1024, 1024) }, ""},
		{"behind it", func(c *Call, w *fixed) { move(c, w, last-1023, 1024) }, "a block behind the last one that a file can have"},

		{"a hole", func(_ *Call, w *fixed) { w.result = Result{} }, ""},
		{"an error", func(_ *Call, w *fixed) { w.result = Result{Ret: -5} }, ""},
		{"an unwritten block", func(_ *Call, w *fixed) { w.result.MFlags = MapUnwritten }, ""},
		{"two blocks for one", func(_ *Call, w *fixed) { w.result.Ret = 2 }, "a lookup found more blocks than it was asked for"},
		{"a block of no kind", func(_ *Call, w *fixed) { w.result.MFlags = MapNew }, "a lookup found blocks that are neither written nor unwritten"},
	}
	for _, tt := range tests {
		c := Call{Pos: 512, Len: 1024, Align: Alignment{Bits: 1024, Known: true}, ISize: 8192, Blkbits: 12, Async: No}
		w := fixed{
			trylock: Yes, dio: Yes, result: Result{Ret: 1, MFlags: MapMapped},
			checks: Checks{Pos: 512, Count: 1024, ISize: 8192, IDisksize: 8192, Align: c.Align, Nosec: true},
		}
		tt.set(&c, &w)
		var d Decision
		Decide(&d, &c, &w, Linux73)
		why, _ := d.Contradiction()
		if why != tt.want || d.Known() != (tt.want == "") {
			t.Errorf("%s: ends at %s, contradiction %q; want %q", tt.name, d.End, why, tt.want)
		}
	}
}
