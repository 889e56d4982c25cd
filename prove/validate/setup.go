package validate

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// errSkip is wrapped by a reason for which a scenario cannot be carried out.
var errSkip = errors.New("skipped")

// scratch is the file of a scenario while it is being carried out.
type scratch struct {
	bs       int64
	direct   int // descriptor with O_DIRECT
	buffered int // descriptor without
	id       FileID
	buf      *workload.Buffer
	// direct writes that were made and not yet taken from the tracer
	untaken int
	shadow  shadow.File
	fills   uint64 // writes for which bytes were made
}

// openScratch creates the file of a scenario.
func openScratch(d *workload.Dir, name string, bufSize int) (_ *scratch, err error) {
	f := &scratch{bs: int64(d.FS.BlockSize), direct: -1, buffered: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.direct, err = d.Create(name); err != nil {
		return nil, err
	}
	if f.buffered, err = d.Open(name, 0); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(f.direct, &st); err != nil {
		return nil, fmt.Errorf("find inode of %s: %w", name, err)
	}
	f.id = FileID{Dev: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev), Ino: st.Ino}
	if f.buf, err = workload.NewBuffer(bufSize); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *scratch) close() error {
	var errs []error
	for _, fd := range []int{f.direct, f.buffered} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	if f.buf != nil {
		errs = append(errs, f.buf.Close())
	}
	return errors.Join(errs...)
}

// apply carries out one setup operation.
func (f *scratch) apply(s *Setup) error {
	err := f.do(s)
	if err != nil && !errors.Is(err, errSkip) {
		return fmt.Errorf("set up %s: %w", s.Op, err)
	}
	return err
}

func (f *scratch) do(s *Setup) error {
	switch s.Op {
	case "fallocate":
		mode := uint32(0)
		if s.On {
			mode = unix.FALLOC_FL_KEEP_SIZE
		}
		if !s.On {
			f.shadow.Extend(s.Off + s.Len)
		}
		return unix.Fallocate(f.buffered, mode, s.Off, s.Len)
	case "punch":
		f.shadow.Punch(s.Off, s.Len)
		return unix.Fallocate(f.buffered, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, s.Off, s.Len)
	case "truncate":
		f.shadow.Truncate(s.Len)
		return unix.Ftruncate(f.buffered, s.Len)
	case "write":
		return f.writeDirect(s.Off, s.Len)
	case "prime":
		return f.writeDirect(s.Off, f.bs)
	case "buffered":
		return f.writeBuffered(s.Off, s.Len)
	case "read":
		return f.readBuffered(s.Off, s.Len)
	case "sync":
		return unix.Fsync(f.buffered)
	case "dropcache":
		return workload.SyncAndDrop(f.buffered)
	case "stale":
		return f.makeStale()
	case "chmod":
		return unix.Fchmod(f.buffered, s.Mode)
	case "immutable":
		if s.On {
			return workload.ChangeFlags(f.buffered, workload.FlagImmutable, 0)
		}
		return workload.ChangeFlags(f.buffered, 0, workload.FlagImmutable)
	case "noextents":
		if err := workload.ChangeFlags(f.buffered, 0, workload.FlagExtents); err != nil {
			return fmt.Errorf("make the inode one without extents: %w: %w", errSkip, err)
		}
		return nil
	case "layout":
		return f.checkLayout(s.Layout)
	case "forget":
		return f.forget()
	case "journalled":
		return f.journal()
	}
	return errors.New("unknown operation")
}

// clearESCache is EXT4_IOC_CLEAR_ES_CACHE, _IO('f', 40), of ext4's ioctl numbers
// (Linux 5.4 and later). x/sys does not have it.
const clearESCache = 'f'<<8 | 40

// forget clears the extent-status cache of the inode. What has to stay in it,
// such as delayed blocks, stays.
func (f *scratch) forget() error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(f.buffered), clearESCache, 0)
	switch errno {
	case 0:
		return nil
	case unix.ENOTTY, unix.EOPNOTSUPP:
		return fmt.Errorf("clear the extent-status cache: %w: %w", errSkip, errno)
	}
	return errno
}

// journalData is EXT4_JOURNAL_DATA_FL (chattr +j).
const journalData = 0x4000

