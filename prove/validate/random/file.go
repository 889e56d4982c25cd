package random

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// file is the file of a case while it is carried out, and what is known of it.
type file struct {
	*trial.File
	r        *runner
	c        *Case
	bs       int64
	bytesBad []string // what the bytes oracle found on the way

	state
	touched bool // pages may be in the page cache
}

// state is what is known of a file beside its blocks and i_size.
type state struct {
	indirect bool
	nosec    model.Answer
	// diskLags says that a buffered write was not synced since: writeback will move
	// i_disksize at any time.
	diskLags bool
	// worker says that a task of io_uring made the last write: its completion can
	// come before that task gives i_rwsem back.
	worker bool
	dirty  map[int64]bool // blocks with pages that were not written back by us
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
	state
	size    int64
	extents []workload.Extent
	cached  model.Answer // whether its pages are in the page cache
}

func (r *runner) openFile(c *Case, name string) (*file, error) {
	t, err := trial.Create(r.dir, name)
	if err != nil {
		return nil, err
	}
	f := &file{File: t, r: r, c: c, bs: int64(r.dir.FS.BlockSize), state: state{nosec: model.No, dirty: map[int64]bool{}}}
	// Reading ahead would put pages into the page cache later on.
	if err := unix.Fadvise(f.Buffered, 0, 0, unix.FADV_RANDOM); err != nil {
		return nil, errors.Join(fmt.Errorf("turn off readahead: %w", err), f.Close())
	}
	if err := f.readFlags(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *file) readFlags() error {
	flags, err := workload.InodeFlags(f.Buffered)
	f.indirect = flags&workload.FlagExtents == 0
	return err
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
		_ = workload.ChangeFlags(f.Buffered, 0, workload.FlagExtents)
		return f.readFlags()
	case Fallocate:
		f.leaveEnd(s.Off + s.Len)
		return f.modified(s, f.Fallocate(s.Off, s.Len))
	case KeepSize:
		return f.modified(s, f.Allocate(s.Off, s.Len))
	case Punch:
		if (s.Off|s.Len)%f.bs != 0 {
			f.touched = true // the rest of a block is zeroed there
		}
		err := f.Punch(s.Off, s.Len)
		if err == nil {
			f.clean(s.Off/f.bs, (s.Off+s.Len-1)/f.bs)
		}
		return f.modified(s, err)
	case Truncate:
		f.touched = true // the rest of a block is zeroed there
		f.clean((s.Len+f.bs-1)/f.bs, math.MaxInt64)
		return f.Truncate(s.Len)
	case Buffered:
		return f.writeBuffered(s, i)
	case Read:
		f.touched = true
		_, err := unix.Pread(f.Buffered, make([]byte, s.Len), s.Off)
		return err
	case Sync:
		f.synced()
		return unix.Fsync(f.Buffered)
	case Drop:
		f.synced()
		return workload.SyncAndDrop(f.Buffered)
	case Unprime:
		if err := unix.Fchmod(f.Buffered, 0o4600); err != nil {
			return err
		}
		f.nosec = model.No
		return unix.Fchmod(f.Buffered, 0o600)
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
	if size := f.Shadow.Size(); end > size && size%f.bs != 0 {
		f.touched = true
	}
}

// modified notes what a fallocate left, and returns its error. It sets S_NOSEC, as all do
// that modify a file. A hole behind i_size is none on some kernels, which then return
// before that; and one that refuses because of what the inode is may do so before that,
// or after it.
func (f *file) modified(s *Step, err error) error {
	switch {
	case err == nil && (s.Op != Punch || s.Off < f.Shadow.Size()):
		f.nosec = model.Yes
	case f.nosec == model.No:
		f.nosec = model.Unknown
	}
	return err
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
	if err := f.WriteBuffered(s.Off, data); err != nil {
		return err
	}
	f.nosec = model.Yes
	f.cached(s.Off, s.Len)
	return nil
}

// write makes the direct write of step i.
func (f *file) write(i int, rep *Report) (*made, error) {
	s := &f.c.Steps[i]
	e, name, err := f.r.engine(s.Engine)
	if err != nil {
		return nil, err
	}
	mem, err := f.r.buf.Bytes(int64(s.Buf) + s.Len)
	if err != nil {
		return nil, err
	}
	data := mem[s.Buf : int64(s.Buf)+s.Len]
	f.c.fill(data, i, s.Off)
	m := &made{step: i}
	if m.before, err = f.look(s); err != nil {
		return nil, err
	}
	reqs := []workload.Request{{Fd: f.Direct, Pos: s.Off, Segs: workload.Cut(data, s.Segs), Flags: s.Flags}}
	if s.Fresh {
		if err := f.Touch(); err != nil {
			return nil, fmt.Errorf("set timestamps to now: %w", err)
		}
	}
	results, err := e.Do(reqs)
	if err != nil {
		return nil, fmt.Errorf("step %d, %s: %w", i+1, s, err)
	}
	m.res = results[0]
	if err := trial.DiskError(m.res.Err); err != nil {
		return nil, fmt.Errorf("step %d, %s: %w", i+1, s, err)
	}
	rep.Engines[name]++
	f.worker = name.Retries()
	return m, f.after(s, data, m)
}

// look takes down what is known before a write.
func (f *file) look(s *Step) (b before, err error) {
	b = before{state: f.state, cached: model.No}
	if b.size, err = f.Size(); err != nil {
		return b, err
	}
	// Reading the extents fills the extent-status tree; what it then says is what
	// the write will find.
	for range 2 {
		if b.extents, err = workload.Extents(f.Buffered); err != nil {
			return b, err
		}
	}
	b.dirty = maps.Clone(f.dirty)
	if f.touched || f.indirect {
		b.cached = model.Unknown
		if s.Flags&unix.RWF_NOWAIT != 0 || s.Engine.Retries() {
			b.cached, err = f.resident(s.at(b.size), s.Len)
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
	m, err := unix.Mmap(f.Buffered, from, size, unix.PROT_READ, unix.MAP_SHARED)
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
	exts, err := workload.Extents(f.Buffered)
	if err != nil {
		return err
	}
	m.after = trial.Layout(exts, f.bs, false).String()
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
	pos := s.at(f.Shadow.Size())
	n := m.res.N
	if m.res.Err != nil {
		n = 0
	}
	if pos > f.Shadow.Size() {
		f.leaveEnd(pos)
	}
	if n > 0 {
		f.Shadow.Write(pos, data[:n])
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

// settle reads what became of a write that failed or fell short.
func (f *file) settle(pos int64, data []byte) error {
	size := f.Shadow.Size()
	if pos >= size {
		return nil
	}
	end := min(pos+int64(len(data)), size)
	from := pos / f.bs * f.bs
	got, err := f.ReadAt(from, (end-from+f.bs-1)/f.bs*f.bs)
	if err != nil {
		return err
	}
	f.Shadow.Maybe(pos, data)
	if err := f.Shadow.Settle(from, got); err != nil {
		f.bytesBad = append(f.bytesBad, err.Error())
	}
	return nil
}
