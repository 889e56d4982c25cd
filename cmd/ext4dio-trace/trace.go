package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// trace is one run of live or view: what is traced, shown on a screen or in lines.
type trace struct {
	*session.Trace
	opts   *liveOptions
	file   *tracefile.Recording // what the records come from instead of a kernel
	paths  []string             // of the file, when it can be read again
	stderr io.Writer
	start  uint64 // when the first write could be seen, ns of CLOCK_MONOTONIC

	counter *whatif.Counter // of the variant that the screen asks for, nil for none
	counted string          // its name
}

// newTrace returns a trace of a kernel, which the caller closes.
func newTrace(k *session.Kernel, so session.Options, o *liveOptions) (*trace, error) {
	so.Variant = o.variant
	t, err := session.New(k, so)
	return &trace{Trace: t, opts: o, stderr: os.Stderr}, err
}

// run traces until ctx or the command, if there is one, ends.
func (t *trace) run(ctx context.Context, src session.Source, hold holder) error {
	if t.opts.wantsScreen() {
		return t.runScreen(ctx, src, hold)
	}
	return t.runLines(ctx, src, hold)
}

// runLines writes lines to stdout.
func (t *trace) runLines(ctx context.Context, src session.Source, hold holder) error {
	cmd, err := hold(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	if cmd != nil {
		defer cmd.Stop()
	}
	t.Sink = t.opts.lines(os.Stdout, export.Text{Color: wantsColor(os.Stdout), Start: t.start})
	note(t.stderr, "%s", t.banner())
	run, err := t.Start(ctx, src, cmd)
	if err != nil {
		return err
	}
	return t.finish(run.Wait(), cmd)
}

// lines is the sink that writes what is chosen in the form that is wanted.
func (o *liveOptions) lines(w io.Writer, text export.Text) *session.Lines {
	return &session.Lines{Out: w, JSON: o.json, Shows: o.shows, Text: text}
}

// banner says what is traced, once everything is attached.
func (t *trace) banner() string {
	if t.file != nil {
		return t.Banner("recorded")
	}
	return t.Banner("tracing")
}

// finish says how it ended and returns what the exit status is made from.
func (t *trace) finish(err error, cmd *tracee.Command) error {
	ended(t.stderr, cmd)
	if err != nil {
		return err
	}
	for _, text := range t.Recordings() {
		note(t.stderr, "%s", text)
	}
	missing := t.file != nil && replay.SayMissing(t.stderr, t.file)
	// The user may have closed stderr too; there is nobody to tell then.
	_, _ = t.Summary.WriteTo(t.stderr)
	if err := t.writeSummary(); err != nil {
		return err
	}
	return exitStatus(&t.Summary, missing)
}

// writeSummary writes the totals for programs, when asked for.
func (t *trace) writeSummary() error {
	if t.opts.summary == "" {
		return nil
	}
	b, err := t.Summary.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.opts.summary, b, 0o644); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// exitStatus is the end of a trace, of which something may be missing, as an error: nil when
// all is well.
func exitStatus(s *export.Summary, missing bool) error {
	switch {
	case s.Totals.Disagreements() > 0:
		return &exit.Error{Code: exit.Disagree}
	case missing || s.Unproven():
		return &exit.Error{Code: exit.Unproven}
	}
	return nil
}