// journal has the data of the inode go through the journal, so that ext4 takes no
// direct I/O to it. That is possible without delayed allocation only.
func (f *scratch) journal() error {
	if err := workload.ChangeFlags(f.buffered, journalData, 0); err != nil {
		return fmt.Errorf("journal the data of the inode: %w: %w", errSkip, err)
	}
	var sx unix.Statx_t
	err := unix.Statx(f.buffered, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &sx)
	if err != nil || sx.Mask&unix.STATX_DIOALIGN == 0 || sx.Dio_offset_align != 0 {
		return fmt.Errorf("%w: the file system journals no data of single inodes", errSkip)
	}
	return nil
}

// fill makes the bytes of one more write.
func (f *scratch) fill(b []byte, off int64) {
	f.fills++
	shadow.Fill(b, f.fills, off)
}

// writeDirect writes with O_DIRECT and waits; the tracer will see it.
func (f *scratch) writeDirect(off, n int64) error {
	for n > 0 {
		chunk := f.buf.Bytes()[:min(n, int64(len(f.buf.Bytes())))]
		f.fill(chunk, off)
		w, err := unix.Pwrite(f.direct, chunk, off)
		f.untaken++
		if err != nil {
			return err
		}
		if w == 0 {
			return errors.New("nothing written")
		}
		f.shadow.Write(off, chunk[:w])
		off, n = off+int64(w), n-int64(w)
	}
	return nil
}

// writeBuffered writes through the page cache.
func (f *scratch) writeBuffered(off, n int64) error {
	b := make([]byte, n)
	f.fill(b, off)
	for len(b) > 0 {
		w, err := unix.Pwrite(f.buffered, b, off)
		if err != nil {
			return err
		}
		f.shadow.Write(off, b[:w])
		b, off = b[w:], off+int64(w)
	}
	return nil
}

// makeStale sets the modification time to the distant past, so that the next
// write has to update it.
func (f *scratch) makeStale() error {
	past := unix.NsecToTimeval(1e9)
	return unix.Futimes(f.buffered, []unix.Timeval{past, past})
}

func (f *scratch) readBuffered(off, n int64) error {
	b := make([]byte, n)
	got, err := unix.Pread(f.buffered, b, off)
	if err != nil {
		return err
	}
	if int64(got) != n {
		return fmt.Errorf("read %d of %d bytes", got, n)
	}
	return nil
}

// checkLayout compares the blocks from the start of the file with the runs that
// the scenario counts on. A run must also lie in one piece on the device, as
// lookups end where it does not. When the allocator made it otherwise the
// scenario cannot be judged.
func (f *scratch) checkLayout(runs []Run) error {
	exts, err := workload.Extents(f.buffered)
	if err != nil {
		return err
	}
	got := layoutOf(exts, f.bs)
	var want strings.Builder
	for _, r := range runs {
		if r.State == workload.Hole {
			fmt.Fprintf(&want, "H%d ", r.Blocks)
		} else {
			fmt.Fprintf(&want, "%c%d ", r.State, r.Blocks)
		}
	}
	if !strings.HasPrefix(got+" ", want.String()) {
		return fmt.Errorf("%w: the file's blocks are %s, not %s", errSkip, got, strings.TrimSpace(want.String()))
	}
	return nil
}

// layoutOf writes extents as runs of blocks; runs of one state that are apart on
// the device stay apart. What follows the last extent is a hole of any length.
func layoutOf(exts []workload.Extent, bs int64) string {
	type piece struct {
		Run
		next int64 // where on the device it would go on
	}
	var out []piece
	pos := int64(0)
	for _, e := range exts {
		if e.Start > pos {
			out = append(out, piece{Run: Run{workload.Hole, (e.Start - pos) / bs}})
		}
		n, last := e.Len/bs, len(out)-1
		if last >= 0 && out[last].State == e.State && out[last].next == e.Physical && e.Physical != 0 {
			out[last].Blocks += n
			out[last].next = e.Physical + e.Len
		} else {
			out = append(out, piece{Run{e.State, n}, e.Physical + e.Len})
		}
		pos = e.Start + e.Len
	}
	var parts []string
	for _, p := range out {
		parts = append(parts, fmt.Sprintf("%c%d", p.State, p.Blocks))
	}
	return strings.Join(parts, " ")
}
