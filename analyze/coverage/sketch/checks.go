package sketch

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// checks is ext4_dio_write_checks: a positive result goes on.
func (c *call) checks() int64 {
	for {
		// ext4_generic_write_checks
		c.pos, c.count = c.w.At, c.w.Left
		ret := c.w.Checked
		c.pass(ret)
		if c.is("checks-result", ret <= 0) {
			return min(ret, 0)
		}
		c.look()
		end := c.end
		if c.wrong("extend-size", "uncut") {
			end = c.pos + c.w.Len
		}
		c.extend = c.above("extend-size", end, c.f.Size)
		c.extend = c.above("extend-disk", end, c.f.Disksize) || c.extend
		if c.exclusive || !c.upgrade() {
			break
		}
		if c.is("upgrade-nowait", c.w.nowait()) {
			return eagain
		}
		c.exclusive = true
		if c.wrong("restart", "never") {
			break
		}
	}
	if late := c.wrong("wait", "after-fmod"); late {
		if ret := c.modified(); ret < 0 {
			return ret
		}
		if ret := c.wait(); ret < 0 {
			return ret
		}
		return c.count
	}
	if ret := c.wait(); ret < 0 {
		return ret
	}
	if ret := c.modified(); ret < 0 {
		return ret
	}
	return max(c.count, 1)
}

// pass notes what is seen of a pass.
func (c *call) pass(ret int64) {
	c.end = c.pos + c.count
	p := observe.Pass{Lock: c.lock(), Pos: c.pos, Count: ret, ISize: c.f.Size, IDisksize: c.f.Disksize,
		Align: uint32(c.w.Align), Flags: record.PassAlign}
	if c.f.Nosec {
		p.Flags |= record.PassNosec
	}
	if !c.f.Indirect {
		p.Flags |= record.PassExtents
	}
	c.o.Passes = append(c.o.Passes, p)
}

func (c *call) lock() record.Lock {
	if c.exclusive {
		return record.LockExclusive
	}
	return record.LockShared
}

// look judges alignment, and asks for the blocks as the kernel's patches have it.
func (c *call) look() {
	c.unaligned = c.is("unaligned", c.bits()&c.mask() != 0)
	switch {
	case c.has(model.NeedsZeroing):
		if c.unaligned {
			c.nz = c.is("needs-zeroing", c.partial())
		}
	case c.has(model.AlignedUnchecked) && c.is("aligned-unchecked", !c.unaligned):
		c.overwrite, c.unwritten = true, false
	default:
		c.overwriteIO()
	}
}

// bits is position | iov_iter_alignment.
func (c *call) bits() int64 {
	noPos, noLen, noMem, noIter := c.wrong("unaligned", "no-position"), c.wrong("unaligned", "no-length"), c.wrong("unaligned", "no-memory"), c.wrong("unaligned", "no-iter")
	entry, uncut := c.wrong("unaligned", "entry-position"), c.wrong("unaligned", "uncut")
	switch {
	case entry:
		return c.w.Pos | c.w.Align
	case uncut:
		return c.pos | c.w.AlignAll
	case noPos:
		return c.w.Align
	case noIter:
		return c.pos
	case noLen:
		return c.pos | c.w.Buf
	case noMem:
		return c.pos | c.count
	}
	return c.pos | c.w.Align
}

// mask is of the block size.
func (c *call) mask() int64 {
	half, double, sector, size := c.wrong("mask", "half"), c.wrong("mask", "double"), c.wrong("mask", "sector"), c.wrong("mask", "block-size")
	switch {
	case half:
		return c.f.BlockSize/2 - 1
	case double:
		return 2*c.f.BlockSize - 1
	case sector:
		return 511
	case size:
		return c.f.BlockSize
	}
	return c.f.BlockSize - 1
}

// overwriteIO is ext4_overwrite_io, which patch 4 removes.
func (c *call) overwriteIO() {
	c.overwrite, c.unwritten = false, false
	if c.above("overwrite-beyond", c.end, c.f.Size) {
		return
	}
	b := c.f.BlockSize
	n := c.number("overwrite-length", (c.end+b-1)/b-c.pos/b)
	l := c.lookup(c.pos/b, n, false)
	short := c.wrong("overwrite-whole", "any")
	c.overwrite = c.is("overwrite-whole", int64(l.Ret) == n || short && l.Ret > 0)
	c.unwritten = c.is("overwrite-unwritten", c.overwrite && l.MFlags&model.MapMapped == 0)
}

