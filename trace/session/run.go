package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
)

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
	if cmd != nil {
		if err := cmd.Release(); err != nil {
			p.stop.Store(true)
			return nil, errors.Join(fmt.Errorf("start %s: %w", cmd.Name(), err), r.Wait())
		}
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
	var ended <-chan struct{}
	if cmd != nil {
		ended = cmd.Ended()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
		case <-ended:
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
