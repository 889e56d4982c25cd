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

// Start attaches the probes and begins to judge. Its result sees the writes inside to
// their end and detaches the probes.
func Start() (stop func() (bench.Locks, error), err error) {
	c, err := session.Attach(options())
	if err != nil {
		return nil, err
	}
	t, err := session.New(&c.Kernel, session.Options{Variant: "auto", Doubt: c.Doubt})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	t.Sink = session.Nowhere{}
	ctx, end := context.WithCancel(context.Background())
	run, err := t.Start(ctx, c, nil)
	return func() (bench.Locks, error) {
		end()
		err := errors.Join(run.Wait(), c.Close())
		t.Close()
		return locks(t), err
	}, err
}

// locks is what a trace saw.
func locks(t *session.Trace) bench.Locks {
	s := &t.Summary
	return bench.Locks{
		Seen: s.Totals.Writes, Shared: s.Totals.Shared, Exclusive: s.Totals.Exclusive, WaitNs: s.Totals.WaitNs,
		Lost: s.Losses.Lost() + s.Unaccounted(), Incomplete: s.Totals.Incomplete, Disagree: s.Totals.Disagreements(),
		Unproven: s.Unproven(), Losses: s.Losses.String(),
	}
}
