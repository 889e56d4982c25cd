package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/tui"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// maxOutput is how much of a command's output is kept while a screen is shown.
const maxOutput = 16 << 10

// screenSink feeds the screen.
type screenSink struct {
	c *tui.Collector
	t *trace
}

func (s screenSink) row(r *export.Row, shown bool) { s.c.Add(r, shown) }

func (s screenSink) flush(sum *export.Summary) error {
	if s.c.WantsSummary() {
		s.c.SetSummary(sum)
		s.c.SetRecording(s.t.recording != nil)
	}
	return nil
}

// runScreen shows the live view. With a command, the screen stays when that has
// ended, so that what was seen can be looked at.
func (t *trace) runScreen(ctx context.Context, src source, hold holder) error {
	var cmd *command
	output := &tail{}
	if hold != nil {
		var err error
		if cmd, err = hold(nil, output); err != nil {
			return err
		}
		defer cmd.stop()
	}
	collector := tui.NewCollector(t.file != nil, ownUsage)
	t.sink, t.tell = screenSink{collector, t}, collector.SetNote
	p := newPump(src)
	// Before anything is judged: the judge belongs to consume alone from then on.
	options := t.screenOptions(collector, p, cmd == nil && t.file == nil)
	go p.run()

	ctx, quit := context.WithCancel(ctx)
	defer quit()
	stopped := stopper(ctx, p, cmd)
	consumed := make(chan error, 1)
	go func() {
		err := t.consume(p)
		collector.SetSummary(&t.summary)
		if t.file != nil && t.file.Missing() != nil {
			collector.SetMissing(oneLine(t.file.Missing().Error()))
		}
		switch {
		case err != nil:
			collector.SetNote("tracing ended: " + err.Error())
		case cmd != nil && ctx.Err() == nil:
			note := t.opts.command[0] + " " + cmd.outcome()
			if last := output.last(); last != "" && cmd.failed() {
				note += ": " + last
			}
			collector.SetNote(note)
		}
		collector.End()
		consumed <- err
	}()
	if cmd != nil {
		if err := cmd.release(); err != nil {
			quit()
			return errors.Join(fmt.Errorf("start %s: %w", t.opts.command[0], err), <-consumed)
		}
	}
	if t.paths != nil {
		parts := &screenWindow{ctx: ctx, paths: t.paths, variant: t.opts.variant}
		defer parts.close()
		options.Window = parts.rows
		options.WhatIf = (&recordedWhatIf{ctx: ctx, paths: t.paths, traced: t.opts.variant}).counts
	}
	screenErr := tui.Run(ctx, collector.Snapshots(ctx), options)
	quit()
	<-stopped
	err := <-consumed
	if text := output.bytes(); len(text) > 0 {
		os.Stderr.Write(text)
	}
	return t.finish(errors.Join(screenErr, err), cmd)
}

func (t *trace) screenOptions(c *tui.Collector, p *pump, quitAtEnd bool) tui.Options {
	// The leader of a session has no shell above it that could continue it.
	sid, err := unix.Getsid(0)
	o := tui.Options{
		Kernel: t.facts.Release, Mode: t.plan.Mode, QuitAtEnd: quitAtEnd, Recording: t.file != nil, Start: t.start,
		NoColor: os.Getenv("NO_COLOR") != "", ASCII: isASCII(os.Getenv),
		CanSuspend: err == nil && sid != os.Getpid(),
		Filter:     parseFilter, SetFilter: c.SetFilter, Report: t.screenReport,
	}
	o.Attached, o.Missing = attachedProbes(t.plan)
	o.Variants, o.Other = model.VariantNames(), otherVariant(t.judge)
	if t.file == nil {
		o.WhatIf = t.screenWhatIf
		o.Record = func(on bool) (string, error) { return t.screenRecord(p, on) }
		if session, ok := p.src.(*probes.Session); ok {
			o.Missed = func() (map[string]uint64, error) { return t.screenMissed(session) }
		}
	}
	for i := range t.plan.Probes {
		p := &t.plan.Probes[i]
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

// attachedProbes counts the probes that are attached and names the functions of
// the others.
func attachedProbes(p *probes.Plan) (n int, missing []string) {
	for i := range p.Probes {
		if p.Probes[i].Attached() {
			n++
		} else {
			missing = append(missing, p.Probes[i].Func)
		}
	}
	return n, missing
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*maxOutput {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-maxOutput:]...)
	}
	return len(b), nil
}

// last returns the last line that says something, and is no hint on what to do.
func (t *tail) last() string {
	lines := strings.Split(string(t.bytes()), "\n")
	for _, line := range slices.Backward(lines) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "hint:") {
			return line
		}
	}
	return ""
}

// bytes returns what is kept, in whole lines.
func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buf
	if len(b) > maxOutput {
		b = b[len(b)-maxOutput:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		}
	}
	return b
}
