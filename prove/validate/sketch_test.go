package validate

import (
	"math/bits"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// patches says which patches of the series a sketched kernel has.
type patches struct {
	nowaitNoAlloc, drainFallback, alignedUnchecked, needsZeroing, kiocbModified bool // 1 to 5
	missEagain, cachedBegin, cachedZeroing                                      bool // 6 to 8
}

// sketched are the kernels that the sketch can be: those after 6.x.
var sketched = map[string]patches{
	"linux-7.2": {drainFallback: true},
	"base":      {},
	"patch3":    {nowaitNoAlloc: true, drainFallback: true, alignedUnchecked: true},
	"patch4":    {nowaitNoAlloc: true, drainFallback: true, alignedUnchecked: true, needsZeroing: true},
	"linux-7.3": {nowaitNoAlloc: true, drainFallback: true, alignedUnchecked: true, needsZeroing: true, kiocbModified: true},
	"series-v2": {true, true, true, true, true, true, true, true},
}

// sketch is a kernel's direct-write path in a few lines, of which one condition
// can be wrong. It is written from docs/kernel.md#linux-73 and not from the
// model, so that it can be held against both. A fault is the name of a condition with the way in
// which it is wrong: never or always true, inverted, or off by one.
type sketch struct {
	patches
	fault string
	asked map[string]bool // faults that there are, when not nil
}

// wrong reports whether the named fault is on.
func (k *sketch) wrong(fault string) bool {
	if k.asked != nil {
		k.asked[fault] = true
	}
	return k.fault == fault
}

// extends reports whether i_size moves when a write went beyond it.
func (k *sketch) extends() bool { return !k.wrong("extension/never") }

// is is a condition that may be wrong.
func (k *sketch) is(name string, v bool) bool {
	never, always, inverted := k.wrong(name+"/never"), k.wrong(name+"/always"), k.wrong(name+"/inverted")
	switch {
	case never:
		return false
	case always:
		return true
	}
	return v != inverted
}

// above is a > b, which may also be a >= b or a > b+1.
func (k *sketch) above(name string, a, b int64) bool {
	equal, one := k.wrong(name+"/or-equal"), k.wrong(name+"/by-one")
	switch {
	case equal:
		return a >= b
	case one:
		return a > b+1
	}
	return k.is(name, a > b)
}

// number may be one more or one less.
func (k *sketch) number(name string, n int64) int64 {
	more, less := k.wrong(name+"/more"), k.wrong(name+"/less")
	switch {
	case more:
		n++
	case less:
		n--
	}
	return n
}

// sketchCall is one write on its way.
type sketchCall struct {
	*sketch
	f *simFile
	w *simWrite
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

func (k *sketch) attempt(f *simFile, w *simWrite) *observe.Observation {
	c := &sketchCall{sketch: k, f: f, w: w, count: int64(w.Len())}
	c.o = &observe.Observation{Blkbits: uint8(bits.TrailingZeros64(uint64(f.bs)))}
	c.exclusive = c.above("guess", w.Pos+c.count, f.size)
	if c.wrong("guess/by-position") {
		c.exclusive = w.Pos > f.size
	}
	if c.wrong("guess/by-disksize") {
		c.exclusive = w.Pos+c.count > f.disk
	}
	if f.journalled {
		c.end = w.Pos + c.count
		c.buffered(w.Pos)
		return c.o
	}
	if ret := c.checks(); ret <= 0 {
		c.o.Ret = ret
		return c.o
	}
	c.rw()
	return c.o
}

// generic is ext4_generic_write_checks.
func (c *sketchCall) generic() int64 {
	c.pos = c.w.Pos
	limits := []int64{maxBytes(c.f.bs)}
	if c.f.indirect {
		limits = append(limits, bitmapBytes(c.f.bs))
	}
	switch {
	case c.f.immutable:
		return -int64(unix.EPERM)
	case c.count == 0:
		return 0
	case c.w.append():
		c.pos = c.f.size
	}
	if c.w.Limit >= 0 {
		limits = append(limits, c.w.Limit)
	}
	for _, l := range limits {
		if c.pos >= l {
			return -int64(unix.EFBIG)
		}
		c.count = min(c.count, l-c.pos)
	}
	return c.count
}

// checks is ext4_dio_write_checks: a positive result goes on.
func (c *sketchCall) checks() int64 {
	for {
		ret := c.generic()
		c.pass(ret)
		if c.is("checks-result", ret <= 0) {
			return min(ret, 0)
		}
		c.look()
		end := c.end
		if c.wrong("extend-size/uncut") {
			end = c.pos + int64(c.w.Len())
		}
		c.extend = c.above("extend-size", end, c.f.size)
		c.extend = c.above("extend-disk", end, c.f.disk) || c.extend
		if c.exclusive || !c.upgrade() {
			break
		}
		if c.is("upgrade-nowait", c.w.nowait) {
			return eagain
		}
		c.exclusive = true
		if c.wrong("restart/never") {
			break
		}
	}
	if late := c.wrong("wait/after-fmod"); late {
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
func (c *sketchCall) pass(ret int64) {
	c.end = c.pos + c.count
	p := observe.Pass{Lock: c.lock(), Pos: c.pos, Count: ret, ISize: c.f.size, IDisksize: c.f.disk,
		Align: uint32(c.w.align(c.count)), Flags: record.PassAlign}
	if c.f.nosec {
		p.Flags |= record.PassNosec
	}
	c.o.Passes = append(c.o.Passes, p)
}

func (c *sketchCall) lock() record.Lock {
	if c.exclusive {
		return record.LockExclusive
	}
	return record.LockShared
}

// look judges alignment, and asks for the blocks as the kernel's patches have it.
func (c *sketchCall) look() {
	c.unaligned = c.is("unaligned", c.bits()&c.mask() != 0)
	switch {
	case c.needsZeroing:
		if c.unaligned {
			c.nz = c.is("needs-zeroing", c.partial())
		}
	case c.is("aligned-unchecked", c.alignedUnchecked && !c.unaligned):
		c.overwrite, c.unwritten = true, false
	default:
		c.overwriteIO()
	}
}

// bits is position | iov_iter_alignment.
func (c *sketchCall) bits() int64 {
	noPos, noLen, noMem, noIter := c.wrong("unaligned/no-position"), c.wrong("unaligned/no-length"), c.wrong("unaligned/no-memory"), c.wrong("unaligned/no-iter")
	entry, uncut := c.wrong("unaligned/entry-position"), c.wrong("unaligned/uncut")
	switch {
	case entry:
		return c.w.Pos | c.w.align(c.count)
	case uncut:
		return c.pos | c.w.align(int64(c.w.Len()))
	case noPos:
		return c.w.align(c.count)
	case noIter:
		return c.pos
	case noLen:
		return c.pos | int64(c.w.Buf)
	case noMem:
		return c.pos | c.count
	}
	return c.pos | c.w.align(c.count)
}

// mask is of the block size.
func (c *sketchCall) mask() int64 {
	half, double, sector, size := c.wrong("mask/half"), c.wrong("mask/double"), c.wrong("mask/sector"), c.wrong("mask/block-size")
	switch {
	case half:
		return c.f.bs/2 - 1
	case double:
		return 2*c.f.bs - 1
	case sector:
		return 511
	case size:
		return c.f.bs
	}
	return c.f.bs - 1
}

// overwriteIO is ext4_overwrite_io, which patch 4 removes.
func (c *sketchCall) overwriteIO() {
	c.overwrite, c.unwritten = false, false
	if c.above("overwrite-beyond", c.end, c.f.size) {
		return
	}
	b := c.f.bs
	n := c.number("overwrite-length", (c.end+b-1)/b-c.pos/b)
	l := c.lookup(c.pos/b, n, false)
	short := c.wrong("overwrite-whole/any")
	c.overwrite = c.is("overwrite-whole", int64(l.Ret) == n || short && l.Ret > 0)
	c.unwritten = c.is("overwrite-unwritten", c.overwrite && l.MFlags&model.MapMapped == 0)
}

// partial is ext4_dio_needs_zeroing.
func (c *sketchCall) partial() bool {
	if c.above("zeroing-beyond", c.end, c.f.size) || c.wrong("zeroing-beyond/by-disksize") && c.end > c.f.disk {
		return true
	}
	b := c.f.bs
	hp, tp := c.is("head-partial", c.pos%b != 0), c.is("tail-partial", c.end%b != 0)
	h, t := c.number("head-block", c.pos/b), (c.end-1)/b
	if c.wrong("tail-block/of-end") {
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
func (c *sketchCall) lookup(lblk, n int64, zeroing bool) observe.Lookup {
	flags := uint32(0)
	if zeroing && c.cachedZeroing && c.is("zeroing-cached", c.w.nowait) {
		flags = 0x800
	}
	l := c.f.lookup(lblk, n, flags)
	if l.Ret < 0 && (!c.missEagain || c.wrong("miss/returns-0")) {
		l.Ret = 0
	}
	p := &c.o.Passes[len(c.o.Passes)-1]
	p.Lookups = append(p.Lookups, l)
	return l
}

// upgrade asks whether the shared lock is not enough.
func (c *sketchCall) upgrade() bool {
	zero := c.is("upgrade-zeroing", c.nz)
	if !c.needsZeroing {
		zero = c.is("upgrade-overwrite", !c.overwrite) || c.is("upgrade-unwritten", c.unaligned && c.unwritten)
	}
	return c.is("nosec", !c.f.nosec) || c.is("upgrade-extend", c.extend) || zero
}

// wait decides drain and FORCE_WAIT.
func (c *sketchCall) wait() int64 {
	wait, drain := c.is("wait-zeroing", c.nz), c.nz
	if !c.needsZeroing {
		wait, drain = c.is("wait-unaligned", c.unaligned), c.unaligned && (!c.overwrite || c.unwritten)
	}
	wait = c.is("wait-extend", c.extend) || wait
	if !c.is("wait-exclusive", c.exclusive) || !wait {
		return 1
	}
	if c.is("wait-nowait", c.w.nowait) {
		return eagain
	}
	if c.is("drain", drain) {
		c.o.Drain = &observe.Drain{}
	}
	c.o.DioFlags = model.DioForceWait
	if c.wrong("force-wait/never") || c.wrong("force-wait/only-zeroing") && !c.nz || c.wrong("force-wait/only-extending") && !c.extend {
		c.o.DioFlags = 0
	}
	return 1
}

// modified is kiocb_modified, or file_modified before patch 5.
func (c *sketchCall) modified() int64 {
	if c.wrong("modified/not-called") {
		return 1
	}
	c.o.Stages |= record.StageFmod
	c.o.FmodKnown = true
	if c.kiocbModified && c.is("modified-nowait", c.w.nowait) && c.w.stale && !c.wrong("modified/error-ignored") {
		c.o.FmodRet = int(eagain)
		return eagain
	}
	return 1
}

// rw is iomap_dio_rw and what follows it in ext4_dio_write_iter.
func (c *sketchCall) rw() {
	o := c.o
	o.Dio, o.Lock = true, c.lock()
	f := c.f.clone()
	first, last := c.pos/f.bs, (c.end-1)/f.bs
	for b := first; b <= last && c.count > 0; b++ {
		if f.cached[b] && c.is("pages-nowait", c.w.nowait) {
			o.Ret = eagain
			return
		}
	}
	f.flush(first, last)
	pos := c.pos
	for pos < c.end {
		m := c.begin(f, pos)
		o.Mappings = append(o.Mappings, m)
		if m.Err != 0 {
			c.failed(pos, m.Err)
			return
		}
		end := min(c.end, m.Offset+m.Length)
		if (pos|end)%512 != 0 || m.Type == model.IomapHole {
			o.Ret = map[bool]int64{true: -int64(unix.EIO), false: -int64(unix.EINVAL)}[m.Type == model.IomapHole]
			return
		}
		c.zero(pos, end, m)
		pos = end
	}
	o.Ret = c.count
	o.Queued = c.w.async && o.DioFlags == 0 && pos > c.pos
}

// failed is the end of a submission whose next blocks could not be mapped.
func (c *sketchCall) failed(pos int64, err int) {
	o := c.o
	o.Ret = int64(err)
	if err != -int(unix.ENOTBLK) {
		return
	}
	if c.wrong("enotblk/returned") {
		return
	}
	o.Ret = pos - c.pos
	if c.wrong("fallback/never") {
		return
	}
	c.buffered(pos)
}

// buffered is ext4_buffered_write_iter for what is left.
func (c *sketchCall) buffered(pos int64) {
	c.o.Buffered = &observe.Buffered{Pos: pos, Len: c.end - pos}
	if c.is("fallback-nowait", c.w.nowait) {
		c.o.Ret = -int64(unix.EOPNOTSUPP)
		return
	}
	c.o.Buffered.Drained = c.drainFallback && !c.wrong("fallback-drain/never")
	c.o.Buffered.Copied, c.o.Buffered.CopyLock = true, record.LockExclusive
	if c.wrong("fallback-lock/shared") {
		c.o.Buffered.CopyLock = record.LockShared
	}
	c.o.Ret = c.count
}

// begin is ext4_iomap_begin for the rest of the write.
func (c *sketchCall) begin(f *simFile, pos int64) observe.Mapping {
	b := f.bs
	first, n := pos/b, (c.end-1)/b-pos/b+1
	if !c.above("begin-beyond", c.end, f.size) {
		flags := uint32(0)
		if c.cachedBegin && c.is("begin-cached", c.w.nowait) {
			flags = 0x800
		}
		l := f.lookup(first, n, flags)
		if l.Ret < 0 && !c.wrong("begin-miss/ignored") {
			return observe.Mapping{Err: int(l.Ret)}
		}
		mapped := c.is("begin-mapped", l.MFlags&model.MapMapped != 0)
		unwritten := c.is("begin-unwritten", l.MFlags&model.MapUnwritten != 0)
		if c.is("begin-ret", l.Ret > 0) && (mapped || unwritten) {
			return c.mapping(f, first, max(int64(l.Ret), 1), 0)
		}
	}
	return c.alloc(f, first, n)
}

// alloc is ext4_iomap_alloc.
func (c *sketchCall) alloc(f *simFile, first, n int64) observe.Mapping {
	if c.nowaitNoAlloc && c.is("alloc-nowait", c.w.nowait) {
		return observe.Mapping{Err: int(eagain)}
	}
	if !c.wrong("alloc-cut/never") {
		n = min(n, c.number("alloc-cut", 4096))
	}
	start, flags := first*f.bs, uint32(0)
	if c.wrong("alloc-beyond/by-position") {
		start = max(start, c.pos)
	}
	switch {
	case c.beyond(start):
		flags = 1
	case c.is("alloc-extents", !f.indirect):
		flags = 3
	}
	if s, got := f.run(first, n); flags == 0 && s != 'W' {
		if !c.wrong("alloc-enotblk/never") {
			return observe.Mapping{Err: -int(unix.ENOTBLK)}
		}
		return observe.Mapping{Offset: start, Length: got * f.bs, Type: model.IomapHole}
	}
	return c.mapping(f, first, n, flags)
}

// beyond is start >= i_size.
func (c *sketchCall) beyond(start int64) bool {
	strict := c.wrong("alloc-beyond/strict")
	early := c.wrong("alloc-beyond/by-one")
	disk := c.wrong("alloc-beyond/by-disksize")
	switch {
	case disk:
		return start >= c.f.disk
	case strict:
		return start > c.f.size
	case early:
		return start+1 >= c.f.size
	}
	return c.is("alloc-beyond", start >= c.f.size)
}

// mapping is what ext4_map_blocks with these flags, and ext4_set_iomap, make of
// the blocks.
func (c *sketchCall) mapping(f *simFile, first, n int64, flags uint32) observe.Mapping {
	s, got := f.run(first, n)
	m := observe.Mapping{Offset: first * f.bs, Length: got * f.bs, AllocFlags: flags, Type: model.IomapMapped}
	switch {
	case s == 'W' || f.indirect && flags == 3:
	case s == 'U' && flags != 1:
		m.Type = model.IomapUnwritten
	case flags == 3:
		m.Type, m.Flags = model.IomapUnwritten, model.IomapFNew
	case flags == 1:
		m.Flags = model.IomapFNew
	default:
		m.Type = model.IomapHole
	}
	return m
}

// zero is what iomap_dio_bio_iter zeroes.
func (c *sketchCall) zero(pos, end int64, m observe.Mapping) {
	b := c.f.bs
	needs := m.Type == model.IomapUnwritten || m.Flags&model.IomapFNew != 0
	if pad := pos % b; pad != 0 && needs {
		c.o.Zeroed = append(c.o.Zeroed, observe.Zeroed{Pos: pos - pad, Len: pad})
	}
	if pad := end % b; pad != 0 && (needs || end >= c.f.size) {
		c.o.Zeroed = append(c.o.Zeroed, observe.Zeroed{Pos: end, Len: b - pad})
	}
}
