package validate

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// errSkip is wrapped by a reason for which a scenario cannot be carried out.
var errSkip = errors.New("skipped")

// scratch is the file of a scenario while it is being carried out.
type scratch struct {
	*trial.File
	bs  int64
	buf workload.GrowingBuffer // to write from
	// direct writes that were made and not yet taken from the tracer
	untaken int
	fills   uint64 // writes for which bytes were made
}

// openScratch creates the file of a scenario.
func openScratch(d *workload.Dir, name string) (*scratch, error) {
	f, err := trial.Create(d, name)
	if err != nil {
		return nil, err
	}
	return &scratch{File: f, bs: int64(d.FS.BlockSize)}, nil
}

func (f *scratch) close() error { return errors.Join(f.Close(), f.buf.Close()) }

// apply carries out one setup operation.
func (f *scratch) apply(s *Setup) error {
	err := setupOps[s.Op].do(f, s)
	if err != nil && !errors.Is(err, errSkip) {
		return fmt.Errorf("set up %s: %w", s.Op, err)
	}
	return err
}

func (f *scratch) allocate(s *Setup) error {
	if s.On {
		return f.Allocate(s.Off, s.Len)
	}
	return f.Fallocate(s.Off, s.Len)
}

func (f *scratch) setImmutable(s *Setup) error {
	if s.On {
		return workload.ChangeFlags(f.Buffered, workload.FlagImmutable, 0)
	}
	return workload.ChangeFlags(f.Buffered, 0, workload.FlagImmutable)
}

func (f *scratch) clearExtents(*Setup) error {
	if err := workload.ChangeFlags(f.Buffered, 0, workload.FlagExtents); err != nil {
		return fmt.Errorf("make the inode one without extents: %w: %w", errSkip, err)
	}
	return nil
}

// clearESCache is EXT4_IOC_CLEAR_ES_CACHE, _IO('f', 40), of ext4's ioctl numbers
// (Linux 5.4 and later). x/sys does not have it.
const clearESCache = 'f'<<8 | 40

// forget clears the extent-status cache of the inode. What has to stay in it,
// such as delayed blocks, stays.
func (f *scratch) forget(*Setup) error {
	err := unix.IoctlSetInt(f.Buffered, clearESCache, 0)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("clear the extent-status cache: %w: %w", errSkip, err)
	}
	return err
}

// journal has the data of the inode go through the journal, so that ext4 takes no
// direct I/O to it. That is possible without delayed allocation only.
func (f *scratch) journal(*Setup) error {
	if err := workload.ChangeFlags(f.Buffered, workload.FlagJournal, 0); err != nil {
		return fmt.Errorf("journal the data of the inode: %w: %w", errSkip, err)
	}
	var sx unix.Statx_t
	err := unix.Statx(f.Buffered, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &sx)
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
	const most = 1 << 20 // of one write, bytes
	mem, err := f.buf.Bytes(most)
	if err != nil {
		return err
	}
	for n > 0 {
		chunk := mem[:min(n, most)]
		f.fill(chunk, off)
		w, err := unix.Pwrite(f.Direct, chunk, off)
		f.untaken++
		if err != nil {
			return err
		}
		if w == 0 {
			return errors.New("nothing written")
		}
		f.Shadow.Write(off, chunk[:w])
		off, n = off+int64(w), n-int64(w)
	}
	return nil
}

// makeStale sets the modification time to the distant past, so that the next
// write has to update it.
func (f *scratch) makeStale(*Setup) error {
	past := unix.NsecToTimeval(1e9)
	return unix.Futimes(f.Buffered, []unix.Timeval{past, past})
}

func (f *scratch) writeBuffered(s *Setup) error {
	data := make([]byte, s.Len)
	f.fill(data, s.Off)
	return f.WriteBuffered(s.Off, data)
}

func (f *scratch) readBuffered(s *Setup) error {
	got, err := unix.Pread(f.Buffered, make([]byte, s.Len), s.Off)
	if err == nil && int64(got) != s.Len {
		err = fmt.Errorf("read %d of %d bytes", got, s.Len)
	}
	return err
}

// checkLayout compares the blocks from the start of the file with the runs that
// the scenario counts on. A run must also lie in one piece on the device, as
// lookups end where it does not. When the allocator made it otherwise the
// scenario cannot be judged.
func (f *scratch) checkLayout(s *Setup) error {
	exts, err := workload.Extents(f.Buffered)
	if err != nil {
		return err
	}
	got := layoutOf(exts, f.bs)
	var want strings.Builder
	for _, r := range s.Layout {
		fmt.Fprintf(&want, "%c%d ", r.State, r.Blocks)
	}
	if !strings.HasPrefix(got+" ", want.String()) {
		return fmt.Errorf("%w: the file's blocks are %s, not %s", errSkip, got, strings.TrimSpace(want.String()))
	}
	return nil
}

// layoutOf writes extents as runs of blocks; runs of one state that are apart on
// the device stay apart. What follows the last extent is a hole of any length.
func layoutOf(exts []workload.Extent, bs int64) string {
	var runs model.Extents
	for _, e := range trial.Layout(exts, bs, false) {
		if n := len(runs); n > 0 && runs[n-1].State == e.State && e.State != model.Delayed && !e.Apart {
			runs[n-1].Len += e.Len
			continue
		}
		runs = append(runs, e)
	}
	var parts []string
	for _, r := range runs {
		parts = append(parts, fmt.Sprintf("%c%d", r.State.Letter(), r.Len))
	}
	return strings.Join(parts, " ")
}

// wrote brings the shadow up to date with what became of a judged write. data is
// what it was to write.
func (f *scratch) wrote(w *Write, data []byte, out workload.Result) {
	pos := w.Pos
	if w.Flags&unix.RWF_APPEND != 0 {
		pos = f.Shadow.Size()
	}
	n := max(out.Ret(), 0)
	if n > 0 {
		f.Shadow.Write(pos, data[:n])
	}
	f.Shadow.Maybe(pos+n, data[n:])
}

// compare compares the file with what it has to hold. It names the differences, and
// where there are some the blocks.
func (f *scratch) compare() ([]string, error) {
	out, err := f.ReadBack()
	if err == nil && len(out) > 0 {
		if exts, err := workload.Extents(f.Buffered); err == nil {
			out = append(out, "blocks: "+layoutOf(exts, f.bs))
		}
	}
	return out, err
}
