package model

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// Truths about pairs of writes, over random situations with a fixed seed.

// TestTruths: what brokenTruths knows of every outcome, NOWAIT above all.
func TestTruths(t *testing.T) {
	ended := map[SubmitEnd]int{}
	eachRandom(t, situationKind{}, func(_ *rand.Rand, w *Write, in *Inode, v Variant) bool {
		o := predict(t, w, in, v)
		ended[o.Ended]++
		broken := brokenTruths(&o, w, in)
		for _, why := range broken {
			t.Error(why)
		}
		return len(broken) == 0
	})
	for e := SubmitNone; e <= SubmitError; e++ {
		if ended[e] < randomCases/100 {
			t.Errorf("%d outcomes of kind %q: the situations are too few", ended[e], e)
		}
	}
}

// TestShifted: a write and a file that lie some blocks further have the same
// outcome, some blocks further.
func TestShifted(t *testing.T) {
	eachRandom(t, situationKind{noAtomic: true}, func(r *rand.Rand, w *Write, in *Inode, v Variant) bool {
		blocks := 1 + r.Uint32N(100)
		by := int64(blocks) << in.Blkbits
		w2, in2 := *w, *in
		w2.Pos += by
		in2.ISize, in2.IDisksize, in2.ISizeAtGuess = in.ISize+by, in.IDisksize+by, in.ISizeAtGuess+by
		in2.Extents = append(Extents{{Len: blocks, State: Hole}}, in.Extents...)
		l := &in2.Limits
		for _, limit := range []*int64{&l.Fsize, &l.MaxBytes, &l.BitmapBytes} {
			if *limit != 0 {
				*limit += by
			}
		}
		want, got := predict(t, w, in, v), predict(t, &w2, &in2, v)
		want.shift(blocks, by)
		return same(t, &got, &want)
	})
}

func (o *Outcome) shift(blocks uint32, by int64) {
	for i := range o.Pass {
		p := &o.Pass[i]
		for j := range p.Queries {
			if p.Queries[j].Len != 0 {
				p.Queries[j].Lblk += blocks
			}
		}
	}
	for i := range o.Mappings {
		if o.Mappings[i].Err == 0 {
			o.Mappings[i].Lblk += blocks
		}
	}
	for i := range o.Zeroed {
		o.Zeroed[i].Pos += by
	}
	if o.Fallback.Len != 0 {
		o.Fallback.Pos += by
	}
}

func same(t *testing.T, got, want *Outcome) bool {
	if reflect.DeepEqual(got, want) {
		return true
	}
	t.Errorf("\n got %+v\nwant %+v", *got, *want)
	return false
}

// TestScaled: twice the block size, with all that is counted in bytes twice as
// large, gives the same outcome with its bytes twice as large.
func TestScaled(t *testing.T) {
	eachRandom(t, situationKind{}, func(_ *rand.Rand, w *Write, in *Inode, v Variant) bool {
		w2, in2 := *w, *in
		in2.Blkbits++
		w2.Buffer *= 2
		l := &in2.Limits
		for _, bytes := range []*int64{
			&w2.Pos, &w2.Len, &in2.ISize, &in2.IDisksize, &in2.ISizeAtGuess,
			&l.Fsize, &l.MaxBytes, &l.BitmapBytes, &l.AtomicMin, &l.AtomicMax, &l.SectorSize,
		} {
			*bytes *= 2
		}
		want, got := predict(t, w, in, v), predict(t, &w2, &in2, v)
		want.Fallback.Pos, want.Fallback.Len = 2*want.Fallback.Pos, 2*want.Fallback.Len
		for i, z := range want.Zeroed {
			want.Zeroed[i] = Range{2 * z.Pos, 2 * z.Len}
		}
		if want.Result > 0 {
			want.Result *= 2
		}
		return same(t, &got, &want)
	})
}

// lock is what the check phase decides about the lock.
type lock struct {
	end                   End
	mode                  Mode
	passes                int
	drain, force, zeroing Answer
	extend                bool
	reason                Reason
	first                 Mode // of the first lock
}

