package model

import (
	"slices"
	"testing"
)

// submitted is what is expected of a Submission, with what Predict says beside it.
type submitted struct {
	end      End
	ended    SubmitEnd
	ret      int64
	queued   bool
	zeroed   []Range
	fallback Range
	drain    bool // in the fallback
	mappings []Mapping
}

func (s *submitted) check(t *testing.T, o *Outcome) {
	t.Helper()
	if o.End != s.end || o.Ended != s.ended || o.Result != s.ret || o.Queued != s.queued {
		t.Errorf("%s, %s, %d, queued %v; want %s, %s, %d, queued %v",
			o.End, o.Ended, o.Result, o.Queued, s.end, s.ended, s.ret, s.queued)
	}
	if o.Fallback != s.fallback || o.FallbackDrain != s.drain {
		t.Errorf("buffered %v, drain %v; want %v, drain %v", o.Fallback, o.FallbackDrain, s.fallback, s.drain)
	}
	if !slices.Equal(o.Zeroed, s.zeroed) {
		t.Errorf("zeroed %v, want %v", o.Zeroed, s.zeroed)
	}
	if !slices.Equal(o.Mappings, s.mappings) {
		t.Errorf("mappings %+v, want %+v", o.Mappings, s.mappings)
	}
}

const bs = 4096

func written(lblk, n uint32) Mapping { return Mapping{Lblk: lblk, Len: n, Type: IomapMapped} }

// TestEntry is what ext4_file_write_iter refuses before any lock, at both sides of
// each limit (docs/kernel.md#entry).
func TestEntry(t *testing.T) {
	atomic := func(in *Inode) { in.Limits.AtomicMin, in.Limits.AtomicMax = bs, 4*bs }
	tests := []struct {
		name     string
		v        Variant
		pos, len int64
		set      func(*Inode)
		end      End
		ret      int64
	}{
		{"shutdown", Linux61, 0, bs, func(in *Inode) { in.Shutdown, in.EmergencyRO, in.DAX = true, true, true }, EndEntry, -eio},
		{"read-only", Linux72, 0, bs, func(in *Inode) { in.EmergencyRO, in.DAX = true, true }, EndEntry, -erofs},
		{"read-only, 6.12 does not ask", Linux612, 0, bs, func(in *Inode) { in.EmergencyRO = true }, EndDio, bs},
		{"DAX", Linux73, 0, bs, func(in *Inode) { in.DAX = true }, EndDAX, 0},
		{"the least length", Linux73, 0, bs, atomic, EndDio, bs},
		{"the largest length", Linux73, 0, 4 * bs, atomic, EndDio, 4 * bs},
		{"too short", Linux73, 0, bs / 2, atomic, EndEntry, -einval},
		{"too long", Linux73, 0, 8 * bs, atomic, EndEntry, -einval},
		{"no power of two", Linux73, 0, 3 * bs, atomic, EndEntry, -einval},
		{"not at a multiple of its length", Linux73, bs, 2 * bs, atomic, EndEntry, -einval},
		{"at a multiple of its length", Linux73, 2 * bs, 2 * bs, atomic, EndDio, 2 * bs},
		{"of no length", Linux73, 0, 0, func(in *Inode) { in.Limits.AtomicMax = bs }, EndEntry, -einval},
		{"none supported", Linux73, 0, bs, func(*Inode) {}, EndEntry, -einval},
		{"6.12 does not ask", Linux612, 0, 3 * bs, func(*Inode) {}, EndDio, 3 * bs},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := NewInode(12, 16*bs, Extents{{16, Written, false}})
			tt.set(in)
			w := Write{Pos: tt.pos, Len: tt.len, Flags: IocbAtomic}
			var out Outcome
			if err := Predict(&out, &w, in, tt.v); err != nil {
				t.Fatal(err)
			}
			if out.End != tt.end || out.Result != tt.ret || tt.end != EndDio && (out.Ret != tt.ret || out.Passes != 0) {
				t.Errorf("%s, %d (%d) after %d passes; want %s, %d", out.End, out.Result, out.Ret, out.Passes, tt.end, tt.ret)
			}
		})
	}
}

