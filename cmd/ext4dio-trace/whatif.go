package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// whatifFlags are the flags of whatif.
type whatifFlags struct {
	recorded.PredictOptions
	variant string
	app     string
	phase   string
	choose  rowFilter
	json    bool
}

// maxSweep bounds the writers of a sweep.
const maxSweep = 4096

// newWhatifCmd makes the command that predicts another variant.
func newWhatifCmd() *cobra.Command {
	var f whatifFlags
	cmd := &cobra.Command{
		Use:   "whatif [flags] FILE…",
		Short: "predict what another kernel or a changed application would do",
		Long: `whatif tells what the writes of a recorded trace would do on another kernel
(--variant), or if the application did something otherwise (--app), or both: which
of them would get another lock, and what that is worth. Without either it makes a
table of all changes that matter to this trace, the best first, and details the
first of them. The changes are, several with commas between:

` + whatif.AppHelp() + `
What a change takes by itself, such as writing blocks before, is said and not counted.

A trace is cut into phases where the writes a second, the writers or the kinds of
writes change. The answer is about the steady phase, in which writes meet most,
and names the others: a setup has little to say about the work after it.
Filters choose the writes that the answer is about; the others are simulated
beside them.

The lock of each write is decided by the model from the facts of the trace. Where
the kernel that was traced looked at a block only in its iomap phase, the fact is
taken from there, and counted. A write for which a fact is missing is undecided.

Time is simulated: i_rwsem of each inode, the tasks with their times between writes,
who else held the lock (all of them with record --holders all), and the disk with
the times of the trace. First the kernel that was traced is
simulated; when that is more than 15 % off what was measured, nothing is predicted.
What else is assumed stands at the end of the report.

Exit status: 0 predicted; 4 refused, or marked because writes are lost, incomplete
or undecided.`,
		Example: `  ext4dio-trace whatif db.e4d
  ext4dio-trace whatif db.e4d --variant linux-7.3
  ext4dio-trace whatif db.e4d --app align=4k,isize-ahead
  ext4dio-trace whatif db.e4d --app prewritten --path '*/redo*.log' --phase 2
  ext4dio-trace whatif db.e4d --variant linux-7.3 --jobs 1,2,4,8,16,32
  ext4dio-trace whatif --json db.e4d --variant patch3 | jq .sentence`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&f.variant, "variant", "", "another kernel: "+strings.Join(model.VariantNames(), ", "))
	fl.StringVar(&f.app, "app", "", "what the application does otherwise: "+strings.Join(whatif.AppNames(), ", ")+", several joined by commas, or all, a table of them")
	fl.StringVar(&f.Traced, "traced", "auto", "the traced kernel: auto, or one of these")
	fl.StringVar(&f.phase, "phase", "", "answer for this phase of the trace: steady, all, or its number (steady; all with --from or --to)")
	f.choose.register(fl)
	fl.IntSliceVar(&f.Jobs, "jobs", nil, "simulate so many writers of the same mix, too")
	fl.Uint64Var(&f.Seed, "seed", 1, "of the simulation: the same seed gives the same numbers")
	fl.IntVar(&f.Seeds, "seeds", whatif.DefaultSeeds, "how often each simulation is repeated")
	fl.BoolVar(&f.json, "json", false, "one JSON object")
	return cmd
}

// check refuses what cannot be.
func (f *whatifFlags) check() (err error) {
	hint := progName + " whatif trace.e4d --variant linux-7.3"
	if f.variant != "" {
		if f.Variant, err = model.ParseVariant(f.variant); err != nil {
			return usagef(hint, "%v", err)
		}
	}
	if f.All = f.app == "all" || f.app == "" && f.variant == ""; !f.All && f.app != "" {
		if f.App, err = whatif.ParseApp(f.app); err != nil {
			return usagef("--app all, --app prewritten, --app align=4k,isize-ahead", "--app: %v", err)
		}
	}
	if f.Seeds < 1 || f.Seeds > 100 {
		return usagef(hint, "--seeds %d: 1 to 100 are possible", f.Seeds)
	}
	for _, n := range f.Jobs {
		if n < 1 || n > maxSweep {
			return usagef(hint, "--jobs %d: 1 to %d are possible", n, maxSweep)
		}
	}
	if f.Phase, err = phaseOf(f.phase, f.choose.from+f.choose.to != ""); err != nil {
		return err
	}
	return errors.Join(checkVariant(f.Traced), f.choose.check())
}

// phaseOf is whatif.Options.Phase as it was typed; within says that a time was given.
func phaseOf(text string, within bool) (int, error) {
	switch n, err := strconv.Atoi(text); {
	case text == "all" || text == "" && within:
		return whatif.Whole, nil
	case text == "steady" || text == "":
		return 0, nil
	case err != nil || n < 1:
		return 0, usagef("--phase steady, --phase all, --phase 2", "--phase %q is no phase", text)
	default:
		return n, nil
	}
}

// resolve turns what chooses writes into what the trace knows.
func (f *whatifFlags) resolve(in *tracefile.Recording) error {
	if err := f.choose.resolve(in.Info()); err != nil {
		return err
	}
	if f.From, f.To = f.choose.begins, f.choose.until; !f.choose.choosesAll() {
		f.Shows = f.choose.shows
	}
	return nil
}

func (f *whatifFlags) run(ctx context.Context, stdout io.Writer, paths []string) error {
	if err := f.check(); err != nil {
		return err
	}
	in, err := openTrace(paths, progName+" whatif "+paths[0], "simulated")
	if err != nil {
		return err
	}
	defer in.Close()
	if err := f.resolve(in); err != nil {
		return err
	}
	rep, err := recorded.Predict(ctx, in, f.PredictOptions)
	if err != nil {
		return err
	}
	if f.json {
		err = json.NewEncoder(stdout).Encode(rep)
	} else {
		err = rep.WriteText(stdout, export.Safe)
	}
	if err != nil && !isClosedPipe(err) {
		return fmt.Errorf("write output: %w", err)
	}
	if !rep.Proven() {
		return &exit.Error{Code: exit.Unproven}
	}
	return nil
}
