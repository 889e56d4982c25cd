package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// flushEvery is how much a killed recording loses at most.
const flushEvery = time.Second

// RecorderOptions say where to record to, and what a trace tells of itself.
type RecorderOptions struct {
	Path     string             // "-" is standard output
	MaxSize  int64              // bytes of a file; 0: no limit
	Rotate   int                // files to keep beside the current one, with MaxSize only
	HostName bool               // the trace has the name of this machine
	Tool     string             // version of this program
	Command  []string           // command line of the recording
	Redact   tracefile.Redactor // takes names out; nil for none
	Marks    *Marks             // that come while it is recorded; nil for none
}

// Recorder writes a trace file. It belongs to one goroutine.
type Recorder struct {
	opts     RecorderOptions
	out      *os.File
	excluded string // see tracefile.Info.Excluded
	info     *tracefile.Info
	w        *tracefile.Writer
	names    *fileNames
	later    []ext4fs.Mount // mounted after it began, not written yet
	flushed  time.Time
	isNew    bool // the file was not there before
	aside    bool // begun on the screen, while other things go on
	full     bool // the size limit is reached
	marked   int  // marks of opts that are recorded
	last     *reading
	base     record.Losses // what was counted before it began; not in the file

	records, writes uint64 // of the parts before
	size            int64
	parts           int
}

// NewRecorder opens the file, before anything is attached. When it lies on a file system
// that is traced, the filter leaves out our own writes. The error is one of usage.
func NewRecorder(o RecorderOptions, filter *probes.Filter) (*Recorder, error) {
	r := &Recorder{opts: o, out: os.Stdout, parts: 1}
	if o.Path == "-" {
		return r, nil
	}
	var err error
	if r.out, r.isNew, err = createTrace(o.Path); err != nil {
		return nil, err
	}
	r.excluded = excludeSelf(r.out, filter)
	return r, nil
}

// Excluded says why our own writes are left out, or why they need not be; empty when the
// file does not lie on a file system that is traced.
func (r *Recorder) Excluded() string { return r.excluded }

// createTrace opens the file, and says whether it is a new one. What is in an older one
// stays until begin. It never writes to a block device.
func createTrace(path string) (f *os.File, isNew bool, err error) {
	if st, err := os.Stat(path); err == nil && st.Mode()&os.ModeDevice != 0 && st.Mode()&os.ModeCharDevice == 0 {
		return nil, false, hint.Usagef("-o FILE", "%s is a block device", path)
	}
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if isNew = err == nil; errors.Is(err, os.ErrExist) {
		f, err = os.OpenFile(path, os.O_WRONLY, 0o644)
	}
	if err != nil {
		return nil, false, hint.Usagef("", "cannot record: %v", err)
	}
	return f, isNew, nil
}

// excludeSelf leaves out the writes of this process where the trace lies on a file
// system that may be traced, and says so. They are no direct writes; if ever they
// become such, tracing them would make more of them.
func excludeSelf(f *os.File, filter *probes.Filter) string {
	var fsInfo unix.Statfs_t
	var st unix.Stat_t
	fd := int(f.Fd())
	if unix.Fstatfs(fd, &fsInfo) != nil || unix.Fstat(fd, &st) != nil || fsInfo.Type != unix.EXT4_SUPER_MAGIC || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return ""
	}
	dev := export.KernelDev(st.Dev)
	if filter.Dev != 0 && filter.Dev != dev {
		return ""
	}
	filter.ExcludePid = uint32(os.Getpid())
	return fmt.Sprintf("lies on an ext4 that is traced (%s): the writes of this process (%d) are excluded", export.DevName(dev), filter.ExcludePid)
}

// Begin writes what the trace says about itself. The first write could be seen at start,
// ns of CLOCK_MONOTONIC; the variant is the one that was asked for.
func (r *Recorder) Begin(k *Kernel, start uint64, variant string, names *Names) error {
	var err error
	if r.info, err = describe(k, start, &r.opts); err != nil {
		return err
	}
	r.info.Variant, r.info.Excluded = variant, r.excluded
	if r.opts.Path != "-" {
		if err := r.out.Truncate(0); err != nil && !errors.Is(err, syscall.EINVAL) { // no pipe
			return fmt.Errorf("empty %s: %w", r.opts.Path, err)
		}
	}
	r.names = newFileNames(names, r.mounted)
	r.flushed = time.Now()
	if r.w, err = tracefile.NewRedactedWriter(r.out, r.info, r.opts.Redact); err == nil {
		err = r.putLastMarks()
	}
	return r.failed(err)
}

