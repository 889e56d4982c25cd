package storm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// DirName is the directory that Run makes below the one it is given.
const DirName = "ext4dio-storm"

// DefaultWrites is about how many each storm makes, and half of that with large blocks. It
// makes at least one round in each of its scenes.
const DefaultWrites = 384

// DefaultTimeout is what Options.Timeout stands for when it is 0.
const DefaultTimeout = 10 * time.Second

// Options of a run.
type Options struct {
	Dir     string // on a mounted ext4
	Seed    uint64
	Variant model.Variant
	Tracer  trial.Tracer
	// Storms are names of those that are carried out; nil: all.
	Storms []string
	// Timeout is how long to wait for the writes of a round to be seen, 0:
	// DefaultTimeout.
	Timeout time.Duration
	// Progress, when not nil, is called after each storm with how many are done.
	Progress func(done int)
	// Fault, when not nil, may change what a file is expected to hold before it is
	// compared: a test of the bytes oracle.
	Fault func(scene string, round int, expected []byte)
}

// Run carries out the storms that follow from a seed, and judges them. What is wrong
// is in the report. The error is about not having been able to go on; it wraps a
// sentinel of package workload where one fits, and the report then holds what was
// done.
func Run(ctx context.Context, opts Options) (rep *Report, err error) {
	opts.Timeout = cmp.Or(opts.Timeout, DefaultTimeout)
	rep = newReport(&opts)
	if err := ctx.Err(); err != nil {
		return rep, err
	}
	missing, err := workload.Missing([]workload.EngineName{workload.Libaio, workload.IOUring}, 1)
	if err != nil {
		return rep, err
	}
	for name, why := range missing {
		rep.Missing[name] = why.Error()
	}
	dir, err := workload.OpenDir(opts.Dir, DirName)
	if err != nil {
		return rep, err
	}
	r := &runner{Options: opts, dir: dir, rep: rep, team: newTeam()}
	defer func() { err = errors.Join(err, r.team.stop(), dir.Close(false)) }()
	for _, s := range storms {
		if opts.Storms != nil && !slices.Contains(opts.Storms, s.name) {
			continue
		}
		if err := r.storm(ctx, s); err != nil {
			return rep, fmt.Errorf("run storm %s of seed %d: %w", s.name, r.Seed, err)
		}
		if opts.Progress != nil {
			opts.Progress(len(rep.Storms))
		}
	}
	return rep, nil
}

// runner carries out storms.
type runner struct {
	Options
	dir  *workload.Dir
	rep  *Report
	team *team
	now  *Storm // that runs
}

// storm carries out one storm. A scene for which the file system is too full, or
// that it does not offer, is skipped.
func (r *runner) storm(ctx context.Context, s storm) error {
	r.rep.Storms = append(r.rep.Storms, Storm{Name: s.name})
	r.now = &r.rep.Storms[len(r.rep.Storms)-1]
	start := time.Now()
	defer func() { r.now.Seconds = time.Since(start).Seconds() }()
	g := newGenerator(r.Seed, s.name, r.dir.FS)
	for _, sc := range s.build(g) {
		why, err := sc.skip, error(nil)
		if why == "" {
			why, err = r.scene(ctx, &sc)
		}
		switch {
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EFBIG):
			why = err.Error()
		case err != nil:
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		if why != "" {
			r.now.Skipped = append(r.now.Skipped, sc.name+": "+why)
			continue
		}
		r.now.Scenes++
	}
	return nil
}

// scene carries out what happens to one file; why it cannot is no error.
func (r *runner) scene(ctx context.Context, sc *scene) (why string, err error) {
	f, err := openFile(r.dir, "storm", sc.noExtents)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if sc.noExtents && f.flags&workload.FlagExtents != 0 {
		return "an inode without extents is not possible here", nil
	}
	if f.mayBuffer() {
		if why := unsafeParts(sc, r.Variant); why != "" {
			return why, nil
		}
	}
	r.Tracer.Watch(f.ID)
	s := &session{runner: r, sc: sc, f: f}
	if err := s.prepare(); err != nil {
		return "", fmt.Errorf("round 1: %w", err)
	}
	for i := range sc.rounds {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if err := s.play(ctx, i); err != nil {
			return "", fmt.Errorf("round %d: %w", i+1, err)
		}
	}
	return "", s.finish(ctx)
}

// command repeats the storm.
func (r *runner) command() string {
	return fmt.Sprintf("ext4dio-trace validate --dir %s --scenarios none --writes 0 --storms %s --seed %d", hint.Words(r.Dir), r.now.Name, r.Seed)
}

// substitute is the submission path with this name, or one that every kernel offers.
func (r *runner) substitute(w *writer) {
	if r.rep.Missing[w.engine] != "" {
		w.engine, w.depth = workload.Pwritev2, 1
	}
}
