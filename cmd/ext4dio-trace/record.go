package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/record"
)

// recordOptions are the flags of record.
type recordOptions struct {
	captureFlags
	file    recordFlags
	maxSize string
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

What is recorded is in the file a second later at most, and a recording that is
killed can be read to there. With --max-size it ends when the file is about that
large; with --rotate N as well it goes on in a new one, and the last N stay as
FILE.1 (the newest) to FILE.N. Given together, they are one recording again.

The file holds command and file names, the kernel's version, the mounted ext4
file systems with their options, and the command line of the recording.`,
		Example: `  ext4dio-trace record -o db.e4d --path /data/db --for 1m
  ext4dio-trace record -o fio.e4d -- fio job.fio
  ext4dio-trace record -o ring.e4d --max-size 100M --rotate 3
  ssh host ext4dio-trace record -o - --for 10s >host.e4d`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.command, err = afterDash(cmd, args); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVarP(&o.file.path, "output", "o", "", "write to this `FILE`; - is standard output")
	o.filter.register(fl)
	fl.StringVar(&o.maxSize, "max-size", "", "end when the file has this `SIZE`, such as 100M")
	fl.IntVar(&o.file.rotate, "rotate", 0, "with --max-size: go on in a new file and keep the last `N`")
	fl.BoolVar(&o.file.hostName, "host-name", false, "put this machine's name into the file")
	o.captureFlags.register(fl)
	return cmd
}

const recordHint = progName + " record -o trace.e4d"

// check looks for wrong usage that needs no kernel to be seen.
func (o *recordOptions) check() error {
	if o.file.path == "" {
		return usagef(recordHint, "no output given")
	}
	if o.maxSize != "" {
		n, err := kernelvm.ParseSize(o.maxSize)
		if err != nil || n < 64<<10 {
			return usagef("--max-size 100M", "--max-size %q is no size of at least 64K", o.maxSize)
		}
		o.file.maxSize = n
	}
	switch {
	case o.file.rotate < 0 || o.file.rotate > 1000:
		return usagef("--rotate 3", "--rotate must be between 0 and 1000")
	case o.file.rotate > 0 && o.file.maxSize == 0:
		return usagef("--max-size 100M --rotate 3", "--rotate needs --max-size")
	case o.file.rotate > 0 && o.file.path == "-":
		return usagef("-o FILE", "standard output cannot be rotated")
	}
	return o.captureFlags.check()
}

func (o *recordOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	po, err := o.probeOptions()
	if err != nil {
		return err
	}
	path, err := o.findCommand()
	if err != nil {
		return err
	}
	out, err := openRecording(&o.file, &po, os.Stderr)
	if err != nil {
		return err
	}
	defer out.close()
	facts, plan, session, err := attach(po)
	if err != nil {
		return err
	}
	err = o.capture(ctx, facts, plan, session, path, out)
	if cerr := session.Close(); err == nil {
		err = cerr
	}
	return err
}

// capture records until ctx ends, the time is over, the file is full or the command has
// ended.
func (o *recordOptions) capture(ctx context.Context, facts *probes.Facts, plan *probes.Plan, session *probes.Session, path string, out *recording) error {
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	names := export.NewResolver()
	defer names.Close()
	if err := out.begin(facts, plan, session.Began(), "auto", names); err != nil {
		return err
	}
	var cmd *command
	if path != "" {
		var err error
		if cmd, err = o.hold(session, path, os.Stdin, os.Stderr); err != nil {
			return err
		}
		defer cmd.stop()
	}
	n, missing := attachedProbes(plan)
	text := fmt.Sprintf("recording ext4 direct writes on Linux %s: %d probes (%s)", facts.Release, n, plan.Mode)
	for i, name := range missing {
		text += []string{", without ", ", "}[min(i, 1)] + name
	}
	note(os.Stderr, "%s", text)
	p := newPump(session)
	go p.run()
	stopped := stopper(ctx, p, cmd)
	if cmd != nil {
		if err := cmd.release(); err != nil {
			p.stop.Store(true)
			return errors.Join(fmt.Errorf("start %s: %w", o.command[0], err), recordAll(p, out, nil))
		}
	}
	var shown *progress
	if isTerminal(os.Stderr) {
		shown = newProgress(os.Stderr)
	}
	err := recordAll(p, out, shown)
	<-stopped
	if cmd != nil {
		cmd.stop()
		note(os.Stderr, "%s %s", o.command[0], cmd.outcome())
	}
	if err != nil {
		return err
	}
	return recorded(os.Stderr, out, p.losses.Load())
}

// recordAll records everything that comes, to the end. When it fails, the rest is
// thrown away.
func recordAll(p *pump, out *recording, shown *progress) error {
	hurry()
	var failed error
	for b := range p.full {
		l := p.read.Load()
		if failed == nil {
			failed = out.batch(b, l)
		}
		if failed != nil || out.full {
			p.stop.Store(true)
		}
		p.free <- b
		if shown != nil && failed == nil {
			shown.show(out, &l.losses)
		}
	}
	if shown != nil {
		shown.clear()
	}
	if failed == nil {
		failed = out.end(p.read.Load())
	}
	if isClosedPipe(failed) {
		failed = nil
	}
	return errors.Join(failed, p.err)
}

// recorded says what was recorded and lost, and makes the exit status.
func recorded(w io.Writer, out *recording, l *record.Losses) error {
	s := export.Summary{Losses: *l}
	s.Totals.Writes = out.writes
	if l.Any() {
		fmt.Fprintf(w, "LOST: %s\n", l)
	}
	if n := s.Unaccounted(); n > 0 {
		fmt.Fprintf(w, "UNACCOUNTED: %d writes entered the kernel, and it is not known what became of them\n", n)
	}
	if l.Unfinished > 0 {
		fmt.Fprintf(w, "UNFINISHED: %d writes were still inside the kernel at the end\n", l.Unfinished)
	}
	note(w, "%s", out.outcome())
	if l.Any() || l.Unfinished > 0 || s.Unaccounted() > 0 {
		return &exitError{code: exitUnproven}
	}
	return nil
}

// progressEvery is how often the progress line changes.
const progressEvery = 500 * time.Millisecond

// progress is one line on a terminal that is written over and over.
type progress struct {
	out    io.Writer
	began  time.Time
	shown  time.Time
	writes uint64 // when it was shown last
}

func newProgress(out io.Writer) *progress {
	now := time.Now()
	return &progress{out: out, began: now, shown: now}
}

// show brings the line up to date, now and then.
func (p *progress) show(r *recording, l *record.Losses) {
	now := time.Now()
	since := now.Sub(p.shown)
	if since < progressEvery || r.w == nil {
		return
	}
	_, writes := r.w.Written()
	writes += r.writes
	fmt.Fprintf(p.out, "\r\x1b[K%s  %d writes  %.0f/s  %s  %s", now.Sub(p.began).Round(100*time.Millisecond), writes,
		float64(writes-p.writes)/since.Seconds(), size(r.size+r.w.Whole()), l)
	p.shown, p.writes = now, writes
}

// clear removes the line.
func (p *progress) clear() { fmt.Fprint(p.out, "\r\x1b[K") }