// TestSubmission is the way of a write behind the checks: mappings, zeroes, the page
// cache, the device, appends, limits.
func TestSubmission(t *testing.T) {
	unwrittenNew := func(lblk, n uint32, alloc uint32) Mapping {
		return Mapping{Lblk: lblk, Len: n, Type: IomapUnwritten, Flags: IomapFNew, Alloc: alloc}
	}
	tests := []struct {
		name   string
		v      Variant
		blocks string
		w      Write
		set    func(*Inode)
		want   submitted
	}{
		{"written", Linux73, "W4", Write{Pos: bs, Len: 2 * bs, Async: true}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 2 * bs, queued: true, mappings: []Mapping{written(1, 2)}}},
		{"synchronous", Linux73, "W4", Write{Pos: bs, Len: 2 * bs}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 2 * bs, mappings: []Mapping{written(1, 2)}}},
		{"two extents", Linux73, "W2|W2", Write{Pos: bs, Len: 2 * bs}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 2 * bs, mappings: []Mapping{written(1, 1), written(2, 1)}}},
		{"unwritten in the middle", Linux73, "WUW", Write{Pos: 512, Len: 3*bs - 1024}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 3*bs - 1024,
				mappings: []Mapping{written(0, 1), {Lblk: 1, Len: 1, Type: IomapUnwritten}, written(2, 1)}}},
		{"a hole, one byte of it", Linux73, "WHW", Write{Pos: bs + 7, Len: 1}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 1, mappings: []Mapping{unwrittenNew(1, 1, GetBlocksCreateUnwritExt)},
				zeroed: []Range{{bs, 7}, {bs + 8, bs - 8}}}},
		{"append", Linux73, "W2", Write{Pos: 0, Len: 512, Flags: IocbAppend, Async: true}, func(in *Inode) { in.ISize, in.IDisksize, in.ISizeAtGuess = bs+512, bs+512, bs+512 },
			submitted{end: EndDio, ended: SubmitDone, ret: 512, zeroed: []Range{{bs + 1024, bs - 1024}}, mappings: []Mapping{{Lblk: 1, Len: 1, Type: IomapMapped, Alloc: GetBlocksCreateUnwritExt}}}},
		{"append that falls back", Linux73, "W2", Write{Pos: 0, Len: 512, Flags: IocbAppend},
			func(in *Inode) { in.Cached, in.InvalidateFails = true, true },
			submitted{end: EndDio, ended: SubmitFallback, ret: 512, fallback: Range{2 * bs, 512}, drain: true}},
		{"cached", Linux73, "W2", Write{Len: bs}, func(in *Inode) { in.Cached = true },
			submitted{end: EndDio, ended: SubmitDone, ret: bs, mappings: []Mapping{written(0, 1)}}},
		{"cached, NOWAIT", Linux73, "W2", Write{Len: bs, Flags: IocbNowait}, func(in *Inode) { in.Cached = true },
			submitted{end: EndDio, ended: SubmitN5, ret: EAGAIN}},
		{"delayed, NOWAIT", Linux73, "WD", Write{Pos: bs, Len: bs, Flags: IocbNowait}, nil,
			submitted{end: EndDio, ended: SubmitN5, ret: EAGAIN}},
		{"delayed elsewhere, NOWAIT", Linux73, "WWD", Write{Len: 2 * bs, Flags: IocbNowait}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 2 * bs, mappings: []Mapping{written(0, 2)}}},
		{"pages stay", Linux612, "W2", Write{Pos: bs, Len: bs}, func(in *Inode) { in.Cached, in.InvalidateFails = true, true },
			submitted{end: EndDio, ended: SubmitFallback, ret: bs, fallback: Range{bs, bs}}},
		{"pages stay, atomic", Linux73, "W2", Write{Pos: bs, Len: bs, Flags: IocbAtomic}, func(in *Inode) { in.Cached, in.InvalidateFails = true, true },
			submitted{end: EndDio, ended: SubmitAtomic, ret: EAGAIN}},
		{"sectors fit", Linux73, "W2", Write{Pos: 512, Len: 1024}, func(in *Inode) { in.Limits.SectorSize = 512 },
			submitted{end: EndDio, ended: SubmitDone, ret: 1024, mappings: []Mapping{written(0, 1)}}},
		{"position between sectors", Linux73, "W2", Write{Pos: 256, Len: 1024}, func(in *Inode) { in.Limits.SectorSize = 512 },
			submitted{end: EndDio, ended: SubmitError, ret: -einval, mappings: []Mapping{written(0, 1)}}},
		{"length between sectors", Linux73, "W2", Write{Pos: 512, Len: 256}, func(in *Inode) { in.Limits.SectorSize = 512 },
			submitted{end: EndDio, ended: SubmitError, ret: -einval, mappings: []Mapping{written(0, 1)}}},
		{"the second mapping does not fit", Linux73, "W|W", Write{Len: bs + 256, Async: true}, func(in *Inode) { in.Limits.SectorSize = 512 },
			submitted{end: EndDio, ended: SubmitError, ret: -einval, queued: true, mappings: []Mapping{written(0, 1), written(1, 1)}}},
		{"the second needs blocks, NOWAIT", Linux73, "WH", Write{Len: 2 * bs, Flags: IocbNowait, Async: true}, nil,
			submitted{end: EndDio, ended: SubmitN6, ret: EAGAIN, queued: true, mappings: []Mapping{written(0, 1), {Err: EAGAIN}}}},
		{"the second needs blocks, NOWAIT, synchronous", Linux73, "WH", Write{Len: 2 * bs, Flags: IocbNowait}, nil,
			submitted{end: EndDio, ended: SubmitN6, ret: EAGAIN, mappings: []Mapping{written(0, 1), {Err: EAGAIN}}}},
		{"needs blocks, NOWAIT", Linux73, "H", Write{Len: bs, Flags: IocbNowait, Async: true}, nil,
			submitted{end: EndDio, ended: SubmitN6, ret: EAGAIN, mappings: []Mapping{{Err: EAGAIN}}}},
		{"a hole of a block map", Linux73, "WH", Write{Len: 2 * bs, Async: true}, func(in *Inode) { in.Indirect = true },
			submitted{end: EndDio, ended: SubmitFallback, ret: 2 * bs, fallback: Range{bs, bs}, drain: true,
				mappings: []Mapping{written(0, 1), {Err: ENOTBLK}}}},
		{"a hole of a block map, NOWAIT, guessed exclusive", Linux612, "WH", Write{Len: 2 * bs, Flags: IocbNowait},
			func(in *Inode) { in.Indirect, in.ISizeAtGuess = true, 0 },
			submitted{end: EndDio, ended: SubmitFallback, ret: EOPNOTSUPP, mappings: []Mapping{written(0, 1), {Err: ENOTBLK}}}},
		{"not direct, limit", Linux73, "W2", Write{Len: 2 * bs}, func(in *Inode) { in.Direct.Journal, in.Limits.Fsize = Yes, bs },
			submitted{end: EndBuffered, ret: bs, fallback: Range{0, 2 * bs}, drain: true}},
		{"not direct, refused", Linux73, "W2", Write{Len: 2 * bs}, func(in *Inode) { in.Direct.Journal, in.Limits.Immutable = Yes, true },
			submitted{end: EndBuffered, ret: -eperm, fallback: Range{0, 2 * bs}, drain: true}},
		{"not direct, NOWAIT", Linux73, "W2", Write{Len: 2 * bs, Flags: IocbNowait}, func(in *Inode) { in.Direct.Journal = Yes },
			submitted{end: EndN0, ret: EOPNOTSUPP}},
		{"cut by a limit", Linux73, "W2", Write{Pos: 512, Len: bs}, func(in *Inode) { in.Limits.Fsize = 1024 },
			submitted{end: EndDio, ended: SubmitDone, ret: 512, mappings: []Mapping{written(0, 1)}}},
		{"an allocation is cut", Linux73, "H5000W", Write{Len: 4097 * bs}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 4097 * bs,
				mappings: []Mapping{unwrittenNew(0, 4096, GetBlocksCreateUnwritExt), unwrittenNew(4096, 1, GetBlocksCreateUnwritExt)}}},
		{"an allocation that fits", Linux73, "H5000W", Write{Len: 4096 * bs}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: 4096 * bs, mappings: []Mapping{unwrittenNew(0, 4096, GetBlocksCreateUnwritExt)}}},
		{"the last block", Linux73, "H4294967294W", Write{Pos: (MaxBlocks - 1) * bs, Len: bs}, nil,
			submitted{end: EndDio, ended: SubmitDone, ret: bs, mappings: []Mapping{written(MaxBlocks-1, 1)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := ParseExtents(tt.blocks)
			if err != nil {
				t.Fatal(err)
			}
			in := NewInode(12, x.Blocks()*bs, x)
			in.Limits.AtomicMin, in.Limits.AtomicMax = bs, 4*bs
			if tt.set != nil {
				tt.set(in)
			}
			var out Outcome
			if err := Predict(&out, &tt.w, in, tt.v); err != nil {
				t.Fatal(err)
			}
			tt.want.check(t, &out)
		})
	}
}

