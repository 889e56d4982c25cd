package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// newViewCmd makes the command that shows a trace file as live shows a kernel.
func newViewCmd() *cobra.Command {
	var o liveOptions
	var pace replay.Pace
	cmd := &cobra.Command{
		Use:   "view [flags] FILE…",
		Short: "show a recorded trace as live shows a kernel",
		Long: `Show what record has recorded: on a terminal in the live view, otherwise, or with
--plain, one line a write, with --json one object a line. Several files have to be
parts of one recording (record --rotate). A FILE of - is standard input.

Totals and exit status are those of live: what could not be read counts as lost.`,
		Example: `  ext4dio-trace view db.e4d
  ext4dio-trace view --plain --only differs,unsafe,slower db.e4d
  ext4dio-trace view --json db.e4d | jq '.lock // empty'
  ext4dio-trace view --speed 1 db.e4d`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error { return runView(cmd.Context(), &o, pace, args) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	o.registerShow(fl)
	fl.Float64Var(&pace.Rate, "rate", 0, "replay this many writes a second")
	fl.Float64Var(&pace.Speed, "speed", 0, "replay by the recorded times: 1 as it happened, 10 ten times as fast")
	return cmd
}

// checkPace refuses what cannot be meant.
func checkPace(p replay.Pace) error {
	const most = 1e9 // a second, and times as fast
	switch {
	case p.Rate != 0 && p.Speed != 0:
		return usagef("--rate 50000", "--rate and --speed exclude each other")
	case !(p.Rate == 0 || p.Rate >= 1e-3 && p.Rate <= most):
		return usagef("--rate 50000", "--rate %g is no number of writes a second", p.Rate)
	case !(p.Speed == 0 || p.Speed >= 1e-3 && p.Speed <= most):
		return usagef("--speed 1", "--speed %g is no speed", p.Speed)
	}
	return nil
}

func runView(ctx context.Context, o *liveOptions, pace replay.Pace, paths []string) error {
	if err := errors.Join(o.checkShow(), checkPace(pace), o.checkSummary(paths)); err != nil {
		return err
	}
	in, err := openTrace(paths, progName+" view "+paths[0], "shown")
	if err != nil {
		return err
	}
	defer in.Close()
	k, err := replay.Kernel(ctx, in, o.variant)
	if err != nil {
		return err
	}
	elapsed := func() time.Duration { return replay.Length(in) }
	t, err := newTrace(&k, session.Options{Doubt: in.Doubt, Names: in, Elapsed: elapsed}, o)
	if err != nil {
		return err
	}
	t.file, t.doing, t.start = in, "recorded", in.Info().Monotonic
	if paths[0] != "-" {
		t.paths = paths
	}
	return t.run(ctx, pace.Source(in))
}
