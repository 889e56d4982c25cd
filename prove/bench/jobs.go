package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// sector is how far apart the stamps of a write are, bytes.
const sector = 512

// job is one writer with a region of its own.
type job struct {
	test  Test
	fd    int
	round int
	buf   *workload.Buffer
	first int64 // stripe at which the region begins
	count int   // stripes of the region
	done  int   // writes made
	cpu   time.Duration
	err   error
}

// stamp marks each sector of the buffer with the round and its place in the file,
// so that bytes at the wrong place, or of another round, are noticed.
func (j *job) stamp(stripe int64) {
	b := j.buf.Bytes()
	for at := 0; at < len(b); at += sector {
		binary.LittleEndian.PutUint64(b[at:], uint64(j.round)<<48|uint64(stripe)<<8|uint64(at/sector))
	}
}

// run makes the writes and takes the CPU time of its thread for them.
func (j *job) run(stop *atomic.Bool) {
	before := clock.Thread()
	j.write(stop)
	j.cpu = clock.Thread() - before
}

// write makes the writes of the region in order, until stop is set.
func (j *job) write(stop *atomic.Bool) {
	for j.done < j.count && !stop.Load() {
		stripe := j.first + int64(j.done)
		j.stamp(stripe)
		n, err := unix.Pwrite(j.fd, j.buf.Bytes(), stripe*j.test.Stripe+j.test.Off)
		if err == nil && int64(n) != j.test.Len {
			err = fmt.Errorf("%d bytes of %d: %w", n, j.test.Len, io.ErrShortWrite)
		}
		if err != nil {
			j.err = fmt.Errorf("write at %d: %w", stripe*j.test.Stripe+j.test.Off, err)
			stop.Store(true)
			return
		}
		j.done++
	}
}

// newJobs makes n jobs for a file of n regions of count stripes.
func newJobs(t Test, fd, round, n, count int) (jobs []*job, err error) {
	for i := range n {
		buf, err := workload.NewBuffer(int(t.Len))
		if err != nil {
			return nil, errors.Join(err, closeJobs(jobs))
		}
		buf.Fill(uint64(i) + 1)
		jobs = append(jobs, &job{test: t, fd: fd, round: round, buf: buf, first: int64(i) * int64(count), count: count})
	}
	return jobs, nil
}

func closeJobs(jobs []*job) error {
	var errs []error
	for _, j := range jobs {
		errs = append(errs, j.buf.Close())
	}
	return errors.Join(errs...)
}

// runJobs lets all jobs write at once and returns the time from the first start to
// the last end. With most > 0 they stop after that time, or as soon as the first
// of them is at the end of its region, so that never fewer write than are counted.
func runJobs(ctx context.Context, jobs []*job, most time.Duration) (time.Duration, error) {
	// A thread that comes back from a system call goes on at once only when the
	// runtime has a place for it; otherwise it is queued, and we measure Go.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(len(jobs) + 2))
	var stop atomic.Bool
	defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	var ready, ended sync.WaitGroup
	start := make(chan struct{})
	for _, j := range jobs {
		ready.Add(1)
		ended.Go(func() {
			// One task of the kernel for each job.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-start
			j.run(&stop)
			if most > 0 {
				stop.Store(true)
			}
		})
	}
	ready.Wait()
	began := time.Now()
	if most > 0 {
		defer time.AfterFunc(most, func() { stop.Store(true) }).Stop()
	}
	close(start)
	ended.Wait()
	wall := time.Since(began)
	errs := []error{ctx.Err()}
	for _, j := range jobs {
		errs = append(errs, j.err)
	}
	return wall, errors.Join(errs...)
}

// count adds what the jobs of a round made.
func (m *Measure) count(jobs []*job) {
	for _, j := range jobs {
		m.Writes += int64(j.done)
		m.CPUNs += int64(j.cpu)
	}
}
