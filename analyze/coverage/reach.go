package coverage

import (
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// reachable are the points that a direct write can pass under a variant: those that the model
// passes in one of many cases, of three blocks and of what an inode can be.
func reachable(v model.Variant) set {
	r := reach{v: v}
	for _, layout := range []string{"WWW", "UUU", "HHH", "WUW", "UWU", "WHW", "HWH", "WWU", "UWW", "WWH", "HWW", "DWD"} {
		x, err := model.ParseExtents(layout)
		if err != nil {
			continue // never: these are layouts
		}
		for _, indirect := range []bool{false, true} {
			for c := range uint(1 << caseBits) {
				r.layout(x, indirect, c)
			}
			for special := range specials {
				for c := range uint(1 << specialBits) {
					r.special = specials[special]
					r.layout(x, indirect, c)
				}
			}
			r.special = nil
		}
	}
	return r.all
}

// Bits of a case: see reach.write.
const (
	caseBits    = 7
	specialBits = 2
)

// reach goes through the cases of a variant.
type reach struct {
	v       model.Variant
	special func(w *model.Write, in *model.Inode)
	write   model.Write // of this case, and its inode: each is made in the memory of the one before
	inode   model.Inode
	out     model.Outcome
	all     set
}

// ends are where a write begins and ends in three blocks of 4 KiB.
var ends = []int64{0, 512, 4096, 4608, 8192, 11776, 12288, 12800, 16384}

func (r *reach) layout(x model.Extents, indirect bool, bits uint) {
	bit := func(n int) bool { return bits>>n&1 != 0 }
	fresh := *model.NewInode(12, 12288, x)
	w, in := &r.write, &r.inode
	for i, pos := range ends {
		for _, end := range ends[i+1:] {
			*w, *in = model.Write{Pos: pos, Len: end - pos, Async: bit(1)}, fresh
			if bit(0) {
				w.Flags = model.IocbNowait
			}
			in.Indirect, in.Nosec = indirect, !bit(2)
			if bit(3) {
				in.ISize, in.IDisksize = 11776, 11776
			}
			if bit(4) {
				in.IDisksize = 4096
			}
			if bit(5) {
				in.ISizeAtGuess = 0
			}
			if bit(6) {
				w.Buffer = 512
			}
			if r.special != nil {
				r.special(w, in)
			}
			if model.Predict(&r.out, w, in, r.v) != nil {
				continue // facts that cannot be together
			}
			r.all.join(ofOutcome(&r.out, in.Start(w)))
		}
	}
}

// specials are what an inode is now and then.
var specials = []func(*model.Write, *model.Inode){
	func(_ *model.Write, in *model.Inode) { in.Stale = true },
	func(_ *model.Write, in *model.Inode) { in.Busy = true },
	func(_ *model.Write, in *model.Inode) { in.Cached = true },
	func(_ *model.Write, in *model.Inode) { in.Cached, in.InvalidateFails = true, true },
	func(_ *model.Write, in *model.Inode) { in.Cache = model.CacheCold },
	func(_ *model.Write, in *model.Inode) { in.Direct.Journal = model.Yes },
	func(_ *model.Write, in *model.Inode) { in.Limits.Fsize = 1 },
	func(_ *model.Write, in *model.Inode) { in.Limits.Immutable = true },
	func(_ *model.Write, in *model.Inode) { in.ISizeAtGuess = 1 << 40 },
	func(w *model.Write, in *model.Inode) { w.Flags |= model.IocbAppend; in.ISizeAtGuess = 1 << 40 },
}
