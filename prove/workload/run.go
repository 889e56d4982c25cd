package workload

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// asyncDepth is how many writes a task submits together on an asynchronous path.
const asyncDepth = 4

// Run lays out the files of a plan in d, makes its writes and removes the files unless
// keep is set. Each task waits for pace between two submissions. The summary holds what
// was done, also when ctx ended it early. A write that fails is not an error of Run: see
// Summary.Failed.
func Run(ctx context.Context, d *Dir, plan *Plan, pace time.Duration, keep bool) (_ *Summary, err error) {
	fds := make([]int, 0, len(plan.Files))
	defer func() {
		for i, fd := range fds {
			err = errors.Join(err, unix.Close(fd))
			if !keep {
				err = errors.Join(err, d.Remove(plan.Files[i].Name))
			}
		}
	}()
	for _, f := range plan.Files {
		fd, err := makeFile(d, f)
		if err != nil {
			return nil, err
		}
		fds = append(fds, fd)
	}
	skip, err := missingPaths(plan)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	sums := make([]*Summary, len(plan.Tasks))
	errs := make([]error, len(plan.Tasks))
	var wg sync.WaitGroup
	for t := range plan.Tasks {
		wg.Go(func() {
			w := &worker{pace: pace, plan: plan, id: t, fds: fds, skip: skip, sum: newSummary(plan)}
			sums[t], errs[t] = w.sum, w.run(ctx)
		})
	}
	wg.Wait()
	total := newSummary(plan)
	total.Elapsed = time.Since(start)
	for e, err := range skip {
		total.Skipped[e] = err
	}
	for _, s := range sums {
		total.add(s)
	}
	return total, errors.Join(errs...)
}

// missingPaths are the submission paths of a plan that this kernel does not offer. A plan
// of which nothing is left is unfit.
func missingPaths(plan *Plan) (map[EngineName]error, error) {
	var names []EngineName
	for _, ops := range plan.Tasks {
		for _, o := range ops {
			if !slices.Contains(names, o.Engine) {
				names = append(names, o.Engine)
			}
		}
	}
	missing, err := Missing(names, asyncDepth)
	if n := len(names); err == nil && n > 0 && len(missing) == n {
		err = missing[names[n-1]]
	}
	return missing, err
}

// worker is one task: a thread of its own with its own engines and memory.
type worker struct {
	pace  time.Duration
	plan  *Plan
	id    int
	fds   []int
	skip  map[EngineName]error
	paths Paths
	buf   *Buffer
	sum   *Summary
}

// run makes the writes of the task. The goroutine stays locked to its thread and
// takes it along when it ends, because the thread's name is changed.
func (w *worker) run(ctx context.Context) (err error) {
	runtime.LockOSThread()
	setThreadName(fmt.Sprintf("e4d-writer-%d", w.id))
	ops := w.plan.Tasks[w.id]
	most := 1
	for _, o := range ops {
		most = max(most, o.Len()+o.Shift)
	}
	if w.buf, err = NewBuffer(most); err != nil {
		return err
	}
	w.buf.Fill(w.plan.Seed + uint64(w.id))
	defer func() { err = errors.Join(err, w.paths.Close(), w.buf.Close()) }()
	for len(ops) > 0 && ctx.Err() == nil {
		n := batchLen(ops)
		if err := w.submit(ops[:n]); err != nil {
			return err
		}
		ops = ops[n:]
		if !pause(ctx, w.pace) {
			break
		}
	}
	return nil
}

// batchLen is how many of the next writes are submitted together: those of one
// asynchronous path that do not depend on each other's end of file.
func batchLen(ops []Op) int {
	n := 1
	if !ops[0].Engine.Async() || ops[0].extends() {
		return n
	}
	for n < len(ops) && n < asyncDepth && ops[n].Engine == ops[0].Engine && !ops[n].extends() {
		n++
	}
	return n
}

func (o Op) extends() bool {
	return o.Kind == Extending || o.Kind == ExtendingUnaligned || o.Kind == Append
}

func (w *worker) submit(ops []Op) error {
	name := ops[0].Engine
	if w.skip[name] != nil {
		return nil
	}
	e, err := w.paths.Open(name, asyncDepth)
	if err != nil {
		return err
	}
	reqs := make([]Request, len(ops))
	for i, o := range ops {
		reqs[i] = Request{Fd: w.fds[o.File], Pos: o.Pos, Segs: Cut(w.buf.Bytes()[o.Shift:], o.Segs), Flags: o.Flags}
	}
	res, err := e.Do(reqs)
	if err != nil {
		return err
	}
	for i, o := range ops {
		w.sum.count(o, res[i])
	}
	return nil
}

// pause waits, and reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	return ctx.Err() == nil
}

func setThreadName(name string) {
	b := append([]byte(name), 0)
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
	runtime.KeepAlive(b)
}
