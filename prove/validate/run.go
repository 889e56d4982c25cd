package validate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/signal"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// DirName is the directory that a Runner makes below the one it is given.
const DirName = "ext4dio-validate"

// freshTries is how often a write that must find current timestamps is repeated.
const freshTries = 300

// Runner carries out scenarios.
type Runner struct {
	// Variant is what the writes are judged by as they are made; the zero value
	// leaves that to Report.Judge.
	Variant model.Variant
	// Unprobed are the stages whose probes are not attached.
	Unprobed record.Stages
	// OwnOnly says that the tracer shows what this process does, and nothing that
	// the kernel's own workers do for it.
	OwnOnly bool
	Tracer  trial.Tracer
	Timeout time.Duration // for one write; 0: trial.DefaultTimeout
	Keep    bool          // leave the files, for Report.Verify or to look at
	// Fault, when not nil, may change what the file of a scenario is expected to
	// hold, so that a test can see the comparison fail.
	Fault func(scenario string, expected []byte)
	// Progress, when not nil, is called with each result as it comes.
	Progress func(Result)
}

// Run carries out scenarios in a directory of its own below dir, which must be
// on an ext4. Failed expectations are in the report. The error is about not
// having been able to go on; it wraps a sentinel of package workload where one
// fits, and the report then holds what was done so far.
func (r *Runner) Run(ctx context.Context, dir string, scenarios []Scenario) (rep *Report, err error) {
	rep = &Report{Variant: r.Variant}
	d, err := workload.OpenDir(dir, DirName)
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, d.Close(r.Keep)) }()
	traits, err := readTraits(d)
	if err != nil {
		return rep, err
	}
	// The io_uring and the rlimit of a write belong to the thread and process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range scenarios {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		x := &execution{Runner: r, dir: d, traits: traits, sc: &scenarios[i], rep: rep}
		if err := x.run(ctx); err != nil {
			return rep, fmt.Errorf("run scenario %s: %w", scenarios[i].Name, err)
		}
	}
	return rep, nil
}

// execution is one scenario being carried out.
type execution struct {
	*Runner
	dir    *workload.Dir
	traits Traits
	sc     *Scenario
	rep    *Report
	file   *scratch
}

// add notes the result of one write.
func (x *execution) add(res Result) {
	res.Scenario, res.Theme, res.Covers = x.sc.Name, x.sc.Theme, x.sc.Covers
	if x.Variant != 0 {
		res.judge(x.Variant, x.Unprobed)
	}
	x.rep.add(res)
	if x.Progress != nil {
		x.Progress(res)
	}
}

// otherBlocks reports whether the scenario is for blocks of another size.
func (x *execution) otherBlocks() bool {
	for _, r := range x.sc.Requires {
		if r.Key == "blocksize" && !slices.Contains(r.Values, int64(x.dir.FS.BlockSize)) {
			return true
		}
	}
	return false
}

// skipRest notes every write from step i on as skipped.
func (x *execution) skipRest(i int, reason string) {
	for _, s := range x.sc.Steps[i:] {
		if s.Write != nil {
			x.add(Result{Line: s.Line, Write: s.Text, Status: Skipped, Reason: reason})
		}
	}
}

func (x *execution) run(ctx context.Context) (err error) {
	if x.otherBlocks() {
		x.rep.Elsewhere += x.sc.Writes()
		return nil
	}
	if reason := unmet(x.sc.Requires, x.dir.FS, x.traits); reason != "" {
		x.skipRest(0, reason)
		return nil
	}
	if x.file, err = openScratch(x.dir, x.sc.Name); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.file.close()) }()
	x.Tracer.Watch(x.file.ID)
	if err := x.steps(ctx); err != nil {
		return err
	}
	return x.bytes()
}

// steps carries out the steps, until one is not possible here.
func (x *execution) steps(ctx context.Context) error {
	for i, s := range x.sc.Steps {
		if s.Setup != nil {
			err := x.file.apply(s.Setup)
			if errors.Is(err, errSkip) {
				x.skipRest(i, err.Error())
				return nil
			}
			if err != nil {
				return fmt.Errorf("line %d: %w", s.Line, err)
			}
			continue
		}
		res, err := x.write(ctx, s.Write)
		if errors.Is(err, workload.ErrUnfit) {
			res, err = Result{Status: Skipped, Reason: err.Error()}, nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", s.Line, err)
		}
		res.Line, res.Write = s.Line, s.Text
		x.add(res)
	}
	return nil
}

// bytes compares the file with what it has to hold.
func (x *execution) bytes() error {
	if x.Fault != nil {
		x.Fault(x.sc.Name, x.file.Shadow.Bytes)
	}
	why, err := x.file.compare()
	if err != nil {
		return err
	}
	x.rep.file(x.sc, &x.file.Shadow, why, x.Keep)
	return nil
}

// unmet says which requirement is not met, or "".
func unmet(reqs []Requirement, fs workload.FSInfo, traits Traits) string {
	for _, r := range reqs {
		if r.Key == "sector" && int64(fs.Sector) > r.Values[0] {
			return fmt.Sprintf("needs sectors of at most %d bytes; the device has %d", r.Values[0], fs.Sector)
		}
		if reason := traits.unmet(r); reason != "" {
			return reason
		}
	}
	return ""
}

