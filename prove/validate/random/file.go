package random

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// file is the file of a case while it is carried out, and what is known of it.
type file struct {
	r        *runner
	c        *Case
	bs       int64
	direct   int // descriptor with O_DIRECT
	buffered int // descriptor without
	id       validate.FileID
	shadow   shadow.File
	bytesBad []string // what the bytes oracle found on the way

	indirect bool
	nosec    model.Answer
	// diskLags says that a buffered write was not synced since: writeback will move
	// i_disksize at any time.
	diskLags bool
	// worker says that a task of io_uring made the last write: its completion can
	// come before that task gives i_rwsem back.
	worker  bool
	touched bool           // pages may be in the page cache
	dirty   map[int64]bool // blocks with pages that were not written back by us
}

// made is one direct write that was made.
type made struct {
	step   int
	before before
	res    workload.Result
	after  string // blocks, when something was written
}

// before is what was known of the file right before a write.
type before struct {
	size     int64
	extents  []workload.Extent
	indirect bool
	nosec    model.Answer
	cached   model.Answer
	diskLags bool
	worker   bool
	dirty    map[int64]bool
}

func (r *runner) openFile(c *Case, name string) (_ *file, err error) {
	f := &file{r: r, c: c, bs: int64(r.dir.FS.BlockSize), direct: -1, buffered: -1, nosec: model.No, dirty: map[int64]bool{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.direct, err = r.dir.Create(name); err != nil {
		return nil, err
	}
	if f.buffered, err = r.dir.Open(name, 0); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(f.direct, &st); err != nil {
		return nil, fmt.Errorf("find inode of %s: %w", name, err)
	}
	f.id = validate.FileID{Dev: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev), Ino: st.Ino}
	// Reading ahead would put pages into the page cache later on.
	if err := unix.Fadvise(f.buffered, 0, 0, unix.FADV_RANDOM); err != nil {
		return nil, fmt.Errorf("turn off readahead: %w", err)
	}
	return f, f.readFlags()
}

func (f *file) readFlags() error {
	flags, err := unix.IoctlGetUint32(f.buffered, unix.FS_IOC_GETFLAGS)
	if err != nil {
		return fmt.Errorf("read inode flags: %w", err)
	}
	f.indirect = flags&workload.FlagExtents == 0
	return nil
}

func (f *file) close() error {
	var errs []error
	for _, fd := range []int{f.direct, f.buffered} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

// apply does a step that is no direct write. What the file system does not offer
// is left out.
func (f *file) apply(i int) error {
	s := &f.c.Steps[i]
	err := f.do(s, i)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("step %d, %s: %w", i+1, s, err)
	}
	return nil
}

func (f *file) do(s *Step, i int) error {
	switch s.Op {
	case NoExtents:
		// Not offered with bigalloc and others; the file then has extents.
		_ = workload.ChangeFlags(f.buffered, 0, workload.FlagExtents)
		return f.readFlags()
	case Fallocate:
		f.leaveEnd(s.Off + s.Len)
		return f.fallocate(0, s, func() { f.shadow.Extend(s.Off + s.Len) })
	case KeepSize:
		return f.fallocate(unix.FALLOC_FL_KEEP_SIZE, s, func() {})
	case Punch:
		if (s.Off|s.Len)%f.bs != 0 {
			f.touched = true // the rest of a block is zeroed there
		}
		return f.fallocate(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, s, func() {
			f.clean(s.Off/f.bs, (s.Off+s.Len-1)/f.bs)
			f.shadow.Punch(s.Off, s.Len)
		})
	case Truncate:
		f.touched = true // the rest of a block is zeroed there
		f.clean((s.Len+f.bs-1)/f.bs, math.MaxInt64)
		f.shadow.Truncate(s.Len)
		return unix.Ftruncate(f.buffered, s.Len)
	case Buffered:
		return f.writeBuffered(s, i)
	case Read:
		f.touched = true
		_, err := unix.Pread(f.buffered, make([]byte, s.Len), s.Off)
		return err
	case Sync:
		f.synced()
		return unix.Fsync(f.buffered)
	case Drop:
		f.synced()
		return workload.SyncAndDrop(f.buffered)
	case Unprime:
		if err := unix.Fchmod(f.buffered, 0o4600); err != nil {
			return err
		}
		f.nosec = model.No
		return unix.Fchmod(f.buffered, 0o600)
	}
	return fmt.Errorf("unknown step %d", s.Op)
}

func (f *file) synced() {
	f.diskLags = false
	clear(f.dirty)
}

// clean notes that the pages of some blocks were thrown away.
func (f *file) clean(first, last int64) {
	for b := range f.dirty {
		if b >= first && b <= last {
			delete(f.dirty, b)
		}
	}
}

// leaveEnd notes that the file may get longer than it was. Where it ended inside a
// block, newer kernels zero the rest of that block in the page cache then.
func (f *file) leaveEnd(end int64) {
	if size := f.shadow.Size(); end > size && size%f.bs != 0 {
		f.touched = true
	}
}

// fallocate sets S_NOSEC, as all do that modify a file. A hole behind i_size is
// none on some kernels, which then return before that; and one that refuses because
// of what the inode is may do so before that, or after it.
func (f *file) fallocate(mode uint32, s *Step, done func()) error {
	err := unix.Fallocate(f.buffered, mode, s.Off, s.Len)
	switch {
	case err != nil && f.nosec == model.No:
		f.nosec = model.Unknown
	case err != nil:
	case s.Op != Punch || s.Off < f.shadow.Size():
		f.nosec = model.Yes
	case f.nosec == model.No:
		f.nosec = model.Unknown
	}
	if err != nil {
		return err
	}
	done()
	return nil
}

// cached notes that a write went through the page cache, and is not written back.
func (f *file) cached(off, n int64) {
	f.touched, f.diskLags = true, true
	for b := off / f.bs; b <= (off+n-1)/f.bs; b++ {
		f.dirty[b] = true
	}
}

func (f *file) writeBuffered(s *Step, i int) error {
	data := make([]byte, s.Len)
	f.c.fill(data, i, s.Off)
	n, err := unix.Pwrite(f.buffered, data, s.Off)
	if err != nil {
		return err
	}
	f.nosec = model.Yes
	f.cached(s.Off, s.Len)
	f.shadow.Write(s.Off, data[:n])
	return nil
}

// write makes the direct write of step i.
func (f *file) write(i int, rep *Report) (*made, error) {
	s := &f.c.Steps[i]
	e, name, err := f.r.engine(s.Engine)
	if err != nil {
		return nil, err
	}
	mem, err := memory(&f.r.buf, int64(s.Buf)+s.Len)
	if err != nil {
		return nil, err
	}
	data := mem[s.Buf : int64(s.Buf)+s.Len]
	f.c.fill(data, i, s.Off)
	m := &made{step: i}
	if m.before, err = f.look(s); err != nil {
		return nil, err
	}
	req := workload.Request{Fd: f.direct, Pos: s.Off, Flags: s.Flags}
	at := 0
	for _, n := range s.Segs {
		req.Segs = append(req.Segs, data[at:at+n:at+n])
		at += n
	}
	reqs := []workload.Request{req}
	if s.Fresh {
		if err := f.freshen(); err != nil {
			return nil, err
		}
	}
	results, err := e.Do(reqs)
	if err != nil {
		return nil, fmt.Errorf("step %d, %s: %w", i+1, s, err)
	}
	m.res = results[0]
	rep.Engines[name]++
	f.worker = name.Retries()
	return m, f.after(s, data, m)
}

// freshen sets the timestamps to the kernel's now, which a number of ours is not.
func (f *file) freshen() error {
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(f.buffered), 0, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("set timestamps to now: %w", errno)
	}
	return nil
}

