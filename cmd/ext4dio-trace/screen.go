package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
	"github.com/ext4dio/ext4dio-trace/record"
	reports "github.com/ext4dio/ext4dio-trace/report"
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

// Anew implements session.Counter.
func (s screenSink) Anew() func(*export.Row) {
	s.c.Anew()
	return func(r *export.Row) { s.c.Add(r, false) }
}

// Note implements session.Noter.
func (s screenSink) Note(text string) { s.c.SetNote(oneLine(text)) }

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
	t.watched(t.Tell)
	if t.kernel != nil {
		t.Look = newQuiet(t.Tell).look
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	if t.kernel != nil { // the screen has a tab of it
		defer onRequest(ctx, io.Discard, t.insideNow)()
	}
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
	o.Variants, o.Other = append(model.VariantNames(), whatif.Deciding()...), t.Detector().Best().Other().String()
	if t.file == nil {
		o.WhatIf = t.screenWhatIf
		o.Record = func(on bool) (string, error) {
			return t.Record(on, session.RecorderOptions{Tool: versionText(), Command: os.Args})
		}
		o.Missed, o.Inside = t.screenMissed, t.insideNow
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

// screenMissed tells how often the kernel skipped the programs of each function; what is
// counted for several of them together is told of each.
func (t *trace) screenMissed() (missed map[string]uint64, err error) {
	missed = make(map[string]uint64)
	err = t.Order(func() error {
		stats, err := t.kernel.Stats()
		for _, p := range stats {
			for _, name := range p.Funcs {
				missed[name] += p.Missed
			}
		}
		return err
	})
	return missed, err
}

// screenReport writes a report from the screen into a new folder: of the whole recording
// that is shown, and of a kernel of what is kept.
func (t *trace) screenReport(rows []tui.Numbered, s export.Summary) (string, error) {
	flags := reportFlags{out: "ext4dio-report-" + time.Now().Format("20060102-150405")}
	if t.paths != nil {
		in, err := openTrace(t.paths, "", "reported")
		if err != nil {
			return "", err
		}
		defer in.Close()
		p, err := recorded.Report(context.Background(), in, recorded.ReportOptions{Variant: t.opts.variant, Tool: versionText()})
		if err != nil {
			return "", err
		}
		return flags.written(p)
	}
	return flags.written(t.keptReport(rows, s))
}

// keptReport makes a report of the writes that are kept, and says what is not in it.
func (t *trace) keptReport(rows []tui.Numbered, s export.Summary) *reports.Report {
	names := keptNames{}
	p := &reports.Report{Title: "Direct writes on ext4, Linux " + t.Facts.Release, Names: names}
	for i := range rows {
		r := &rows[i].Row
		if r.Path != "" {
			names[r.File()] = r.Path
		}
		p.Add(r)
	}
	kept := p.Summary.Totals
	all := s.Totals.Writes
	p.Summary = s
	p.Summary.Totals = kept
	if kept.Writes < all {
		p.Missing = append(p.Missing, fmt.Sprintf("made from the live view: %d of the %d writes that were seen are in it, the newest and the first of each kind of disagreement; "+
			"a report of all needs a recording (live --record, or r)", kept.Writes, all))
	}
	n, missing := t.Attached()
	p.Facts = []reports.Fact{
		{Name: "kernel", Value: t.Facts.Release}, {Name: "probes", Value: fmt.Sprintf("%d attached (%s)", n, t.Plan.Mode)},
		{Name: "reported by", Value: progName + " " + versionText()}, {Name: "judged as", Value: s.Variant},
		{Name: "because", Value: strings.Join(s.Evidence, "; ")},
	}
	for _, f := range missing {
		p.Missing = append(p.Missing, "the probe for "+f+" was not attached: what it would have seen is not judged")
	}
	return p
}

// keptNames are the names of files that rows have.
type keptNames map[export.FileID]string

// Path implements export.Names.
func (k keptNames) Path(id record.NameID) string { return k[id.FileID] }

// written writes p and says where.
func (f *reportFlags) written(p *reports.Report) (string, error) {
	if err := f.write(p, nil); err != nil {
		return "", err
	}
	text := fmt.Sprintf("wrote %s/: report.html, report.txt", f.out)
	if n := p.Kinds(); n > 0 {
		text += fmt.Sprintf(", repeat-1.sh to repeat-%d.sh", n)
	}
	return text, nil
}

// screenWindow hands the screen parts of the recording that it shows. The first call
// judges all of it once more, to know where which write is.
type screenWindow struct {
	ctx     context.Context
	paths   []string
	variant string

	mu sync.Mutex
	w  *replay.Window
}

// rows returns the writes that are asked for.
func (s *screenWindow) rows(k tui.Seek) ([]tui.Numbered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.w == nil {
		in, err := openTrace(s.paths, "", "shown")
		if err != nil {
			return nil, err
		}
		w, err := replay.NewWindow(s.ctx, in, s.variant)
		if err != nil {
			return nil, errors.Join(err, in.Close())
		}
		s.w = w
	}
	number, n := max(k.At, 1), s.w.Writes()
	switch {
	case !k.ByNumber:
		if number, err = s.w.NumberAt(s.w.Began() + k.At); err != nil {
			return nil, err
		}
	case k.Before && k.Match == nil:
		n = uint64(k.N)
		number -= min(n, number-1)
	case k.Before:
		number, n = 1, number-1
	}
	return s.find(number, n, k)
}

// find returns up to k.N of n writes from a number on that match: the first ones, or those
// before k.At the last ones.
func (s *screenWindow) find(number, n uint64, k tui.Seek) ([]tui.Numbered, error) {
	var out []tui.Numbered
	if k.Match == nil {
		n = min(n, uint64(k.N))
	}
	err := s.w.Each(number, int(min(n, math.MaxInt)), func(r *export.Row) bool {
		if k.Match == nil || k.Match.Match(r) {
			out = append(out, tui.Numbered{Row: r.Clone(), Number: number})
			if len(out) > 2*k.N {
				out = append(out[:0], out[len(out)-k.N:]...)
			}
		}
		number++
		return (k.Before || len(out) < k.N) && s.ctx.Err() == nil
	})
	return out[max(len(out)-k.N, 0):], err
}

// close closes the recording.
func (s *screenWindow) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w != nil {
		_ = s.w.Close() // nothing was written
	}
}

// screenWhatIf counts what a variant, or a change of the application, would do with the writes
// that come from now on.
func (t *trace) screenWhatIf(variant string) (out whatif.Decisions, err error) {
	err = t.Order(func() error {
		switch to, err := whatif.ParseChange(variant); {
		case variant == "":
			t.counter, t.counted, t.Seen = nil, "", nil
			return nil
		case err != nil:
			return err
		case t.counted != variant:
			c := whatif.NewChanged(to, t.Detector().Best())
			t.counter, t.counted = c, variant
			t.Seen = func(o *observe.Observation, v *judge.Verdict) { c.Add(o, string(v.Reason)) }
		}
		out = changedFirst(t.counter.Decisions())
		return nil
	})
	if variant == "" { // there is nothing to count, after the end as well
		return out, nil
	}
	return out, err
}

// changedFirst sorts what would change to the front: it is what one looks for.
func changedFirst(d whatif.Decisions) whatif.Decisions {
	changes := func(c *whatif.Cell) int {
		if c.Now != c.Then {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(d.Cells, func(a, b whatif.Cell) int { return cmp.Compare(changes(&a), changes(&b)) })
	return d
}

// recordedWhatIf decides all writes of a recording under other variants, each once.
type recordedWhatIf struct {
	ctx    context.Context
	paths  []string
	traced string // variant

	mu   sync.Mutex
	done map[string]whatif.Decisions
}

func (r *recordedWhatIf) counts(variant string) (whatif.Decisions, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.done[variant]; ok || variant == "" {
		return known, nil
	}
	to, err := whatif.ParseChange(variant)
	if err != nil {
		return whatif.Decisions{}, err
	}
	in, err := openTrace(r.paths, "", "simulated")
	if err != nil {
		return whatif.Decisions{}, err
	}
	defer in.Close()
	d, err := recorded.Decisions(r.ctx, in, r.traced, to)
	if err != nil {
		return whatif.Decisions{}, err
	}
	if r.done == nil {
		r.done = make(map[string]whatif.Decisions)
	}
	r.done[variant] = changedFirst(d)
	return r.done[variant], nil
}