// write makes one judged write and compares what was seen of it.
func (x *execution) write(ctx context.Context, w *Write) (Result, error) {
	if w.Engine == workload.Loop && x.OwnOnly {
		return Result{Status: Skipped, Reason: "a worker of the loop driver makes the write, and only this process is traced; --device and --image trace all of their disk"}, nil
	}
	engine, err := workload.NewEngine(w.Engine, 1)
	if err != nil {
		return Result{}, err
	}
	defer engine.Close()
	tries := 1
	if w.Fresh >= 0 {
		tries = freshTries
	}
	for try := range tries {
		if err := x.take(ctx); err != nil {
			return lateResult(err)
		}
		out, err := x.issue(engine, w)
		if err != nil {
			return Result{}, err
		}
		seen, err := x.collect(ctx, w)
		if err != nil || len(seen) == 0 {
			res, err := lateResult(err)
			res.Seen = seen
			return res, err
		}
		last := seen[len(seen)-1].Observation
		stale := last.Stages.Has(record.StageFmod) && last.FmodRet == -int(unix.EAGAIN)
		if w.Fresh >= 0 && stale {
			if try == tries-1 {
				return Result{Status: Failed, Seen: seen,
					Reason: fmt.Sprintf("-EAGAIN from the update of timestamps in each of %d tries, right after they were made current", tries)}, nil
			}
			continue
		}
		return Result{Seen: seen, expect: w.Expect, out: out}, nil
	}
	return Result{}, nil
}

// take gets the direct writes of the setup out of the tracer's hands.
func (x *execution) take(ctx context.Context) error {
	if x.file.untaken == 0 {
		return nil
	}
	n := x.file.untaken
	x.file.untaken = 0
	_, err := x.gather(ctx, n)
	return err
}

// issue makes the write itself, with what must come right before it.
func (x *execution) issue(e workload.Engine, w *Write) (workload.Result, error) {
	mem, err := x.file.buf.Bytes(int64(w.Buf + w.Len()))
	if err != nil {
		return workload.Result{}, err
	}
	data := mem[w.Buf : w.Buf+w.Len()]
	reqs := []workload.Request{{Fd: x.file.Direct, Pos: w.Pos, Segs: workload.Cut(data, w.Segs), Flags: w.Flags}}
	if w.Limit >= 0 {
		restore, err := limitFileSize(w.Limit)
		if err != nil {
			return workload.Result{}, err
		}
		defer restore()
	}
	if w.Fresh >= 0 {
		if err := x.file.writeDirect(w.Fresh, x.file.bs); err != nil {
			return workload.Result{}, fmt.Errorf("freshen timestamps: %w", err)
		}
	}
	x.file.fill(data, w.Pos)
	release, err := x.hold(w)
	if err != nil {
		return workload.Result{}, err
	}
	res, err := e.Do(reqs)
	err = errors.Join(err, release())
	if err == nil {
		err = trial.DiskError(res[0].Err)
	}
	if err != nil {
		return workload.Result{}, err
	}
	x.file.wrote(w, data, res[0])
	return res[0], nil
}

// hold has another write hold the lock, if w wants that. A kernel on which w waits for it gets it
// after the timeout, so that the run goes on and w is found to have waited.
func (x *execution) hold(w *Write) (release func() error, err error) {
	if w.Held < 0 {
		return func() error { return nil }, nil
	}
	data, limit := make([]byte, x.file.bs), cmp.Or(x.Timeout, trial.DefaultTimeout)
	x.file.fill(data, w.Held)
	h, err := workload.Hold(x.file.Buffered, w.Held, data, limit)
	if err != nil {
		return nil, err
	}
	late := time.AfterFunc(limit, func() { _ = h.Release() })
	return func() error {
		late.Stop()
		err := h.Release()
		if err == nil {
			x.file.Shadow.Write(w.Held, data)
		}
		return err
	}, nil
}

// collect takes what was seen of the write: one observation, or several when
// io_uring first tried it without waiting. Writes made before it are left out.
func (x *execution) collect(ctx context.Context, w *Write) ([]trial.Seen, error) {
	before := x.file.untaken
	x.file.untaken = 0
	seen, err := x.gather(ctx, before+1)
	if err != nil {
		return seen[min(before, len(seen)):], err
	}
	seen = seen[before:]
	for trial.Retried(w.Engine, w.Flags, seen[len(seen)-1].Observation) {
		more, err := x.gather(ctx, 1)
		if seen = append(seen, more...); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

func (x *execution) gather(ctx context.Context, n int) ([]trial.Seen, error) {
	return trial.Collect(ctx, x.Tracer, n, cmp.Or(x.Timeout, trial.DefaultTimeout))
}

// lateResult makes a failure of what was not seen; other errors end the run.
func lateResult(err error) (Result, error) {
	if errors.Is(err, trial.ErrLate) {
		return Result{Status: Failed, Reason: err.Error()}, nil
	}
	return Result{}, err
}

// limitFileSize sets RLIMIT_FSIZE of the process and returns how to undo it. A
// write that starts at the limit would end the process by SIGXFSZ.
func limitFileSize(n int64) (restore func(), err error) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		return nil, fmt.Errorf("read file size limit: %w", err)
	}
	signal.Ignore(unix.SIGXFSZ)
	lim := unix.Rlimit{Cur: uint64(n), Max: old.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &lim); err != nil {
		signal.Reset(unix.SIGXFSZ)
		return nil, fmt.Errorf("set file size limit: %w", err)
	}
	return func() {
		_ = unix.Setrlimit(unix.RLIMIT_FSIZE, &old)
		signal.Reset(unix.SIGXFSZ)
	}, nil
}
