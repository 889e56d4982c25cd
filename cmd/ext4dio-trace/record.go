package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// recordOptions are the flags of record.
type recordOptions struct {
	captureFlags
	file    session.RecorderOptions
	maxSize string
	redact  redactFlags
}

// newRecordCmd makes the command that writes a trace file.
func newRecordCmd() *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record -o FILE [flags] [-- COMMAND [arguments]]",
		Short: "record every ext4 direct write in a file",
		Long: `Record every direct write on ext4 in a file, as the kernel told it: view, check,
explain and export read it, anywhere and without privileges, and a later version
can judge it again.

Each write is in the file a second later at most, and a recording that is
killed can be read to there. With --max-size it ends when the file is about that
large; with --rotate N as well it goes on in a new one, and the last N stay as
FILE.1 (the newest) to FILE.N. Given together, they are one recording again.

SIGUSR1 makes it list on stderr the writes that are in the kernel now, and where.
Those that have not returned when it ends are recorded as they are then.

The file holds command and file names, the kernel's version, the mounted ext4
file systems with their options, and the command line of the recording.

` + redactHelp + `
They are taken out before anything is written.`,
		Example: `  ext4dio-trace record -o db.e4d --path /data/db --for 1m
  ext4dio-trace record -o fio.e4d -- fio job.fio
  ext4dio-trace record -o ring.e4d --max-size 100M --rotate 3
  ext4dio-trace record -o send.e4d --redact --for 1m
  ssh host ext4dio-trace record -o - --for 10s >host.e4d`,
		Args: o.takeCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVarP(&o.file.Path, "output", "o", "", "write to this `FILE`; - is standard output")
	registerFilter(&o.filter, fl)
	fl.StringVar(&o.maxSize, "max-size", "", "end when the file has this `SIZE`, such as 100M")
	fl.IntVar(&o.file.Rotate, "rotate", 0, "with --max-size: go on in a new file and keep the last `N`")
	fl.BoolVar(&o.file.HostName, "host-name", false, "put this machine's name into the file")
	o.redact.register(fl)
	o.captureFlags.register(fl)
	return cmd
}

const recordHint = progName + " record -o trace.e4d"

// check looks for wrong usage that needs no kernel to be seen.
func (o *recordOptions) check() error {
	if o.file.Path == "" {
		return usagef(recordHint, "no output given")
	}
	if o.maxSize != "" {
		n, err := kernelvm.ParseSize(o.maxSize)
		if err != nil || n < 64<<10 {
			return usagef("--max-size 100M", "--max-size %q is no size of at least 64K", o.maxSize)
		}
		o.file.MaxSize = n
	}
	switch {
	case o.file.Rotate < 0 || o.file.Rotate > 1000:
		return usagef("--rotate 3", "--rotate must be between 0 and 1000")
	case o.file.Rotate > 0 && o.file.MaxSize == 0:
		return usagef("--max-size 100M --rotate 3", "--rotate needs --max-size")
	case o.file.Rotate > 0 && o.file.Path == "-":
		return usagef("-o FILE", "standard output cannot be rotated")
	}
	if err := outfile.Check([]string{o.redact.key}, outfile.Out{Flag: "-o", Path: o.file.Path}); err != nil {
		return err
	}
	return o.captureFlags.check()
}

func (o *recordOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	r, err := o.redact.redactor()
	if err != nil {
		return err
	}
	if r != nil {
		o.file.Redact = r
	}
	return o.attached(ctx, &o.file, recordAll)
}

// recordAll records until ctx ends, the file is full or the command has ended.
func recordAll(ctx context.Context, c *capture) error {
	names := session.NewNames()
	defer names.Close()
	if err := c.out.Begin(&c.Kernel, c.Began(), "auto", names); err != nil {
		return err
	}
	cmd, err := c.hold(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	defer cmd.Stop()
	note(os.Stderr, "%s", c.Banner("recording"))
	defer onRequest(ctx, os.Stderr, func() ([]export.Inside, error) { return c.InsideNow(names, true) })()
	shown := newProgress(os.Stderr, c.out)
	idle := newQuiet(func(text string) {
		shown.clear()
		note(os.Stderr, "%s", text)
	})
	run, err := c.out.Start(ctx, c, cmd, func(l *record.Losses) {
		shown.show(l)
		idle.look(&export.Summary{Losses: *l})
	})
	if err != nil {
		return err
	}
	err = run.Wait()
	shown.clear()
	outcome := ended(cmd)
	if err != nil {
		if outcome != "" {
			note(os.Stderr, "%s", outcome)
		}
		return err
	}
	return sayRecorded(os.Stderr, c.out, run.Losses(), c.Unreturned(names), outcome)
}

// sayRecorded says what was recorded and lost, with the outcome of the command if there was
// one, and makes the exit status. The writes that had not returned are recorded, too.
func sayRecorded(w io.Writer, out *session.Recorder, l *record.Losses, unreturned []export.Inside, outcome string) error {
	s := export.Summary{Losses: *l}
	for i := range unreturned {
		s.Totals.Add(&unreturned[i].Row)
	}
	s.Totals.Inside = unreturned // with their stacks
	s.Totals.Writes, _ = out.Written()
	s.Totals.Writes -= min(s.Totals.Writes, s.Totals.Unreturned)
	nothing := s.NothingSeen()
	if nothing != "" {
		fmt.Fprintln(w, nothing)
	}
	if l.Any() {
		fmt.Fprintf(w, "LOST: %s\n", l)
	}
	if n := s.Unaccounted(); n > 0 {
		fmt.Fprintf(w, "UNACCOUNTED: %d writes entered the kernel, and it is not known what became of them\n", n)
	}
	_, _ = io.WriteString(w, s.InsideText())
	if l.Filtered > 0 && nothing == "" {
		fmt.Fprintf(w, "left out: %s\n", l.LeftOut())
	}
	said := out.Outcome()
	if outcome != "" {
		said += "; " + outcome
	}
	note(w, "%s", said)
	if l.Any() || l.Unfinished > 0 || s.Unaccounted() > 0 {
		return &exit.Error{Code: exit.Unproven}
	}
	return sawNothing(&s, outcome)
}

// progressEvery is how often the progress line changes.
const progressEvery = 500 * time.Millisecond

// progress is one line on a terminal that is written over and over. Elsewhere it shows
// nothing.
type progress struct {
	out    *os.File // nil for none
	r      *session.Recorder
	began  time.Time
	shown  time.Time
	writes uint64 // when it was shown last
}

func newProgress(out *os.File, r *session.Recorder) *progress {
	if !isTerminal(out) {
		out = nil
	}
	now := time.Now()
	return &progress{out: out, r: r, began: now, shown: now}
}

// show brings the line up to date, now and then.
func (p *progress) show(l *record.Losses) {
	if p.out == nil {
		return
	}
	now := time.Now()
	since := now.Sub(p.shown)
	if since < progressEvery {
		return
	}
	writes, bytes := p.r.Written()
	fmt.Fprintf(p.out, "\r\x1b[K%s  %d writes  %.0f/s  %s  %s", now.Sub(p.began).Round(100*time.Millisecond), writes,
		float64(writes-p.writes)/since.Seconds(), session.Size(bytes), l)
	p.shown, p.writes = now, writes
}

// clear removes the line.
func (p *progress) clear() {
	if p.out != nil {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