// batch takes records, with what was lost until now. It is called a few times a second
// at least, with an empty batch when nothing happens.
func (r *Recorder) batch(b *batch, lost *reading) error {
	lost = r.since(lost)
	err := cmp.Or(r.mark(lost), r.putMarks())
	l := &lost.losses
	r.names.names.Look()
	b.each(func(raw []byte) {
		if err == nil && !r.names.see(raw, r.w) {
			err = r.w.Append(raw, l)
		}
	})
	if len(r.later) > 0 && err == nil {
		err = r.w.Mounts(r.later)
		r.later = nil
	}
	if now := time.Now(); err == nil && now.Sub(r.flushed) >= flushEvery {
		r.flushed = now
		err = r.w.Flush(l)
	}
	if err == nil && r.opts.MaxSize > 0 && r.w.Whole() >= r.opts.MaxSize {
		err = r.limit(l)
	}
	return r.failed(err)
}

// since is what was lost since the recording began.
func (r *Recorder) since(all *reading) *reading {
	if r.base == (record.Losses{}) {
		return all
	}
	return &reading{losses: all.losses.Since(r.base), from: all.from, to: all.to}
}

// mark puts the readings between which a probe inside writes was skipped into chunks of
// their own, so that a reader knows which writes are in doubt.
func (r *Recorder) mark(now *reading) error {
	before := r.last
	r.last = now
	if before != nil && now.losses.MissedInner > before.losses.MissedInner {
		if err := r.w.Mark(&before.losses); err != nil {
			return err
		}
		r.w.LossesRead(now.from, now.to)
		return r.w.Mark(&now.losses)
	}
	r.w.LossesRead(now.from, now.to)
	return nil
}

// limit goes on in a new file, or says that it is enough.
func (r *Recorder) limit(l *record.Losses) error {
	if r.opts.Rotate == 0 {
		r.full = true
		return nil
	}
	path := r.opts.Path
	for i := r.opts.Rotate; i > 0; i-- {
		from := path
		if i > 1 {
			from = fmt.Sprintf("%s.%d", path, i-1)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", path, i)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("rotate trace: %w", err)
		}
	}
	out, _, err := createTrace(path)
	if err != nil {
		return err
	}
	next, err := r.w.Next(out, r.info, l)
	if err != nil {
		return errors.Join(err, out.Close())
	}
	r.count(r.w)
	if err := r.out.Close(); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	r.out, r.w = out, next
	r.names.again(next)
	r.parts++
	return r.putLastMarks()
}

// count adds up what was written by a Writer.
func (r *Recorder) count(w *tracefile.Writer) {
	records, writes := w.Written()
	r.records, r.writes, r.size = r.records+records, r.writes+writes, r.size+w.Whole()
}

// end writes the last records and the end mark.
func (r *Recorder) end(lost *reading) error {
	if r.w == nil {
		return nil
	}
	lost = r.since(lost)
	err := r.failed(errors.Join(r.mark(lost), r.putMarks(), r.w.Close(&lost.losses)))
	r.count(r.w)
	r.w = nil
	return errors.Join(err, r.Close())
}

// Close closes the file, and removes it when it is a new one to which nothing came. It may
// be called twice.
func (r *Recorder) Close() error {
	if r.out == nil || r.out == os.Stdout {
		return nil
	}
	if r.isNew && r.info == nil {
		_ = os.Remove(r.opts.Path) // an empty file is no harm
	}
	err := r.out.Close()
	r.out = nil
	if err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	return nil
}

// failed says what a failed write means: what is whole is kept, the torn end cut off.
func (r *Recorder) failed(err error) error {
	if err == nil || r.w == nil || r.opts.Path == "-" {
		return err
	}
	if errors.Is(r.out.Truncate(r.w.Whole()), syscall.EINVAL) {
		return err // a pipe
	}
	writes, bytes := r.Written()
	msg := fmt.Sprintf("%s: %v; what was recorded until then can be read: %d writes, %s", r.opts.Path, rootCause(err), writes, Size(bytes))
	unfit := &hint.UnfitError{Msg: msg}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		unfit.Hint = "give --max-size, or another place"
	}
	return unfit
}

