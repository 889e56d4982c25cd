package random

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// DirName is the directory that Run makes below the one it is given.
const DirName = "ext4dio-random"

// DefaultWrites is what Options.Writes stands for when it is 0.
const DefaultWrites = 2000

// Bounds of shrinking: runs for one failure, and kinds of failures.
const (
	maxTries  = 100
	maxShrunk = 8
)

// Options of a run.
type Options struct {
	Dir     string // on a mounted ext4
	Seed    uint64
	Writes  int // at least so many direct writes; 0: DefaultWrites
	Case    int // only this one, from 1; 0: all
	Variant model.Variant
	Tracer  trial.Tracer
	// Unprobed are the stages whose probes were not attached.
	Unprobed record.Stages
	Timeout  time.Duration // for what was seen of one case; 0: trial.DefaultTimeout
	// Keep leaves the files for Report.Verify, which removes them.
	Keep bool
	// Progress, when not nil, is called after each case with writes.
	Progress func(done, total int)
	// Fault, when not nil, may change what is expected of the file of a case, so
	// that a test can see the bytes oracle fail.
	Fault func(number int, expected []byte)
}

// Run makes the writes that follow from a seed and judges them. What is wrong is in
// the report. The error is about not having been able to go on; it wraps a sentinel
// of package workload where one fits, and the report then holds what was done.
func Run(ctx context.Context, opts Options) (rep *Report, err error) {
	opts.Writes = cmp.Or(opts.Writes, DefaultWrites)
	opts.Timeout = cmp.Or(opts.Timeout, trial.DefaultTimeout)
	rep = newReport(&opts)
	dir, err := workload.OpenDir(opts.Dir, DirName)
	if err != nil {
		return rep, err
	}
	r := &runner{Options: opts, dir: dir, rep: rep}
	defer func() { err = errors.Join(err, r.paths.Close(), r.buf.Close(), dir.Close(opts.Keep && err == nil)) }()
	// An io_uring belongs to the thread that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if opts.Case > 0 {
		return rep, r.one(ctx, opts.Case)
	}
	for n := 1; rep.Writes < opts.Writes; n++ {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		if err := r.one(ctx, n); err != nil {
			return rep, err
		}
		if opts.Progress != nil {
			opts.Progress(rep.Writes, opts.Writes)
		}
	}
	return rep, nil
}

// runner carries out cases.
type runner struct {
	Options
	dir   *workload.Dir
	rep   *Report
	paths workload.Paths
	buf   workload.GrowingBuffer // to write from
}

// one generates a case, runs it, and shrinks what failed in a new way.
func (r *runner) one(ctx context.Context, number int) error {
	c := Generate(r.Seed, number, r.dir.FS)
	fails, err := r.runCase(ctx, c, r.rep, r.Keep)
	if err != nil {
		err = fmt.Errorf("run case %d of seed %d: %w", number, r.Seed, err)
	}
	// What failed before an error has failed all the same, but nothing can be tried again.
	for i := range fails {
		f := &fails[i]
		if r.rep.known(f) {
			continue
		}
		if err == nil && r.rep.Shrunk < maxShrunk && !f.late {
			r.rep.Shrunk++
			if err = r.shrink(ctx, c, f); err != nil {
				err = fmt.Errorf("shrink case %d of seed %d: %w", number, r.Seed, err)
			}
			f.Shrunk = err == nil
		}
		r.rep.Failures = append(r.rep.Failures, *f)
	}
	return err
}

// shrink replaces f by the failure of the smallest case that still fails that way.
func (r *runner) shrink(ctx context.Context, c *Case, f *Failure) error {
	var broken error
	fails := func(c *Case) bool {
		if broken = errors.Join(broken, ctx.Err()); broken != nil {
			return false
		}
		got, err := r.runCase(ctx, c, newReport(&r.Options), false)
		if err != nil {
			return false // it cannot even be carried out
		}
		for i := range got {
			if got[i].signature == f.signature {
				*f = got[i]
				return true
			}
		}
		return false
	}
	shrink(c, int64(r.dir.FS.Sector), maxTries, fails)
	return broken
}

// engine is the submission path with this name, or pwritev2 where this kernel does
// not offer it, with the name of what it is.
func (r *runner) engine(name workload.EngineName) (workload.Engine, workload.EngineName, error) {
	if r.rep.Skipped[name] != "" {
		name = workload.Pwritev2
	}
	e, err := r.paths.Open(name, 1)
	if errors.Is(err, workload.ErrUnfit) && name != workload.Pwritev2 {
		r.rep.Skipped[name] = err.Error()
		return r.engine(workload.Pwritev2)
	}
	return e, name, err
}
