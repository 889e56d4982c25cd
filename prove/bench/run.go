package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// DirName is the directory that the caller makes with workload.OpenDir.
const DirName = "ext4dio-bench"

// DefaultFor is how long a step lasts when Options name no limit.
const DefaultFor = 3 * time.Second

// roundStripes is the length of the file of a step that is limited by time, in
// stripes: a fast disk is through with it in a tenth of a second.
const roundStripes = 8192

// DefaultJobs are the steps of the cover letter.
func DefaultJobs() []int { return []int{1, 2, 4, 8, 16, 32} }

// maxJobs bounds the jobs of a step, and with them the threads.
const maxJobs = 1024

// maxStripes keeps a stripe's number within its stamp, and a file below 1 TiB.
const maxStripes = 1 << 26

// Options say how a test is to be run.
type Options struct {
	Jobs []int // writers of each step; empty: DefaultJobs
	// Writes of each job in each step; 0 when For limits the step. This is the cover
	// letter's way, and the only one in which wall times can be compared.
	Writes int
	// For is how long a step lasts; the time for rebuilding the file is not in it.
	For time.Duration
	// Watch, when not nil, starts to watch the direct writes of this process, until stop
	// tells what was seen. Each step is then run a second time while it watches.
	Watch func() (stop func() (Locks, error), err error)
	// Progress, when not nil, is called after each step.
	Progress func(Test, Step)
}

// Check looks for options that make no sense, and fills in what was left out. The
// error wraps workload.ErrUsage.
func (o *Options) Check() error {
	if len(o.Jobs) == 0 {
		o.Jobs = DefaultJobs()
	}
	for i, n := range o.Jobs {
		if n < 1 || n > maxJobs {
			return fmt.Errorf("%d jobs: %w: 1 to %d are possible", n, workload.ErrUsage, maxJobs)
		}
		if slices.Contains(o.Jobs[:i], n) {
			return fmt.Errorf("%d jobs: %w: given twice", n, workload.ErrUsage)
		}
	}
	switch {
	case o.Writes < 0 || o.Writes > maxStripes/slices.Max(o.Jobs):
		return fmt.Errorf("%d writes for each of %d jobs: %w: 1 to %d are possible", o.Writes, slices.Max(o.Jobs), workload.ErrUsage, maxStripes/slices.Max(o.Jobs))
	case o.For < 0:
		return fmt.Errorf("a step of %v: %w", o.For, workload.ErrUsage)
	case o.For > 0 && o.Writes > 0:
		return fmt.Errorf("limit by time and by writes: %w: only one of them", workload.ErrUsage)
	case o.For == 0 && o.Writes == 0:
		o.For = DefaultFor
	}
	return nil
}

// region is how many stripes each of n jobs has; all have stripes together when the
// step is limited by time.
func (o *Options) region(stripes, n int) int {
	if o.Writes > 0 {
		return o.Writes
	}
	return (stripes + n - 1) / n
}

// Room is how large a file system that holds nothing else has to be for the tests,
// bytes: their largest file, and what ext4 and its journal need besides. The options
// have to be checked before.
func (o *Options) Room(tests []Test) int64 {
	most := int64(0)
	for _, t := range tests {
		for _, n := range o.Jobs {
			most = max(most, int64(n)*int64(o.region(roundStripes, n))*t.Stripe)
		}
	}
	return most + most/8 + 256<<20
}

// Run carries out a test in d. The error wraps workload.ErrUnfit when the file
// system cannot do it, and workload.ErrUsage for options that make no sense. Bytes
// that are not what was written are in the report, not in the error. The steps that
// came to their end before an error are in the report too, with what that saw which did not;
// it is nil without any.
func Run(ctx context.Context, d *workload.Dir, t Test, o Options) (*Report, error) {
	if err := errors.Join(o.Check(), t.fits(d.FS)); err != nil {
		return nil, err
	}
	rep := &Report{
		Test: t.Name, Dir: d.Path, CPUs: runtime.NumCPU(), BlockSize: d.FS.BlockSize, Started: time.Now(),
		ForNs: int64(o.For), WritesPerJob: o.Writes,
	}
	r := &runner{dir: d, test: t, opts: o, stripes: roundStripes}
	for _, n := range o.Jobs {
		s, err := r.step(ctx, n)
		if err != nil && s.Writes > 0 {
			rep.CutShort = &s
		}
		if err != nil && len(rep.All()) == 0 {
			rep = nil
		}
		if err != nil {
			return rep, fmt.Errorf("run %s with JOBS=%d: %w", t.Name, n, err)
		}
		rep.Steps = append(rep.Steps, s)
		if o.Progress != nil {
			o.Progress(t, s)
		}
	}
	return rep, nil
}

// runner is one run of a test.
type runner struct {
	dir     *workload.Dir
	test    Test
	opts    Options
	stripes int // of the file of a step that is limited by time
	rounds  int // so far, in all steps
}

// step measures n jobs, first alone, then watched when that is wanted.
func (r *runner) step(ctx context.Context, n int) (Step, error) {
	s := Step{Jobs: n}
	var err error
	if s.Measure, err = r.measure(ctx, n); err != nil || r.opts.Watch == nil {
		return s, err
	}
	stop, err := r.opts.Watch()
	if err != nil {
		return s, err
	}
	m, err := r.measure(ctx, n)
	l, e := stop()
	l.account(m.Writes)
	s.Traced = &Traced{Measure: m, Locks: l}
	return s, errors.Join(err, e)
}

// measure runs as many rounds as it takes.
func (r *runner) measure(ctx context.Context, n int) (m Measure, err error) {
	for left := r.opts.For; ; {
		wall, err := r.round(ctx, n, left, &m)
		if err != nil {
			return m, err
		}
		m.WallNs += int64(wall)
		m.Rounds++
		if left -= wall; left <= 0 {
			break
		}
	}
	m.IOPS = float64(m.Writes) / time.Duration(m.WallNs).Seconds()
	return m, nil
}

// round builds the file, lets the jobs write to it, and checks it.
func (r *runner) round(ctx context.Context, n int, most time.Duration, m *Measure) (wall time.Duration, err error) {
	count := r.opts.region(r.stripes, n)
	// A round that fails has its number for good: blocks of its file may be seen later.
	r.rounds++
	fd, err := r.test.build(r.dir, int64(n)*int64(count)*r.test.Stripe, r.rounds)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd), r.dir.Remove(fileName)) }()
	jobs, err := newJobs(r.test, fd, r.rounds, n, count)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, closeJobs(jobs)) }()
	if wall, err = runJobs(ctx, jobs, most); err != nil {
		return wall, err
	}
	m.count(jobs)
	return wall, r.test.check(jobs, m)
}
