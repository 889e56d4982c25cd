package sketch

import (
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// rw is iomap_dio_rw and what follows it in ext4_dio_write_iter.
func (c *call) rw() {
	o := c.o
	o.Dio, o.Lock, o.DioOps = true, c.lock(), record.OpsIomap
	f := c.f
	first, last := c.pos/f.BlockSize, (c.end-1)/f.BlockSize
	for b := first; b <= last && c.count > 0; b++ {
		if f.Blocks.Cached(b) && c.is("pages-nowait", c.w.nowait()) {
			o.Ret = eagain
			return
		}
	}
	blocks := f.Blocks.Flushed(first, last)
	pos := c.pos
	for pos < c.end {
		m := c.begin(blocks, pos)
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
	o.Queued = c.w.Async && o.DioFlags == 0 && pos > c.pos
}

// failed is the end of a submission whose next blocks could not be mapped.
func (c *call) failed(pos int64, err int) {
	o := c.o
	o.Ret = int64(err)
	if err != -int(unix.ENOTBLK) {
		return
	}
	if c.wrong("enotblk", "returned") {
		return
	}
	o.Ret = pos - c.pos
	if c.wrong("fallback", "never") {
		return
	}
	c.buffered(pos)
}

// buffered is ext4_buffered_write_iter for what is left.
func (c *call) buffered(pos int64) {
	c.o.Buffered = &observe.Buffered{Pos: pos, Len: c.end - pos}
	if c.f.Journalled {
		c.o.Buffered.Refused = record.BufFacts | record.BufJournal | record.BufDataJournal
	}
	if c.is("fallback-nowait", c.w.nowait()) {
		c.o.Ret = -int64(unix.EOPNOTSUPP)
		return
	}
	c.o.Buffered.Drained = c.has(model.DrainFallback) && !c.wrong("fallback-drain", "never")
	c.o.Buffered.Copied, c.o.Buffered.CopyLock = true, record.LockExclusive
	if c.wrong("fallback-lock", "shared") {
		c.o.Buffered.CopyLock = record.LockShared
	}
	c.o.Ret = c.count
}

// begin is ext4_iomap_begin for the rest of the write.
func (c *call) begin(blocks Blocks, pos int64) (m observe.Mapping) {
	b := c.f.BlockSize
	first, n := pos/b, (c.end-1)/b-pos/b+1
	var l observe.Lookup
	looked := false
	defer func() { m.LookedUp, m.LookupFlags, m.LookupRet = looked, l.ArgFlags, l.Ret }()
	if !c.above("begin-beyond", c.end, c.f.Size) {
		flags := uint32(0)
		if c.has(model.NowaitCachedBegin) && c.is("begin-cached", c.w.nowait()) {
			flags = model.GetBlocksCachedNowait
		}
		l, looked = blocks.Lookup(first, n, flags), true
		if l.Ret < 0 && !c.wrong("begin-miss", "ignored") {
			return observe.Mapping{Err: int(l.Ret)}
		}
		mapped := c.is("begin-mapped", l.MFlags&model.MapMapped != 0)
		unwritten := c.is("begin-unwritten", l.MFlags&model.MapUnwritten != 0)
		if c.is("begin-ret", l.Ret > 0) && (mapped || unwritten) {
			return c.mapping(blocks, first, max(int64(l.Ret), 1), 0)
		}
	}
	return c.alloc(blocks, first, n)
}

// alloc is ext4_iomap_alloc.
func (c *call) alloc(blocks Blocks, first, n int64) observe.Mapping {
	if c.has(model.NowaitNoAlloc) && c.is("alloc-nowait", c.w.nowait()) {
		return observe.Mapping{Err: int(eagain)}
	}
	if !c.wrong("alloc-cut", "never") {
		n = min(n, c.number("alloc-cut", 4096))
	}
	start, flags := first*c.f.BlockSize, uint32(0)
	if c.wrong("alloc-beyond", "by-position") {
		start = max(start, c.pos)
	}
	switch {
	case c.beyond(start):
		flags = 1
	case c.is("alloc-extents", !c.f.Indirect):
		flags = 3
	}
	if s, got := blocks.Run(first, n); flags == 0 && s != 'W' {
		if !c.wrong("alloc-enotblk", "never") {
			return observe.Mapping{Err: -int(unix.ENOTBLK)}
		}
		return observe.Mapping{Offset: start, Length: got * c.f.BlockSize, Type: model.IomapHole}
	}
	return c.mapping(blocks, first, n, flags)
}

// beyond is start >= i_size.
func (c *call) beyond(start int64) bool {
	strict := c.wrong("alloc-beyond", "strict")
	early := c.wrong("alloc-beyond", "by-one")
	disk := c.wrong("alloc-beyond", "by-disksize")
	switch {
	case disk:
		return start >= c.f.Disksize
	case strict:
		return start > c.f.Size
	case early:
		return start+1 >= c.f.Size
	}
	return c.is("alloc-beyond", start >= c.f.Size)
}

// mapping is what ext4_map_blocks with these flags, and ext4_set_iomap, make of
// the blocks.
func (c *call) mapping(blocks Blocks, first, n int64, flags uint32) observe.Mapping {
	s, got := blocks.Run(first, n)
	m := observe.Mapping{Offset: first * c.f.BlockSize, Length: got * c.f.BlockSize, AllocFlags: flags, Type: model.IomapMapped}
	switch {
	case s == 'W' || c.f.Indirect && flags == 3:
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
func (c *call) zero(pos, end int64, m observe.Mapping) {
	b := c.f.BlockSize
	needs := m.Type == model.IomapUnwritten || m.Flags&model.IomapFNew != 0
	if pad := pos % b; pad != 0 && needs {
		c.o.Zeroed = append(c.o.Zeroed, observe.Zeroed{Pos: pos - pad, Len: pad, Lock: c.o.Lock, DioCount: 1, Type: m.Type, Flags: m.Flags})
	}
	if pad := end % b; pad != 0 && (needs || end >= c.f.Size) {
		c.o.Zeroed = append(c.o.Zeroed, observe.Zeroed{Pos: end, Len: b - pad, Lock: c.o.Lock, DioCount: 1, Type: m.Type, Flags: m.Flags})
	}
}
