package random

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// DirName is the directory that Run makes below the one it is given.
const DirName = "ext4dio-random"

// What Options stand for when they are 0.
const (
	DefaultWrites = 2000
	DefaultTries  = 100
	DefaultShrunk = 8
)

// Options of a run.
type Options struct {
	Dir     string // on a mounted ext4
	Seed    uint64
	Writes  int // at least so many direct writes; 0: DefaultWrites
	Case    int // only this one, from 1; 0: all
	Variant model.Variant
	Tracer  validate.Tracer
	// Unprobed are the stages whose probes were not attached.
	Unprobed record.Stages
	Timeout  time.Duration // for what was seen of one case; 0: validate.DefaultTimeout
	// Keep leaves the files for Report.Verify, which removes them.
	Keep   bool
	Tries  int // runs to shrink one failure; 0: DefaultTries, negative: none
	Shrunk int // how many kinds of failures are shrunk; 0: DefaultShrunk
	// Progress, when not nil, is called after each case with writes.
	Progress func(done, total int)
	// Fault, when not nil, may change what is expected of the file of a case, so
	// that a test can see the bytes oracle fail.
	Fault func(number int, expected []byte)
}

func (o *Options) setDefaults() {
	def := func(p *int, n int) {
		if *p == 0 {
			*p = n
		}
	}
	def(&o.Writes, DefaultWrites)
	def(&o.Tries, DefaultTries)
	def(&o.Shrunk, DefaultShrunk)
	if o.Timeout == 0 {
		o.Timeout = validate.DefaultTimeout
	}
}

// Run makes the writes that follow from a seed and judges them. What is wrong is in
// the report. The error is about not having been able to go on; it wraps a sentinel
// of package workload where one fits, and the report then holds what was done.
func Run(ctx context.Context, opts Options) (rep *Report, err error) {
	opts.setDefaults()
	rep = newReport(&opts)
	dir, err := workload.OpenDir(opts.Dir, DirName)
	if err != nil {
		return rep, err
	}
	r := &runner{Options: opts, dir: dir, rep: rep, engines: map[workload.EngineName]workload.Engine{}}
	defer func() { err = errors.Join(err, r.close(), dir.Close(opts.Keep && err == nil)) }()
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
	dir     *workload.Dir
	rep     *Report
	engines map[workload.EngineName]workload.Engine
	buf     *workload.Buffer // to write from
	back    *workload.Buffer // to read into
}

func (r *runner) close() error {
	var errs []error
	for _, e := range r.engines {
		errs = append(errs, e.Close())
	}
	for _, b := range []*workload.Buffer{r.buf, r.back} {
		if b != nil {
			errs = append(errs, b.Close())
		}
	}
	return errors.Join(errs...)
}

// one generates a case, runs it, and shrinks what failed in a new way.
func (r *runner) one(ctx context.Context, number int) error {
	c := Generate(r.Seed, number, r.dir.FS)
	fails, err := r.runCase(ctx, c, r.rep, r.Keep)
	if err != nil {
		return fmt.Errorf("run case %d of seed %d: %w", number, r.Seed, err)
	}
	for i := range fails {
		f := &fails[i]
		if r.rep.known(f) {
			continue
		}
		if r.Tries > 0 && r.rep.Shrunk < r.Shrunk && !f.late {
			r.rep.Shrunk++
			if err := r.shrink(ctx, c, f); err != nil {
				return fmt.Errorf("shrink case %d of seed %d: %w", number, r.Seed, err)
			}
			f.Shrunk = true
		}
		r.rep.Failures = append(r.rep.Failures, *f)
	}
	return nil
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
	shrink(c, int64(r.dir.FS.Sector), r.Tries, fails)
	return broken
}

// engine is the submission path with this name, or pwritev2 where this kernel does
// not offer it, with the name of what it is.
func (r *runner) engine(name workload.EngineName) (workload.Engine, workload.EngineName, error) {
	if r.rep.Skipped[name] != "" {
		name = workload.Pwritev2
	}
	if e := r.engines[name]; e != nil {
		return e, name, nil
	}
	e, err := workload.NewEngine(name, 1)
	if errors.Is(err, workload.ErrUnfit) && name != workload.Pwritev2 {
		r.rep.Skipped[name] = err.Error()
		return r.engine(workload.Pwritev2)
	}
	if err != nil {
		return nil, name, err
	}
	r.engines[name] = e
	return e, name, nil
}

// memory is a buffer of at least n bytes in place of *b.
func memory(b **workload.Buffer, n int64) ([]byte, error) {
	if *b != nil && int64(len((*b).Bytes())) >= n {
		return (*b).Bytes(), nil
	}
	if *b != nil {
		if err := (*b).Close(); err != nil {
			return nil, err
		}
		*b = nil
	}
	fresh, err := workload.NewBuffer(int(max(2*n, 1<<20)))
	if err != nil {
		return nil, err
	}
	*b = fresh
	return fresh.Bytes(), nil
}