// Written tells the writes that were recorded, and the bytes that they take in the files.
func (r *Recorder) Written() (writes uint64, bytes int64) {
	writes, bytes = r.writes, r.size
	if r.w != nil {
		_, now := r.w.Written()
		writes, bytes = writes+now, bytes+r.w.Whole()
	}
	return writes, bytes
}

// Start begins to record src, until ctx or cmd ends or the file is full; cmd, which is
// released then, may be nil. After each batch show is called with what was lost until then;
// it may be nil.
func (r *Recorder) Start(ctx context.Context, src Source, cmd *tracee.Command, show func(*record.Losses)) (*Run, error) {
	return start(ctx, src, cmd, func(p *pump) error { return r.consume(p, show) })
}

// consume records everything that comes, to the end. When it fails, the rest is thrown
// away.
func (r *Recorder) consume(p *pump, show func(*record.Losses)) error {
	hurry()
	var failed error
	for b := range p.full {
		l := p.read.Load()
		if failed == nil {
			failed = r.batch(b, l)
		}
		if failed != nil || r.full {
			p.stop.Store(true)
		}
		p.free <- b
		if show != nil && failed == nil {
			show(&l.losses)
		}
	}
	r.opts.Marks.end()
	if failed == nil {
		failed = r.end(p.read.Load())
	}
	if IsClosedPipe(failed) {
		failed = nil
	}
	return errors.Join(failed, p.err)
}

// rootCause is the innermost error.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// Outcome says in one line what was recorded.
func (r *Recorder) Outcome() string {
	where := r.opts.Path
	if where == "-" {
		where = "standard output"
	}
	text := fmt.Sprintf("recorded %d writes in %s, %s", r.writes, where, Size(r.size))
	if r.parts > 1 {
		text += fmt.Sprintf(" in %d files, of which the last %d are kept", r.parts, min(r.parts, r.opts.Rotate+1))
	}
	if r.writes > 0 {
		text += fmt.Sprintf(", %.1f bytes a write", float64(r.size)/float64(r.writes))
	}
	if r.full {
		text += "; it ended because of --max-size"
	}
	return text
}

// Size words a number of bytes.
func Size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}

// describe gathers what a trace says about the machine and about itself. The first
// write could be seen at start, ns of CLOCK_MONOTONIC.
func describe(k *Kernel, start uint64, o *RecorderOptions) (*tracefile.Info, error) {
	info := &tracefile.Info{
		Tool: o.Tool, Command: o.Command, Release: k.Facts.Release, Build: k.Facts.Build, Arch: k.Facts.Arch,
		PageSize: os.Getpagesize(), CPUs: k.Facts.CPUs,
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	info.ID = hex.EncodeToString(id[:])
	var err error
	if info.Facts, err = json.Marshal(k.Facts); err != nil {
		return nil, fmt.Errorf("describe the kernel: %w", err)
	}
	if info.Plan, err = json.Marshal(k.Plan); err != nil {
		return nil, fmt.Errorf("describe the probes: %w", err)
	}
	var sinceBoot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &sinceBoot); err != nil {
		return nil, fmt.Errorf("read boot clock: %w", err)
	}
	now, boot := clock.Monotonic(), uint64(sinceBoot.Nano())
	since := now - min(start, now)
	info.Monotonic, info.Boot, info.Began = now-since, boot-min(since, boot), time.Now().Add(-time.Duration(since)).UTC().Round(0)
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		info.BootID = strings.TrimSpace(string(b))
	}
	if o.HostName {
		if info.Host, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("read host name: %w", err)
		}
	}
	mounts, err := ext4fs.Mounted()
	if err != nil {
		return nil, err
	}
	info.FileSystems = append([]ext4fs.Mount{}, mounts...) // [] in JSON, not null, when there is none
	return info, nil
}

// RunningKernel is the release and build of the running kernel.
func RunningKernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown kernel"
	}
	return unix.ByteSliceToString(u.Release[:]) + " (" + unix.ByteSliceToString(u.Version[:]) + ")"
}