// TestNotDirect: what is said of a write that is no direct one. Ret is set where the
// write ends without the page cache.
func TestNotDirect(t *testing.T) {
	tests := []struct {
		name   string
		flags  uint32
		facts  DirectFacts
		limits Limits
		end    End
		reason Reason
		ret    int64
	}{
		{"journalled", 0, DirectFacts{No, Yes, No, No, No}, Limits{}, EndBuffered, ReasonJournal, 0},
		{"journalled, cut", 0, DirectFacts{No, Yes, No, No, No}, Limits{Fsize: 1}, EndBuffered, ReasonJournal, 0},
		{"journalled, refused", 0, DirectFacts{No, Yes, No, No, No}, Limits{Swapfile: true}, EndBuffered, ReasonJournal, -etxtbsy},
		{"journalled, NOWAIT", IocbNowait, DirectFacts{No, Yes, No, No, No}, Limits{}, EndN0, ReasonJournal, EOPNOTSUPP},
		{"inline data, NOWAIT", IocbNowait, DirectFacts{No, No, Yes, No, No}, Limits{}, EndN0, ReasonInline, EOPNOTSUPP},
	}
	for _, tt := range tests {
		in := NewInode(12, 2*bs, nil)
		in.Direct, in.Limits = tt.facts, tt.limits
		w := Write{Len: bs, Flags: tt.flags}
		var out Outcome
		if err := Predict(&out, &w, in, Linux73); err != nil {
			t.Fatal(err)
		}
		if out.End != tt.end || out.Reason != tt.reason || out.Ret != tt.ret {
			t.Errorf("%s: %s, %q, %d; want %s, %q, %d", tt.name, out.End, out.Reason, out.Ret, tt.end, tt.reason, tt.ret)
		}
	}
}

// TestOutcomeReused: Predict leaves nothing of an earlier prediction in out.
func TestOutcomeReused(t *testing.T) {
	in := NewInode(12, 2*bs, Extents{{1, Written, false}})
	var out Outcome
	for _, w := range []Write{{Pos: 512, Len: bs}, {Len: bs}} {
		if err := Predict(&out, &w, in, Linux73); err != nil {
			t.Fatal(err)
		}
	}
	want := submitted{end: EndDio, ended: SubmitDone, ret: bs, mappings: []Mapping{written(0, 1)}}
	want.check(t, &out)
}

// TestWritten: an answer counts as written only when blocks were found.
func TestWritten(t *testing.T) {
	for r, want := range map[Result]bool{
		{1, MapMapped}: true, {0, MapMapped}: false, {-5, MapMapped}: false,
		{1, MapUnwritten}: false, {1, MapMapped | MapNew}: true, {0, 0}: false,
	} {
		if got := r.written(); got != want {
			t.Errorf("%+v: %v", r, got)
		}
	}
}
