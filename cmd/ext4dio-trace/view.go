package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// newViewCmd makes the command that shows a trace file as live shows a kernel.
func newViewCmd() *cobra.Command {
	var o liveOptions
	var pace paceFlags
	cmd := &cobra.Command{
		Use:   "view [flags] FILE…",
		Short: "show a recorded trace as live shows a kernel",
		Long: `Show what record has recorded: on a terminal in the live view, otherwise, or with
--plain, one line a write, with --json one object a line. Several files have to be
parts of one recording (record --rotate). A FILE of - is standard input.

Totals and exit status are those of live: what could not be read counts as lost.`,
		Example: `  ext4dio-trace view db.e4d
  ext4dio-trace view --plain --only differs,unsafe,slower db.e4d
  ext4dio-trace view --json db.e4d | jq .lock
  ext4dio-trace view --speed 1 db.e4d`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error { return runView(cmd.Context(), &o, &pace, args) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	o.registerShow(fl)
	pace.register(fl)
	return cmd
}

// needFile wants the name of a trace.
func needFile(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef(cmd.CommandPath()+" trace.e4d", "no trace given")
	}
	return nil
}

func runView(ctx context.Context, o *liveOptions, pace *paceFlags, paths []string) error {
	if err := errors.Join(o.checkShow(), pace.check()); err != nil {
		return err
	}
	all, err := openTraces(paths)
	if err != nil {
		return err
	}
	defer closeTraces(all)
	if len(all) > 1 {
		return usagef(progName+" view "+paths[0], "%d recordings are given, and one can be shown", len(all))
	}
	in := all[0]
	facts, plan, err := recordedKernel(in.Info())
	if err != nil {
		return notATrace(err)
	}
	t, err := newTraceNaming(facts, plan, in.Doubt, o, in)
	if err != nil {
		return err
	}
	t.file, t.start = in, in.Info().Monotonic
	if paths[0] != "-" {
		t.paths = paths
	}
	return t.run(ctx, pace.source(in), nil)
}

// openTraces opens the files of one or several recordings. The error is one of usage
// when a file is not there or is no trace.
func openTraces(paths []string) ([]*tracefile.Recording, error) {
	if len(paths) == 1 && paths[0] == "-" {
		r, err := tracefile.NewReader(os.Stdin)
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
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tracefile.ErrVersion):
		return &exitError{code: exitUnfit, msg: err.Error(), hint: "use a newer " + progName}
	case errors.Is(err, tracefile.ErrFormat), errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return &exitError{code: exitUsage, msg: err.Error()}
	}
	return err
}

func closeTraces(all []*tracefile.Recording) {
	for _, r := range all {
		_ = r.Close() // nothing was written
	}
}
