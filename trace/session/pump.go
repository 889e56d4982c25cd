package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
)

// Bounds of what lies between the ring buffer and the judge.
const (
	batchBytes  = 30 << 10
	batchRows   = 128 // records; it bounds the output that gathers
	batchCount  = 272
	batchAge    = 50 * time.Millisecond // records wait for their batch at most this long
	batchPause  = time.Millisecond      // after such a pause they do not wait at all
	lossesEvery = 500 * time.Millisecond

	// To ask for the time costs more than to take a record. When it was asked for less
	// than busyPause ago, it is asked for again after busyRecords only: should they
	// come slower then, that many at most wait for longer than they have to, each until
	// the next comes or the source says that it is idle.
	busyPause   = 50 * time.Microsecond
	busyRecords = 8
)

// Source is a live record.Source, used by one goroutine. After Stop it comes to its end.
type Source interface {
	record.Source
	Stop() error
}

// readerNice is the nice value of the two threads between the ring buffer and the
// output. Among more writers than CPUs they would otherwise get a writer's share of
// the time, and the ring buffer overflows.
const readerNice = -10

// hurry binds the calling goroutine to its thread and lets that go before others. The
// traced command is started by another thread and does not inherit it. Where it is not
// allowed, nothing changes.
func hurry() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, readerNice)
}

// reading is what was lost when it was looked at, and when that was: between two
// instants, ns of CLOCK_MONOTONIC.
type reading struct {
	losses   record.Losses
	from, to uint64
}

// batch holds raw records one behind the other.
type batch struct {
	bytes []byte
	ends  []int
}

func newBatch() *batch {
	return &batch{bytes: make([]byte, 0, batchBytes+record.HeadSize+record.MaxSteps*record.StepSize), ends: make([]int, 0, batchRows)}
}

func (b *batch) add(raw []byte) {
	b.bytes = append(b.bytes, raw...)
	b.ends = append(b.ends, len(b.bytes))
}

func (b *batch) isFull() bool { return len(b.bytes) >= batchBytes || len(b.ends) >= batchRows }

// each calls f with every record.
func (b *batch) each(f func(raw []byte)) {
	start := 0
	for _, end := range b.ends {
		f(b.bytes[start:end])
		start = end
	}
}

// pump empties a source into batches, so that whoever is slow behind it does
// not keep the ring buffer full. Its room is bounded: when that is used up, the
// ring fills and the kernel's side counts what is lost.
type pump struct {
	src   Source
	full  chan *batch // closed at the end
	free  chan *batch
	made  int // batches; no more than were needed at once
	stop  atomic.Bool
	read  atomic.Pointer[reading] // the losses
	ended chan struct{}           // closed when nothing more will come
	err   error                   // of the source; valid when full is closed
}

func newPump(src Source) *pump {
	p := &pump{src: src, full: make(chan *batch, batchCount), free: make(chan *batch, batchCount), ended: make(chan struct{})}
	p.read.Store(&reading{})
	return p
}

// run empties the source until its end, which stop brings about.
func (p *pump) run() {
	defer close(p.full)
	defer close(p.ended)
	hurry()
	p.err = p.drain()
	if err := p.readLosses(); p.err == nil {
		p.err = err
	}
}

// empty returns an empty batch, and waits for one when all are full.
func (p *pump) empty() *batch {
	var b *batch
	select {
	case b = <-p.free:
	default:
		if p.made < batchCount {
			p.made++
			return newBatch()
		}
		b = <-p.free
	}
	b.bytes, b.ends = b.bytes[:0], b.ends[:0]
	return b
}

func (p *pump) drain() error {
	b := p.empty()
	now := time.Now()
	began, checked := now, now
	stopped := false
	unasked := 0 // records that may come before the time is asked for again
	for {
		if p.stop.Load() && !stopped {
			if err := p.src.Stop(); err != nil {
				return err
			}
			stopped = true
		}
		raw, err := p.src.Next()
		switch {
		case err == nil:
			b.add(raw)
		case errors.Is(err, record.ErrIdle):
		case errors.Is(err, record.ErrEnd):
			p.full <- b
			return nil
		default:
			p.full <- b
			return fmt.Errorf("read records: %w", err)
		}
		if unasked > 0 && err == nil && !b.isFull() {
			unasked--
			continue
		}
		before := now
		now = time.Now()
		if now.Sub(before) < busyPause {
			unasked = busyRecords - 1
		}
		if now.Sub(checked) >= lossesEvery {
			checked = now
			if err := p.readLosses(); err != nil {
				return err
			}
		}
		// An empty batch is a sign of life.
		if b.isFull() || err != nil || now.Sub(began) >= batchAge || now.Sub(before) >= batchPause {
			p.full <- b
			b = p.empty()
			began = now
		}
	}
}

func (p *pump) readLosses() error {
	r := reading{from: clock.Monotonic()}
	var err error
	if r.losses, err = p.src.Losses(); err != nil {
		return fmt.Errorf("read losses: %w", err)
	}
	r.to = clock.Monotonic()
	p.read.Store(&r)
	return nil
}

// Run is a source that is being emptied.
type Run struct {
	pump    *pump
	stopped <-chan struct{}
	ended   chan error
}

// start empties src until ctx or cmd ends, and lets cmd run once it does; cmd may be nil.
// A goroutine of its own consumes what comes.
func start(ctx context.Context, src Source, cmd *tracee.Command, consume func(*pump) error) (*Run, error) {
	p := newPump(src)
	r := &Run{pump: p, stopped: stopper(ctx, p, cmd), ended: make(chan error, 1)}
	go p.run()
	go func() { r.ended <- consume(p) }()
	if err := cmd.Release(); err != nil {
		p.stop.Store(true)
		return nil, errors.Join(fmt.Errorf("start %s: %w", cmd.Name(), err), r.Wait())
	}
	return r, nil
}

// Wait waits until all that came is consumed, and returns what failed of it. It is called
// once.
func (r *Run) Wait() error {
	err := <-r.ended
	<-r.stopped
	return err
}

// Losses is what was lost when it was read last. After Wait it is all.
func (r *Run) Losses() *record.Losses { return &r.pump.read.Load().losses }

// stopper stops the pump when ctx or the command ends. The returned channel is
// closed when it did so or the pump ended by itself.
func stopper(ctx context.Context, p *pump, cmd *tracee.Command) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
		case <-cmd.Ended():
		case <-p.ended:
		}
		p.stop.Store(true)
	}()
	return done
}

// IsClosedPipe reports whether a write failed because the reader went away. That is a
// clean end.
func IsClosedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
