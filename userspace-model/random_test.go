package model

import (
	"math/rand/v2"
	"testing"
)

// situationKind narrows randomSituation.
type situationKind struct {
	minBlocks int64 // that the write touches
	noAtomic  bool
}

// randomSituation is a write to an inode of up to eight blocks.
func randomSituation(r *rand.Rand, kind situationKind) (*Write, *Inode) {
	in := randomInode(r)
	w := randomWrite(r, in, kind)
	randomLimits(r, w, in)
	return w, in
}

func randomInode(r *rand.Rand) *Inode {
	one := func(n int) bool { return r.IntN(n) == 0 }
	b := uint8(MinBlkbits + r.IntN(MaxBlkbits-MinBlkbits))
	bs := int64(1) << b
	indirect := one(4)
	var x Extents
	for range 1 + r.IntN(5) {
		e := Extent{Len: 1 + r.Uint32N(2), State: BlockState(r.IntN(int(LookupError))), Apart: one(3)}
		if indirect && e.State == Unwritten {
			e.State = Written
		}
		x = x.add(e)
	}
	in := NewInode(b, x.Blocks()*bs-r.Int64N(2)*r.Int64N(bs), x)
	if one(4) {
		in.IDisksize = r.Int64N(in.ISize + 1)
	}
	if one(4) {
		in.ISizeAtGuess = r.Int64N(in.ISize + bs)
	}
	in.Indirect, in.Nosec, in.Busy, in.Stale, in.Cached = indirect, !one(4), one(16), one(8), one(8)
	in.InvalidateFails = in.Cached && one(2)
	in.Cache = Cache(r.IntN(2))
	in.Direct.Journal = AnswerOf(one(16))
	return in
}

func randomWrite(r *rand.Rand, in *Inode, kind situationKind) *Write {
	one := func(n int) bool { return r.IntN(n) == 0 }
	bs, blocks := int64(1)<<in.Blkbits, in.Extents.Blocks()
	unit := bs >> r.IntN(4)
	first := r.Int64N(blocks*bs/unit + 1)
	w := &Write{Pos: first * unit, Len: unit * (1 + r.Int64N((blocks+2)*bs/unit)), Async: one(2)}
	if least := (kind.minBlocks - 1) * bs; w.Len <= least {
		w.Len += least
	}
	if one(4) {
		w.Buffer = 512
	}
	for _, flag := range []uint32{IocbNowait, IocbAppend, IocbAtomic} {
		if one(3) && (flag != IocbAtomic || !kind.noAtomic) {
			w.Flags |= flag
		}
	}
	if w.Flags&IocbAtomic != 0 && one(2) { // one that ext4 takes
		w.Len = bs << r.IntN(2)
		w.Pos -= w.Pos % w.Len
	}
	return w
}

func randomLimits(r *rand.Rand, w *Write, in *Inode) {
	l := &in.Limits
	l.AtomicMin, l.AtomicMax = 1<<in.Blkbits, 4<<in.Blkbits
	limits := []*int64{&l.Fsize, &l.MaxBytes, &l.BitmapBytes}
	if i := r.IntN(3 * len(limits)); i < len(limits) {
		*limits[i] = 1 + w.Pos/2 + r.Int64N(w.Pos+w.Len)
	}
	if r.IntN(8) == 0 {
		l.SectorSize = 1 << in.Blkbits >> r.IntN(2)
	}
}

// predict is the outcome without its steps, which repeat the numbers.
func predict(t *testing.T, w *Write, in *Inode, v Variant) Outcome {
	t.Helper()
	var o Outcome
	if err := Predict(&o, w, in, v); err != nil {
		t.Fatalf("%+v %+v: %v", *w, *in, err)
	}
	o.steps, o.nsteps = [maxSteps]Step{}, 0
	return o
}

const randomCases = 5000

// eachRandom calls try with random situations, each under every variant.
func eachRandom(t *testing.T, kind situationKind, try func(r *rand.Rand, w *Write, in *Inode, v Variant) bool) {
	r := rand.New(rand.NewPCG(7, uint64(kind.minBlocks)))
	for range randomCases {
		w, in := randomSituation(r, kind)
		for _, v := range Variants() {
			if !try(r, w, in, v) {
				t.Fatalf("%s: %+v %+v", v, *w, *in)
			}
		}
	}
}
