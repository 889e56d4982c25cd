package storm

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// hand is one task that writes: a goroutine locked to its thread, with submission
// paths and memory of its own, which live as long as the run.
type hand struct {
	jobs  chan *job
	paths workload.Paths
	buf   workload.GrowingBuffer
}

// job is what a hand does in a round.
type job struct {
	w       *writer
	fd      int
	bs      int64
	fill    func(i int, b []byte) // writes the bytes of piece i
	ready   *sync.WaitGroup       // told when the memory is filled
	start   <-chan struct{}
	done    *sync.WaitGroup
	results []workload.Result
	err     error
}

// team is the tasks of a run. A goroutine of theirs ends with stop.
type team struct {
	hands []*hand
	ended sync.WaitGroup
	errs  [Writers]error // of closing
}

func newTeam() *team {
	t := &team{}
	for i := range Writers {
		h := &hand{jobs: make(chan *job)}
		t.hands = append(t.hands, h)
		t.ended.Go(func() { t.errs[i] = h.live() })
	}
	return t
}

func (t *team) stop() error {
	for _, h := range t.hands {
		close(h.jobs)
	}
	t.ended.Wait()
	return errors.Join(t.errs[:]...)
}

// run lets each job be done by a task of its own, all at once, and calls meanwhile
// beside them with a channel that is closed when they are done.
func (t *team) run(jobs []*job, meanwhile func(over <-chan struct{}) error) error {
	var ready, done sync.WaitGroup
	start, over := make(chan struct{}), make(chan struct{})
	ready.Add(len(jobs))
	done.Add(len(jobs))
	for i, j := range jobs {
		j.ready, j.done, j.start = &ready, &done, start
		t.hands[i].jobs <- j
	}
	ready.Wait()
	close(start)
	go func() { done.Wait(); close(over) }()
	err := meanwhile(over)
	<-over
	for _, j := range jobs {
		err = errors.Join(err, j.err)
	}
	return err
}

// live does jobs until there are no more.
func (h *hand) live() (err error) {
	// An io_uring belongs to the thread that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { err = errors.Join(err, h.paths.Close(), h.buf.Close()) }()
	for j := range h.jobs {
		h.do(j)
	}
	return nil
}

func (h *hand) do(j *job) {
	defer j.done.Done()
	reqs, e, err := h.prepare(j)
	j.ready.Done()
	<-j.start
	if err != nil {
		j.err = err
		return
	}
	j.results, j.err = e.Do(reqs)
	if j.err == nil && len(j.results) != len(reqs) {
		j.err = fmt.Errorf("write by %s: %d results of %d writes", j.w.engine, len(j.results), len(reqs))
	}
}

// prepare fills the memory, with a place of its own for each piece, and opens the
// submission path.
func (h *hand) prepare(j *job) ([]workload.Request, workload.Engine, error) {
	place := func(p *piece) int64 { return (p.len + int64(p.shift) + j.bs - 1) / j.bs * j.bs }
	need := int64(0)
	for i := range j.w.pieces {
		need += place(&j.w.pieces[i])
	}
	mem, err := h.buf.Bytes(need)
	if err != nil {
		return nil, nil, err
	}
	var reqs []workload.Request
	at := int64(0)
	for i := range j.w.pieces {
		p := &j.w.pieces[i]
		b := mem[at+int64(p.shift):][:p.len:p.len]
		j.fill(i, b)
		reqs = append(reqs, workload.Request{Fd: j.fd, Pos: p.off, Segs: [][]byte{b}, Flags: p.flags})
		at += place(p)
	}
	e, err := h.paths.Open(j.w.engine, j.w.depth)
	return reqs, e, err
}
