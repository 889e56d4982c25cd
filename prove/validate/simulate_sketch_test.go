package validate

import (
	"math/bits"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// simSketch is the sketch of a kernel.
type simSketch struct{ *sketch.Kernel }

func (k simSketch) attempt(f *simFile, w *simWrite) *observe.Observation {
	waits := sketch.Fault{Condition: "trylock", Way: "waits"}
	if k.Asked != nil { // of what follows a write, and of who else there is
		k.Asked[sketch.Fault{Condition: "extension", Way: "never"}] = true
		k.Asked[waits] = true
	}
	file := f.sketched()
	file.Busy = w.Held >= 0 && k.Fault != waits
	return k.Attempt(file, w.sketched(f))
}

// extends reports whether i_size moves when a write went beyond it.
func (k simSketch) extends() bool {
	return k.Fault != sketch.Fault{Condition: "extension", Way: "never"}
}

// sketched is the file as the sketch of a kernel takes it.
func (f *simFile) sketched() *sketch.File {
	return &sketch.File{
		Blkbits: uint8(bits.TrailingZeros64(uint64(f.bs))), BlockSize: f.bs, Size: f.size, Disksize: f.disk,
		Nosec: f.nosec, Indirect: f.indirect, Journalled: f.journalled, Blocks: simBlocks{f},
	}
}

// simBlocks are the blocks of a file in memory.
type simBlocks struct{ f *simFile }

func (b simBlocks) Lookup(lblk, n int64, flags uint32) observe.Lookup {
	return b.f.lookup(lblk, n, flags)
}
func (b simBlocks) Run(first, n int64) (byte, int64) { return b.f.run(first, n) }
func (b simBlocks) Cached(n int64) bool              { return b.f.cached[n] }

func (b simBlocks) Flushed(first, last int64) sketch.Blocks {
	g := b.f.clone()
	g.flush(first, last)
	return simBlocks{g}
}

// checked is ext4_generic_write_checks: where it begins, what is
// left of it, and what they return.
func (f *simFile) checked(w *simWrite) (pos, left, ret int64) {
	pos, left = w.Pos, int64(w.Len())
	limits := []int64{maxBytes(f.bs)}
	if f.indirect {
		limits = append(limits, bitmapBytes(f.bs))
	}
	switch {
	case f.immutable:
		return pos, left, -int64(unix.EPERM)
	case left == 0:
		return pos, 0, 0
	case w.append():
		pos = f.size
	}
	if w.Limit >= 0 {
		limits = append(limits, w.Limit)
	}
	for _, l := range limits {
		if pos >= l {
			return pos, left, -int64(unix.EFBIG)
		}
		left = min(left, l-pos)
	}
	return pos, left, left
}

// sketched is the write as the sketch of a kernel takes it.
func (w *simWrite) sketched(f *simFile) *sketch.Write {
	s := &sketch.Write{Pos: w.Pos, Len: int64(w.Len()), Caller: record.CallerSync, Async: w.async, Stale: w.stale, Buf: int64(w.Buf)}
	if w.async {
		s.Caller = record.CallerIOUring
	}
	if w.nowait {
		s.Flags |= model.IocbNowait
	}
	if w.append() {
		s.Flags |= model.IocbAppend
	}
	s.At, s.Left, s.Checked = f.checked(w)
	s.AlignAll, s.Align = w.align(s.Len), w.align(s.Left)
	return s
}