// partial is ext4_dio_needs_zeroing.
func (c *call) partial() bool {
	if c.above("zeroing-beyond", c.end, c.f.Size) || c.wrong("zeroing-beyond", "by-disksize") && c.end > c.f.Disksize {
		return true
	}
	b := c.f.BlockSize
	hp, tp := c.is("head-partial", c.pos%b != 0), c.is("tail-partial", c.end%b != 0)
	h, t := c.number("head-block", c.pos/b), (c.end-1)/b
	if c.wrong("tail-block", "of-end") {
		t = c.end / b
	}
	if hp {
		l := c.lookup(h, c.number("head-length", t-h+1), true)
		if c.is("head-ret", l.Ret <= 0) || c.is("head-mapped", l.MFlags&model.MapMapped == 0) {
			return true
		}
		if c.is("tail-aligned", !tp) || c.above("covers-tail", h+int64(l.Ret), t) {
			return false
		}
	}
	if tp {
		l := c.lookup(c.number("tail-block", t), c.number("tail-length", 1), true)
		if c.is("tail-ret", l.Ret <= 0) || c.is("tail-mapped", l.MFlags&model.MapMapped == 0) {
			return true
		}
	}
	return false
}

// lookup is one call of the check phase.
func (c *call) lookup(lblk, n int64, zeroing bool) observe.Lookup {
	flags := uint32(0)
	if zeroing && c.has(model.NowaitCachedZeroing) && c.is("zeroing-cached", c.w.nowait()) {
		flags = model.GetBlocksCachedNowait
	}
	l := c.f.Blocks.Lookup(lblk, n, flags)
	if l.Ret < 0 && (!c.has(model.CachedMissEagain) || c.wrong("miss", "returns-0")) {
		l.Ret = 0
	}
	p := &c.o.Passes[len(c.o.Passes)-1]
	p.Lookups = append(p.Lookups, l)
	return l
}

// upgrade asks whether the shared lock is not enough.
func (c *call) upgrade() bool {
	zero := false
	if c.has(model.NeedsZeroing) {
		zero = c.is("upgrade-zeroing", c.nz)
	} else {
		zero = c.is("upgrade-overwrite", !c.overwrite) || c.is("upgrade-unwritten", c.unaligned && c.unwritten)
	}
	return c.is("nosec", !c.f.Nosec) || c.is("upgrade-extend", c.extend) || zero
}

// wait decides drain and FORCE_WAIT.
func (c *call) wait() int64 {
	var wait, drain bool
	if c.has(model.NeedsZeroing) {
		wait, drain = c.is("wait-zeroing", c.nz), c.nz
	} else {
		wait, drain = c.is("wait-unaligned", c.unaligned), c.unaligned && (!c.overwrite || c.unwritten)
	}
	wait = c.is("wait-extend", c.extend) || wait
	if !c.is("wait-exclusive", c.exclusive) || !wait {
		return 1
	}
	if c.is("wait-nowait", c.w.nowait()) {
		return eagain
	}
	if c.is("drain", drain) {
		c.o.Drain = &observe.Drain{}
	}
	c.o.DioFlags = model.DioForceWait
	if c.wrong("force-wait", "never") || c.wrong("force-wait", "only-zeroing") && !c.nz || c.wrong("force-wait", "only-extending") && !c.extend {
		c.o.DioFlags = 0
	}
	return 1
}

// modified is kiocb_modified, or file_modified before patch 5.
func (c *call) modified() int64 {
	if c.wrong("modified", "not-called") {
		return 1
	}
	o, kiocb := c.o, c.has(model.KiocbModified)
	o.Stages |= record.StageFmod
	o.FmodKnown = true
	if o.Fmod = record.FmodFile; kiocb {
		o.Fmod = record.FmodKiocb
	}
	if kiocb && c.is("modified-nowait", c.w.nowait()) && c.w.Stale && !c.wrong("modified", "error-ignored") {
		o.FmodRet = int(eagain)
		return eagain
	}
	return 1
}
