// Package sketch is a kernel's direct write path in a few lines, of which one condition can be
// wrong, and the list of those conditions (CONDITIONS.md). It is written from
// docs/kernel.md#linux-73 and not from the model, so that it can be held against both.
package sketch

import (
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Fault is a condition and the way in which it is wrong: never or always true, inverted, off
// by one, or another.
type Fault struct{ Condition, Way string }

func (f Fault) String() string { return f.Condition + "/" + f.Way }

// Kernel is what decides about a write. One goroutine uses it.
type Kernel struct {
	Has   model.Behaviours
	Fault Fault          // none: a right kernel
	Asked map[Fault]bool // when not nil: takes the faults that could make a difference
}

// Can reports whether there is a sketch of a variant: of those after 6.x.
func Can(v model.Variant) bool { return v.Has(model.SingleOps | model.SplitAtEndIO) }

// has reports whether the kernel holds a patch.
func (k *Kernel) has(b model.Behaviours) bool { return k.Has.Has(b) }

// wrong reports whether a condition is wrong in this way.
func (k *Kernel) wrong(condition, way string) bool {
	if k.Asked != nil {
		k.Asked[Fault{condition, way}] = true
	}
	return k.Fault.Condition == condition && k.Fault.Way == way
}

// is is a condition that may be wrong.
func (k *Kernel) is(name string, v bool) bool {
	never, always, inverted := k.wrong(name, "never"), k.wrong(name, "always"), k.wrong(name, "inverted")
	switch {
	case never:
		return false
	case always:
		return true
	}
	return v != inverted
}

// above is a > b, which may also be a >= b or a > b+1.
func (k *Kernel) above(name string, a, b int64) bool {
	equal, one := k.wrong(name, "or-equal"), k.wrong(name, "by-one")
	switch {
	case equal:
		return a >= b
	case one:
		return a > b+1
	}
	return k.is(name, a > b)
}

// number may be one more or one less.
func (k *Kernel) number(name string, n int64) int64 {
	more, less := k.wrong(name, "more"), k.wrong(name, "less")
	switch {
	case more:
		n++
	case less:
		n--
	}
	return n
}

// File is what a kernel knows of the file that is written.
type File struct {
	Blkbits         uint8
	BlockSize       int64
	Size, Disksize  int64 // i_size and i_disksize
	Nosec, Indirect bool  // S_NOSEC is set; EXT4_EXTENTS_FL is not
	Journalled      bool  // ext4 takes no direct I/O
	Busy            bool  // i_rwsem cannot be had without waiting
	Blocks          Blocks
}

// Blocks are those of a file, and what the page cache has of them.
type Blocks interface {
	// Lookup is ext4_map_blocks that only looks, with GetBlocksCachedNowait in the cache alone.
	Lookup(lblk, n int64, flags uint32) observe.Lookup
	// Run is the blocks of one state from first on, at most n: W, U, H or D.
	Run(first, n int64) (state byte, got int64)
	// Cached reports whether the page cache has a block.
	Cached(b int64) bool
	// Flushed are the blocks once the pages from first to last were written back.
	Flushed(first, last int64) Blocks
}

// Write is one write as its caller makes it, or one try of it.
type Write struct {
	Pos, Len int64
	Flags    uint32 // ki_flags
	Caller   record.Caller
	Async    bool  // its caller takes -EIOCBQUEUED
	Stale    bool  // the time stamps have to be updated
	Buf      int64 // address of the first segment
	// AlignAll is iov_iter_alignment of the whole, Align of what the checks leave.
	AlignAll, Align int64
	// At is the position behind ext4_generic_write_checks, Left how many bytes its iov_iter
	// holds then, and Checked what it returns.
	At, Left, Checked int64
}

func (w *Write) nowait() bool { return w.Flags&model.IocbNowait != 0 }

// call is one write on its way.
type call struct {
	*Kernel
	f *File
	w *Write
	o *observe.Observation

	pos, count int64 // after ext4_generic_write_checks
	end        int64
	exclusive  bool
	unaligned  bool
	extend     bool
	nz         bool
	// What ext4_overwrite_io found, before patch 4.
	overwrite, unwritten bool
}

const eagain = -int64(unix.EAGAIN)

// Attempt is what the tracer sees of a write to a file on this kernel.
func (k *Kernel) Attempt(f *File, w *Write) *observe.Observation {
	c := &call{Kernel: k, f: f, w: w, pos: w.Pos, count: w.Len}
	c.o = &observe.Observation{
		Blkbits: f.Blkbits, Pos0: w.Pos, Len0: w.Len, ISize0: f.Size, Flags: w.Flags, Caller: w.Caller,
		Align0: uint32(w.AlignAll), Align0Known: true, Completed: true,
		Stages: record.StageEntry | record.StageReturn | record.StageAlign | record.StageLock,
	}
	c.enter()
	c.o.SubmitRet = c.o.Ret
	if c.o.Queued {
		c.o.SubmitRet = model.EIOCBQUEUED
	}
	finish(c.o)
	return c.o
}

// enter is ext4_dio_write_iter.
func (c *call) enter() {
	w, f := c.w, c.f
	c.exclusive = c.above("guess", w.Pos+c.count, f.Size)
	if c.wrong("guess", "by-position") {
		c.exclusive = w.Pos > f.Size
	}
	if c.wrong("guess", "by-disksize") {
		c.exclusive = w.Pos+c.count > f.Disksize
	}
	if f.Busy && w.nowait() { // inode_trylock
		c.o.Ret = eagain
		return
	}
	if f.Journalled {
		c.end = w.Pos + c.count
		c.buffered(w.Pos)
		return
	}
	if ret := c.checks(); ret <= 0 {
		c.o.Ret = ret
		return
	}
	c.rw()
}

// finish notes which stages were seen, and what the tracer makes of the end.
func finish(o *observe.Observation) {
	has := func(s record.Stages, seen bool) {
		if seen {
			o.Stages |= s
		}
	}
	has(record.StagePass, len(o.Passes) > 0)
	for i := range o.Passes {
		has(record.StageLookup, len(o.Passes[i].Lookups) > 0)
	}
	has(record.StageDrain, o.Drain != nil)
	has(record.StageDIO, o.Dio)
	has(record.StageBegin, len(o.Mappings) > 0)
	has(record.StageZero, len(o.Zeroed) > 0)
	has(record.StageBuffered, o.Buffered != nil)
	has(record.StageCopy, o.Buffered != nil && o.Buffered.Copied)
	if o.Fmod == record.FmodKiocb && !o.Dio && o.SubmitRet == model.EAGAIN {
		o.FmodRet = model.EAGAIN // which of the two ends it was cannot be told
	}
	if p := o.LastPass(); p != nil && p.Count > 0 && o.SubmitRet >= 0 && !o.Dio && o.Buffered == nil {
		o.Incomplete = "iomap_dio_rw not seen" // it returned bytes, or 0, and wrote none
	}
}
