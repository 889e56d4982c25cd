package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/advice"
	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// trace is one run of live or view: what is traced, shown on a screen or in lines.
type trace struct {
	*session.Trace
	opts   *liveOptions
	kernel *capture             // nil for a file
	file   *tracefile.Recording // what the records come from instead of a kernel
	paths  []string             // of the file, when it can be read again
	doing  string               // what is said of the writes: tracing, recorded
	stderr io.Writer
	start  uint64 // when the first write could be seen, ns of CLOCK_MONOTONIC

	watch   *expect.Watch   // what is expected of the writes, nil for nothing
	counter *whatif.Counter // of the variant that the screen asks for, nil for none
	counted string          // its name

	coverage *coverage.Coverage // of all writes, nil when it is not asked for
}

// newTrace returns a trace of a kernel, which the caller closes.
func newTrace(k *session.Kernel, so session.Options, o *liveOptions) (*trace, error) {
	so.Variant = o.variant
	t, err := session.New(k, so)
	if err == nil {
		adviser := advice.New()
		adviser.NoWaits = k.Maker(nil).NoWaits
		t.Adviser = adviser
	}
	out := &trace{Trace: t, opts: o, doing: "tracing", stderr: os.Stderr}
	if err == nil {
		out.covered()
	}
	return out, err
}

// run traces until ctx or the command, if there is one, ends.
func (t *trace) run(ctx context.Context, src session.Source) error {
	if t.opts.wantsScreen() {
		return t.runScreen(ctx, src)
	}
	return t.runLines(ctx, src)
}

// runLines writes lines to stdout.
func (t *trace) runLines(ctx context.Context, src session.Source) error {
	cmd, err := t.kernel.hold(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	defer cmd.Stop()
	lines := t.opts.lines(os.Stdout, export.Text{Color: wantsColor(os.Stdout), Start: t.start})
	if lines.Start, err = t.StartLine(t.opts.variant, t.start); err != nil {
		return err
	}
	t.Sink = lines
	t.watched(func(text string) { note(t.stderr, "%s", text) })
	if t.kernel != nil {
		t.Look = newQuiet(func(text string) { note(t.stderr, "%s", text) }).look
	}
	note(t.stderr, "%s", t.Banner(t.doing))
	if t.kernel != nil {
		defer onRequest(ctx, t.stderr, t.insideNow)()
	}
	run, err := t.Start(ctx, src, cmd)
	if err != nil {
		return err
	}
	err = run.Wait()
	t.sumCoverage()
	if err == nil {
		if err = lines.End(&t.Summary); session.IsClosedPipe(err) {
			err = nil
		}
	}
	return t.finish(err, cmd)
}

// insideNow lists the writes that are in the kernel.
func (t *trace) insideNow() ([]export.Inside, error) { return t.InsideNow(t.kernel.Capture) }

// lines is the sink that writes the chosen rows in the chosen form.
func (o *liveOptions) lines(w io.Writer, text export.Text) *session.Lines {
	return &session.Lines{Out: w, JSON: o.json, Shows: o.shows, Holds: o.choosesAll(), Text: text}
}

// finish says how it ended and returns what the exit status is made from.
func (t *trace) finish(err error, cmd *tracee.Command) error {
	outcome := ended(cmd)
	wrong := t.Summary.Totals.Disagreements() > 0
	if err != nil && !wrong {
		if outcome != "" {
			note(t.stderr, "%s", outcome)
		}
		return err
	}
	for _, text := range t.Recordings() {
		note(t.stderr, "%s", text)
	}
	missing := t.file != nil && replay.SayMissing(t.stderr, t.file)
	// The user may have closed stderr too; there is nobody to tell then.
	_, _ = t.Summary.WriteTo(t.stderr)
	t.sayCoverage()
	expected := t.expected()
	if outcome != "" {
		note(t.stderr, "%s", outcome)
	}
	err = foremost(err, t.writeSummary())
	if err != nil && !wrong {
		return err
	}
	return foremost(err, expected, cmp.Or(exitStatus(&t.Summary, missing), sawNothing(&t.Summary, outcome)))
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
	return outfile.Out{Flag: "--summary", Path: t.opts.summary}.Write(func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
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

// needFile wants the name of a trace.
func needFile(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef(cmd.CommandPath()+" trace.e4d", "no trace given")
	}
	return nil
}

// stdin is standard input, of which the beginning can be looked at first.
var stdin = sync.OnceValue(func() *bufio.Reader { return bufio.NewReader(os.Stdin) })

// openTraces opens the files of one or several recordings. The error is one of usage
// when a file is not there or is no trace.
func openTraces(paths []string) ([]*tracefile.Recording, error) {
	if len(paths) == 1 && paths[0] == "-" {
		r, err := tracefile.NewReader(stdin())
		if err != nil {
			return nil, notATrace(err)
		}
		return []*tracefile.Recording{tracefile.NewRecording(r)}, nil
	}
	all, err := tracefile.OpenRecordings(paths...)
	return all, notATrace(err)
}

// notATrace makes the errors of opening a trace ones of usage. One that a later version
// has made is a matter of this machine.
func notATrace(err error) error {
	var file *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tracefile.ErrVersion):
		return &exit.Error{Code: exit.Unfit, Msg: err.Error(), Hint: "use a newer " + progName}
	case errors.Is(err, syscall.EISDIR) && errors.As(err, &file):
		return usagef("name the recordings in it", "%s is a folder", file.Path)
	case errors.As(err, &file) && (errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission)):
		return usagef("", "%s: %v", file.Path, file.Err)
	case errors.Is(err, tracefile.ErrTwice):
		return &exit.Error{Code: exit.Usage, Msg: err.Error(), Hint: "name each recording once"}
	case errors.Is(err, tracefile.ErrFormat), errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return &exit.Error{Code: exit.Usage, Msg: err.Error()}
	}
	return err
}

// openTrace opens the files of the one recording that a command takes. The hint is what can
// be typed instead of several, done what would be done with them.
func openTrace(paths []string, hint, done string) (*tracefile.Recording, error) {
	all, err := openTraces(paths)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		closeTraces(all)
		return nil, usagef(hint, "%d recordings are given, and one can be %s", len(all), done)
	}
	return all[0], nil
}

func closeTraces(all []*tracefile.Recording) {
	for _, r := range all {
		_ = r.Close() // nothing was written
	}
}
