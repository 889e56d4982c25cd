package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
	"github.com/ext4dio/ext4dio-trace/tui"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// screenSink feeds the screen.
type screenSink struct {
	c *tui.Collector
	t *trace
}

func (s screenSink) Row(r *export.Row) { s.c.Add(r, s.t.opts.shows(r)) }

func (s screenSink) Flush(sum *export.Summary) error {
	if s.c.WantsSummary() {
		s.c.SetSummary(sum)
		s.c.SetRecording(s.t.Recorder != nil)
	}
	return nil
}

// runScreen shows the live view. With a command, the screen stays when that has
// ended, so that what was seen can be looked at.
func (t *trace) runScreen(ctx context.Context, src session.Source) error {
	output := &tracee.Tail{}
	cmd, err := t.kernel.hold(nil, output)
	if err != nil {
		return err
	}
	defer cmd.Stop()
	collector := tui.NewCollector(t.file != nil, ownUsage)
	t.Sink, t.Tell = screenSink{collector, t}, func(text string) { collector.SetNote(oneLine(text)) }
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	// Before anything is judged: the judge belongs to the goroutine that consumes from then on.
	options := t.screenOptions(collector, cmd == nil && t.file == nil)
	run, err := t.Start(ctx, src, cmd)
	if err != nil {
		return err
	}
	consumed := make(chan error, 1)
	go func() {
		err := run.Wait()
		collector.SetSummary(&t.Summary)
		if t.file != nil && t.file.Missing() != nil {
			collector.SetMissing(replay.Missing(t.file))
		}
		switch {
		case err != nil:
			collector.SetNote("tracing ended: " + err.Error())
		case cmd != nil && ctx.Err() == nil:
			note := cmd.Name() + " " + cmd.Outcome()
			if last := output.Last(); last != "" && cmd.Failed() {
				note += ": " + last
			}
			collector.SetNote(note)
		}
		collector.End()
		consumed <- err
	}()
	if t.paths != nil {
		parts := &screenWindow{ctx: ctx, paths: t.paths, variant: t.opts.variant}
		defer parts.close()
		options.Window = parts.rows
		options.WhatIf = (&recordedWhatIf{ctx: ctx, paths: t.paths, traced: t.opts.variant}).counts
	}
	screenErr := tui.Run(ctx, collector.Snapshots(ctx), options)
	quit()
	err = <-consumed
	if text := output.Bytes(); len(text) > 0 {
		os.Stderr.Write(text)
	}
	return t.finish(errors.Join(screenErr, err), cmd)
}

func (t *trace) screenOptions(c *tui.Collector, quitAtEnd bool) tui.Options {
	// The leader of a session has no shell above it that could continue it.
	sid, err := unix.Getsid(0)
	o := tui.Options{
		Kernel: t.Facts.Release, Mode: t.Plan.Mode, QuitAtEnd: quitAtEnd, Recording: t.file != nil, Start: t.start,
		NoColor: os.Getenv("NO_COLOR") != "", ASCII: isASCII(os.Getenv),
		CanSuspend: err == nil && sid != os.Getpid(),
		Filter:     parseFilter, SetFilter: c.SetFilter, Report: t.screenReport,
	}
	o.Attached, o.Missing = t.Attached()
	o.Variants, o.Other = model.VariantNames(), otherVariant(t.Detector())
	if t.file == nil {
		o.WhatIf = t.screenWhatIf
		o.Record = func(on bool) (string, error) {
			return t.Record(on, session.RecorderOptions{Tool: versionText(), Command: os.Args})
		}
		o.Missed = t.screenMissed
	}
	for i := range t.Plan.Probes {
		p := &t.Plan.Probes[i]
		o.Probes = append(o.Probes, tui.Probe{Name: p.Name, Func: p.Func, How: p.How, Tells: p.Tells, Why: p.Why})
	}
	return o
}

// parseFilter parses what was typed to choose among the writes.
func parseFilter(text string) (tui.Matcher, error) {
	f, err := rowfilter.Parse(text)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ownUsage is what this process has taken.
func ownUsage() tui.Usage {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return tui.Usage{}
	}
	return tui.Usage{CPU: time.Duration(u.Utime.Nano() + u.Stime.Nano()), Memory: uint64(u.Maxrss) << 10}
}

// isASCII reports whether the locale says that the terminal shows nothing but ASCII. No
// locale at all says nothing: so it is in a virtual machine.
func isASCII(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return false
}

// screenMissed tells how often the kernel skipped the programs of each function.
func (t *trace) screenMissed() (missed map[string]uint64, err error) {
	late := t.Order(func() {
		var stats []probes.ProbeStats
		stats, err = t.kernel.Stats()
		missed = make(map[string]uint64, len(stats))
		for _, p := range stats {
			missed[p.Func] += p.Missed
		}
	})
	return missed, cmp.Or(late, err)
}
