// Package watch traces this process during a step of a bench, as live would.
package watch

import (
	"context"
	"errors"
	"os"

	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// watch is one step that is traced.
type watch struct {
	capture *session.Capture
	trace   *session.Trace
	run     *session.Run
	stop    context.CancelFunc
}

// Possible tells, before anything is measured, whether tracing is possible here. The errors
// are those of package probes.
func Possible() error {
	_, err := session.Plan(options())
	return err
}

// options are those of live, for this process alone.
func options() probes.Options {
	return probes.Options{Filter: probes.Filter{Pid: uint32(os.Getpid())}}
}

// Start attaches the probes and begins to judge.
func Start() (bench.Watch, error) {
	c, err := session.Attach(options())
	if err != nil {
		return nil, err
	}
	t, err := session.New(&c.Kernel, session.Options{Variant: "auto", Doubt: c.Doubt})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	t.Sink = session.Nowhere{}
	w := &watch{capture: c, trace: t}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.run, err = t.Start(ctx, c, nil)
	return w, err
}

// Stop sees the writes inside to their end and detaches the probes.
func (w *watch) Stop() (bench.Locks, error) {
	w.stop()
	err := errors.Join(w.run.Wait(), w.capture.Close())
	w.trace.Close()
	s := &w.trace.Summary
	return bench.Locks{
		Seen: s.Totals.Writes, Shared: s.Totals.Shared, Exclusive: s.Totals.Exclusive, WaitNs: s.Totals.WaitNs,
		Lost: s.Losses.Lost() + s.Unaccounted(), Incomplete: s.Totals.Incomplete, Disagree: s.Totals.Disagreements(),
		Unproven: s.Unproven(), Losses: s.Losses.String(),
	}, err
}
