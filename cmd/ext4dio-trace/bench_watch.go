package main

import (
	"errors"
	"os"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
)

// benchWatch traces this process during one step, as live would.
type benchWatch struct {
	session *probes.Session
	trace   *trace
	pump    *pump
	ended   chan error // of consume
}

// nowhere is the sink of a trace of which only the summary is wanted.
type nowhere struct{}

func (nowhere) row(*export.Row, bool)       {}
func (nowhere) flush(*export.Summary) error { return nil }

// mayWatch tells, before anything is measured, whether tracing is possible here.
func mayWatch() error {
	facts, err := probes.ReadFacts()
	if err != nil {
		return err
	}
	_, err = probes.MakePlan(facts, watchOptions())
	return err
}

// watchOptions are those of live, for this process alone.
func watchOptions() probes.Options {
	return probes.Options{
		Attach: "auto",
		Filter: probes.Filter{Pid: uint32(os.Getpid())},
	}
}

// startWatch attaches the probes and begins to judge.
func startWatch() (bench.Watch, error) {
	facts, plan, session, err := attach(watchOptions())
	if err != nil {
		return nil, err
	}
	// Only judged rows would name the file, and nobody reads them.
	t, err := newTrace(facts, plan, session.Doubt, &liveOptions{variant: "auto", only: onlyWords})
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	t.sink = nowhere{}
	w := &benchWatch{session: session, trace: t, pump: newPump(session), ended: make(chan error, 1)}
	go w.pump.run()
	go func() { w.ended <- t.consume(w.pump) }()
	return w, nil
}

// Stop sees the writes inside to their end and detaches the probes.
func (w *benchWatch) Stop() (bench.Locks, error) {
	w.pump.stop.Store(true)
	err := errors.Join(<-w.ended, w.session.Close())
	w.trace.close()
	s := &w.trace.summary
	return bench.Locks{
		Seen: s.Totals.Writes, Shared: s.Totals.Shared, Exclusive: s.Totals.Exclusive, WaitNs: s.Totals.WaitNs,
		Lost: s.Losses.Lost() + s.Unaccounted(), Incomplete: s.Totals.Incomplete, Disagree: s.Totals.Disagreements(),
		Unproven: s.Unproven(), Losses: s.Losses.String(),
	}, err
}
