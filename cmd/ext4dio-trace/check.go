package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/testreport"
)

// checkFlags are the flags of check.
type checkFlags struct {
	expectFlag
	testFlags
	variant string
	json    bool
	by      byFlag
}

// newCheckCmd makes the command that judges a trace file again.
func newCheckCmd() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [flags] FILE…",
		Short: "judge a recorded trace by the model",
		Long: `Judge every write of a recorded trace as live does, and write what came out:
first what costs the writes time and what changes that, then how many there are,
by verdict, reason, broken rule, file and process; what was refused or failed,
and where. A write that NOWAIT refused and the one after it are one request. The
numbers are those that live prints for the same writes. --variant judges the
trace as if another kernel had made it: what would have been wrong there is
counted as a disagreement. --expect says what is to hold of which writes, and how
far it does stands first. --by mark adds a line for each mark.

Files that are parts of one recording (record --rotate) are one trace; others are
judged each by itself. A FILE of - is standard input.

Exit status: 1 a disagreement, a broken rule or a broken policy, 4 nothing wrong
was seen, but writes are lost or incomplete, the trace is not whole, or a policy
is unproven.`,
		Example: `  ext4dio-trace check db.e4d
  ext4dio-trace check --variant linux-7.2 db.e4d
  ext4dio-trace check --expect 'path~"\.ibd$": exclusive<1%, undecided=0' db.e4d
  ext4dio-trace check --ktap --expect policy.txt nightly.e4d
  ext4dio-trace check --json db.e4d | jq .traces[0].summary.verdicts`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), os.Stdout, args)
		},
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&f.variant, "variant", "auto", variantUsage())
	fl.BoolVar(&f.json, "json", false, "one JSON object")
	f.expectFlag.register(fl)
	f.registerTests(fl)
	f.by.register(fl)
	return cmd
}

func (f *checkFlags) run(ctx context.Context, stdout io.Writer, paths []string) error {
	if err := checkVariant(f.variant); err != nil {
		return err
	}
	if err := errors.Join(f.checkKTAP("--json", f.json), f.by.check(), f.by.checkTests(&f.testFlags), f.checkJUnit(slices.Concat(paths, f.expect))); err != nil {
		return err
	}
	policies, err := f.policies()
	if err != nil {
		return err
	}
	all, err := openTraces(paths)
	if err != nil {
		return err
	}
	defer closeTraces(all)
	var done []*recorded.Checked
	var cut error
	for _, in := range all {
		var c *recorded.Checked
		if c, cut = recorded.CheckBy(ctx, in, f.variant, f.by.mark(), policies...); c != nil {
			done = append(done, c)
		}
		if cut != nil {
			break
		}
	}
	switch {
	case f.ktap:
		err = recorded.Tests(done).WriteKTAP(stdout)
	case f.json:
		err = recorded.WriteJSON(stdout, done)
	default:
		err = recorded.WriteText(stdout, done)
	}
	if isClosedPipe(err) {
		err = nil
	} else if err != nil {
		err = fmt.Errorf("write output: %w", err)
	}
	err = foremost(err, f.writeJUnit(func() *testreport.Report { return recorded.Tests(done) }))
	return foremost(cut, err, checkedStatus(done), expectedStatus(done))
}

// checkedStatus is the worst of all: a disagreement, then what is unproven.
func checkedStatus(done []*recorded.Checked) error {
	var unproven error
	for _, c := range done {
		err := exitStatus(&c.Summary, c.Missing())
		if err != nil && asExit(err).Code == exit.Disagree {
			return err
		}
		unproven = cmp.Or(err, unproven)
	}
	return unproven
}