func (d *Decision) lock() lock {
	return lock{
		end: d.End, mode: d.Mode, passes: d.Passes, drain: d.Drain, force: d.ForceWait, zeroing: d.Zeroing,
		extend: d.Extend, reason: d.Reason, first: d.Pass[0].Mode,
	}
}

// TestMiddleBlocks: since patch 4 the state of a block that is neither the first
// nor the last of a write does not change anything about its lock.
func TestMiddleBlocks(t *testing.T) {
	tried := 0
	eachRandom(t, situationKind{minBlocks: 3}, func(r *rand.Rand, w *Write, in *Inode, v Variant) bool {
		if !v.Has(NeedsZeroing) {
			return true
		}
		pos := w.Pos
		if w.Flags&IocbAppend != 0 {
			pos = in.ISize
		}
		want := predict(t, w, in, v)
		if want.Passes == 0 {
			return true // the checks did not run
		}
		// A limit may have cut the write: the last block is that of what is left.
		_, left := in.writeChecks(w, w.Len)
		first, last := uint32(pos>>in.Blkbits), uint32((pos+left-1)>>in.Blkbits)
		if left <= 0 || last < first+2 {
			return true
		}
		tried++
		state := BlockState(r.IntN(int(LookupError)))
		if in.Indirect && state == Unwritten {
			state = Hole
		}
		in2 := *in
		in2.Extents = in.Extents.with(first+1+r.Uint32N(last-first-1), state)
		got := predict(t, w, &in2, v)
		if got.Decision.lock() != want.Decision.lock() {
			t.Errorf("\n%s: %+v\n%s: %+v", in.Extents, want.Decision.lock(), in2.Extents, got.Decision.lock())
			return false
		}
		return true
	})
	if tried < randomCases {
		t.Errorf("only %d middle blocks", tried)
	}
}

// with is the layout with one block in another state.
func (x Extents) with(block uint32, state BlockState) Extents {
	var out Extents
	for i := range uint32(max(x.Blocks(), int64(block)+1)) {
		e := Extent{Len: 1, State: x.At(i, 1).State, Apart: x.begins(i)}
		if i == block {
			e.State, e.Apart = state, true
		}
		out = out.add(e)
	}
	return out
}

// begins reports whether an extent that lies apart begins at the block.
func (x Extents) begins(block uint32) bool {
	at := uint32(0)
	for _, e := range x {
		if at == block {
			return e.Apart
		}
		at += e.Len
	}
	return false
}

// TestSplitExtent: an extent that is split in two on the device never turns the
// exclusive lock into the shared one, nor makes a NOWAIT write go on.
func TestSplitExtent(t *testing.T) {
	changed := 0
	eachRandom(t, situationKind{}, func(r *rand.Rand, w *Write, in *Inode, v Variant) bool {
		in2 := *in
		in2.Extents = in.Extents.split(r.Uint32N(uint32(in.Extents.Blocks())))
		before, after := predict(t, w, in, v), predict(t, w, &in2, v)
		if before.Decision.lock() != after.Decision.lock() {
			changed++
		}
		exclusive := before.Mode == Exclusive || before.End == EndN2
		if exclusive && after.Mode == Shared || before.End == EndN3 && after.End != EndN3 {
			t.Errorf("%s: %+v\n%s: %+v", in.Extents, before.Decision.lock(), in2.Extents, after.Decision.lock())
			return false
		}
		return true
	})
	if changed == 0 {
		t.Error("no split changed any decision")
	}
}

// split is the layout where the block begins an extent.
func (x Extents) split(block uint32) Extents {
	var out Extents
	at := uint32(0)
	for _, e := range x {
		if block > at && block < at+e.Len {
			out = append(out, Extent{Len: block - at, State: e.State, Apart: e.Apart})
			out = append(out, Extent{Len: e.Len - (block - at), State: e.State, Apart: true})
		} else {
			out = append(out, e)
		}
		at += e.Len
	}
	return out
}