// look takes down what is known before a write.
func (f *file) look(s *Step) (b before, err error) {
	b = before{indirect: f.indirect, nosec: f.nosec, diskLags: f.diskLags, worker: f.worker, cached: model.No}
	if b.size, err = unix.Seek(f.buffered, 0, unix.SEEK_END); err != nil {
		return b, fmt.Errorf("read i_size: %w", err)
	}
	// Reading the extents fills the extent-status tree; what it then says is what
	// the write will find.
	for range 2 {
		if b.extents, err = workload.Extents(f.buffered); err != nil {
			return b, err
		}
	}
	if len(f.dirty) > 0 {
		b.dirty = map[int64]bool{}
		for n := range f.dirty {
			b.dirty[n] = true
		}
	}
	if f.touched || f.indirect {
		b.cached = model.Unknown
		if s.Flags&unix.RWF_NOWAIT != 0 || s.Engine.Retries() {
			pos := s.Off
			if s.Flags&unix.RWF_APPEND != 0 {
				pos = b.size
			}
			b.cached, err = f.resident(pos, s.Len)
		}
	}
	return b, err
}

// resident is yes when a page of the range is in the page cache and up to date. No
// other answer is certain.
func (f *file) resident(off, n int64) (model.Answer, error) {
	page := int64(unix.Getpagesize())
	from := off / page * page
	size := int(off + n - from)
	m, err := unix.Mmap(f.buffered, from, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return model.Unknown, fmt.Errorf("map file: %w", err)
	}
	defer func() { _ = unix.Munmap(m) }()
	vec := make([]byte, (int64(size)+page-1)/page)
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(size), uintptr(unsafe.Pointer(&vec[0])))
	if errno != 0 {
		return model.Unknown, fmt.Errorf("read cached pages: %w", errno)
	}
	for _, v := range vec {
		if v&1 != 0 {
			return model.Yes, nil
		}
	}
	return model.Unknown, nil
}

// mapped takes down the layout after a write of n bytes at pos, in which each of its
// blocks must have been written, or be about to be where the page cache took it.
func (f *file) mapped(m *made, pos, n int64) error {
	exts, err := workload.Extents(f.buffered)
	if err != nil {
		return err
	}
	m.after = layoutText(exts, f.bs)
	at := pos / f.bs * f.bs
	for _, e := range exts {
		if e.Start+e.Len <= at {
			continue
		}
		if e.Start > at || e.State == workload.Unwritten {
			break
		}
		at = e.Start + e.Len
	}
	if at < pos+n {
		f.bytesBad = append(f.bytesBad, fmt.Sprintf("block %d is not written after step %d, which wrote %d bytes at %d; the blocks are %s",
			at/f.bs, m.step+1, n, pos, m.after))
	}
	return nil
}

// after brings what is known up to date with the result of a write.
func (f *file) after(s *Step, data []byte, m *made) error {
	pos := s.Off
	if s.Flags&unix.RWF_APPEND != 0 {
		pos = f.shadow.Size()
	}
	n := m.res.N
	if m.res.Err != nil {
		n = 0
	}
	if pos > f.shadow.Size() {
		f.leaveEnd(pos)
	}
	if n > 0 {
		f.shadow.Write(pos, data[:n])
		if f.r.dir.FS.NoDirect || (pos|s.Len)%int64(f.r.dir.FS.Sector) != 0 {
			f.cached(pos, int64(n))
		} else if err := f.mapped(m, pos, int64(n)); err != nil {
			return err
		}
	}
	switch {
	case n > 0:
		f.nosec = model.Yes
	case f.nosec == model.No:
		f.nosec = model.Unknown
	}
	if n == len(data) {
		return nil
	}
	return f.settle(pos+int64(n), data[n:])
}
