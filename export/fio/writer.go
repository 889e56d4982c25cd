package fio

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// JobFile is the name of the job file.
const JobFile = "trace.fio"

// Bounds of one export.
const (
	maxJobs  = 64
	maxFiles = 4096
)

// Create makes a file of the export, by its name without a folder.
type Create func(name string) (io.WriteCloser, error)

// Writer writes rows as a job file and logs. It is an export.Writer.
type Writer struct {
	create  Create
	about   []string
	base    uint64 // time of the first row
	jobs    map[jobKey]*job
	order   []*job
	files   map[export.FileID]*file
	names   []*file
	open    map[uint64]held // refused tries that another may follow, by their requests
	skipped int
	appends int
	err     error
}

// held is a write that waits for what becomes of it.
type held struct {
	key  jobKey
	comm string
	entry
}

// maxOpen bounds the refused tries that wait for the next one.
const maxOpen = 8192

// jobKey is what writes of one job have in common.
type jobKey struct {
	pid, tid uint32
	engine   string
	nowait   bool
	sync     string // value of the option, if any
}

// file is one file of the export.
type file struct {
	name  string
	about string
	size  int64 // i_size that its first write saw, bytes
}

// Format is the format of Writer.
var Format = export.Format{
	Name: "fio", Help: "a folder with a job file and one I/O log for each task", To: export.ToFolder, Into: "a job file and its logs",
	New: func(t export.Target) export.Writer { return New(t.Create, t.About...) },
}

// New returns a Writer that makes its files with create. The lines of about say where
// the writes were seen.
func New(create Create, about ...string) *Writer {
	return &Writer{create: create, about: about, jobs: make(map[jobKey]*job), files: make(map[export.FileID]*file), open: make(map[uint64]held)}
}

// Write takes one row. After an error it returns that again.
func (w *Writer) Write(r *export.Row) error {
	if w.err != nil {
		return w.err
	}
	if w.base == 0 {
		w.base = r.TimeNs
	}
	f := w.file(r)
	if f == nil || r.Len <= 0 || r.Pos < 0 {
		w.skipped++
		return nil
	}
	if r.KiFlags&export.KiAppend != 0 && r.Try.V <= 1 {
		w.appends++
	}
	w.err = w.try(r, entry{at: (max(r.TimeNs, w.base) - w.base) / 1000, end: (end(r) - min(w.base, end(r))) / 1000, file: f, pos: r.Pos, n: r.Len})
	return w.err
}

// try takes one try of a request. fio makes each request once: it is tried again as it was
// here, or is not refused. What is refused for good was asked for so.
func (w *Writer) try(r *export.Row, e entry) error {
	h, again := w.open[r.Request]
	again = again && r.Try.V > 1
	if again {
		h.end, h.key.nowait = max(h.end, e.end), false
	} else {
		h = held{jobOf(r), r.Comm, e}
	}
	if r.Refused.Known {
		w.open[r.Request] = h
		if len(w.open) > maxOpen {
			return w.refused()
		}
		return nil
	}
	if again {
		delete(w.open, r.Request)
	}
	return w.add(h)
}

// refused adds what no other try came for.
func (w *Writer) refused() error {
	all := slices.Collect(maps.Values(w.open))
	clear(w.open)
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key.tid, b.key.tid), cmp.Compare(a.pos, b.pos))
	})
	var failed error
	for _, h := range all {
		if h.key.nowait = true; failed == nil {
			failed = w.add(h)
		}
	}
	return failed
}

// add puts a write into the log of its job.
func (w *Writer) add(h held) error {
	j, err := w.job(h.key, h.comm)
	if err != nil {
		return err
	}
	return j.add(h.entry)
}

// end is when a write was complete, as far as it is known.
func end(r *export.Row) uint64 { return r.TimeNs + max(r.LatencyNs.V, r.SubmitNs) }

// file returns the file of r; nil when there are too many.
func (w *Writer) file(r *export.Row) *file {
	id := r.File()
	if f := w.files[id]; f != nil {
		return f
	}
	if len(w.files) >= maxFiles {
		return nil
	}
	path := cmp.Or(r.Path, "path not known")
	f := &file{
		name:  fmt.Sprintf("e4d-%d", len(w.files)+1),
		about: fmt.Sprintf("inode %d on %s, i_size %d: %s", r.Ino, export.DevName(r.Dev), r.Facts.ISize, comment(path)),
		size:  r.Facts.ISize,
	}
	w.files[id] = f
	w.names = append(w.names, f)
	return f
}

// submitter is the task that r comes from. A worker of io_uring without an earlier try bears
// the number of the task that it works for in its name, in old traces; else it is of the
// process.
func submitter(r *export.Row) uint32 {
	if name, ok := strings.CutPrefix(r.Comm, "iou-wrk-"); ok {
		if tid, err := strconv.ParseUint(name, 10, 32); err == nil {
			return uint32(tid)
		}
	}
	if r.ByWorker() {
		return cmp.Or(r.GlobalPid, r.Pid)
	}
	return r.Thread()
}

// jobOf is the job of r. io_uring gives IOCB_NOWAIT to each first try, whether it was asked
// to or not.
func jobOf(r *export.Row) jobKey {
	key := jobKey{pid: cmp.Or(r.GlobalPid, r.Pid), tid: submitter(r), engine: "psync"}
	switch r.Caller {
	case record.CallerLibaio:
		key.engine, key.nowait = "libaio", r.KiFlags&export.KiNowait != 0
	case record.CallerIOUring, record.CallerIOUringIOPoll, record.CallerIOWQ:
		key.engine = "io_uring"
	default:
		if key.nowait = r.KiFlags&export.KiNowait != 0; key.nowait {
			key.engine = "pvsync2" // psync has no such option
		}
	}
	switch {
	case r.KiFlags&export.KiSync != 0:
		key.sync = "sync"
	case r.KiFlags&export.KiDSync != 0:
		key.sync = "dsync"
	}
	return key
}

// job returns the job of a key; comm is the name of its first writer.
func (w *Writer) job(key jobKey, comm string) (*job, error) {
	if j := w.jobs[key]; j != nil {
		return j, nil
	}
	if len(w.jobs) >= maxJobs {
		key.pid, key.tid = 0, 0
		if j := w.jobs[key]; j != nil {
			return j, nil
		}
	}
	j := &job{key: key, number: len(w.order) + 1, comm: comm, opened: make(map[*file]bool)}
	out, err := w.create(j.log())
	if err != nil {
		return nil, fmt.Errorf("make I/O log: %w", err)
	}
	j.begin(out)
	w.jobs[key], w.order = j, append(w.order, j)
	return j, nil
}

// Close ends the logs and writes the job file.
func (w *Writer) Close() error {
	errs := []error{w.err}
	if w.err == nil {
		errs[0] = w.refused()
	}
	for _, j := range w.order {
		errs = append(errs, j.close())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	out, err := w.create(JobFile)
	if err != nil {
		return fmt.Errorf("make job file: %w", err)
	}
	_, err = out.Write(w.jobFile())
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write job file: %w", err)
	}
	return nil
}
