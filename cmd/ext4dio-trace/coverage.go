package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/testreport"
)

// coverageFlags are the flags of coverage.
type coverageFlags struct {
	testFlags
	variant string
	json    bool
	min     string
	against []string
	emit    coverageEmit
	noLoss  bool
	html    bool
	out     string
	by      byFlag
}

// newCoverageCmd makes the command that tells which branches of the kernel were taken.
func newCoverageCmd() *cobra.Command {
	var f coverageFlags
	cmd := &cobra.Command{
		Use:   "coverage [flags] FILE…",
		Short: "which branches of the kernel the recorded writes took",
		Long: `Tell which ways the writes of recordings went through ext4's direct write path:
each test of ext4_dio_write_iter and of what it calls, each way, each point at
which NOWAIT ends a write, and what iomap did. What was not taken stands first. What
no direct write can reach on that kernel is told apart from what was not reached.
All recordings of one variant count together.

Only writes that agree with the model count: of others it is not known which way
the kernel went. With --against, what other recordings took and these did not is
listed, and the other way round.

With --missing, only that. --emit writes tests for it: the smallest scenarios of
validate that take it, as scripts of xfs_io and as tests of fstests.

At the end stands in how many ways a kernel with one wrong condition would have been
noticed by these writes, and in which ways it would not (7.2 and later).

In place of a recording, FILE can be what --json or live --coverage --summary has
written: the counts add up. --html makes a page that shows the procedure of the kernel
with the counts beside each way.

Exit status: 1 less than --min was taken, or with --no-loss a way is lost; 4 no write
counts, or writes are lost or a recording is not whole.`,
		Example: `  ext4dio-trace coverage a.e4d b.e4d
  ext4dio-trace coverage --min 80% nightly.e4d
  ext4dio-trace coverage --json -o week.json monday.e4d tuesday.e4d
  ext4dio-trace coverage --against week.json --no-loss today.e4d
  ext4dio-trace coverage --html -o coverage.html today.e4d
  ext4dio-trace coverage --missing --emit tests/ a.e4d
  ext4dio-trace coverage --min 80% --ktap nightly.e4d
  ext4dio-trace coverage --json a.e4d | jq '.variants[].points[] | select(.state == "missing")'`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), os.Stdout, args) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&f.variant, "variant", "auto", variantUsage())
	fl.BoolVar(&f.json, "json", false, "one JSON object")
	fl.StringVar(&f.min, "min", "", "end with status 1 when less than this share was taken, such as 80%")
	fl.StringSliceVar(&f.against, "against", nil, "compare with what this `FILE` took: a recording, or what --json has written")
	f.emit.register(fl)
	f.registerPage(fl)
	f.registerTests(fl)
	f.by.register(fl)
	return cmd
}

// least is --min as a share.
func (f *coverageFlags) least() (float64, error) {
	if f.min == "" {
		return 0, nil
	}
	digits, isPercent := strings.CutSuffix(f.min, "%")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !isPercent || !(n >= 0 && n <= 100) {
		return 0, usagef("--min 80%", "--min %s is no share", f.min)
	}
	return n / 100, nil
}

func (f *coverageFlags) run(ctx context.Context, stdout io.Writer, paths []string) error {
	least, err := f.least()
	if err != nil {
		return err
	}
	if err := errors.Join(checkVariant(f.variant), f.checkPage(paths), f.emit.check(f), f.checkKTAP("--json", f.json), f.checkKTAP("--html", f.html), f.checkBy(paths)); err != nil {
		return err
	}
	these, err := f.covered(ctx, paths)
	if err != nil {
		return err
	}
	var others covered
	if len(f.against) > 0 {
		if others, err = f.covered(ctx, f.against); err != nil {
			return err
		}
	}
	if err := f.write(stdout, &these, &others, least); err != nil && !isClosedPipe(err) {
		return err
	}
	if err := f.writeJUnit(func() *testreport.Report { return f.tests(&these, &others, least) }); err != nil {
		return err
	}
	if err := f.emit.tests(these.reports); err != nil {
		return err
	}
	return foremost(coverageStatus(these.reports, least), f.lossStatus(&these, &others), gapStatus(these.gaps, others.gaps))
}

func (f *coverageFlags) write(stdout io.Writer, these, others *covered, least float64) error {
	return f.to(stdout, func(w io.Writer) error {
		switch {
		case f.html:
			return f.page(these, others).WriteHTML(w)
		case f.ktap:
			return f.tests(these, others, least).WriteKTAP(w)
		case f.json:
			var against []coverage.Difference
			if len(f.against) > 0 {
				against = coverage.Compare(these.reports, others.reports)
			}
			return coverage.WriteJSON(w, these.reports, against, f.by.marks(&these.by), append([]coverage.Gap{}, these.gaps...), others.gaps)
		case f.by.mark():
			return writeMarkCoverage(w, these)
		case len(f.against) > 0:
			return coverage.WriteDifferences(w, coverage.Compare(these.reports, others.reports))
		}
		return coverage.WriteText(w, f.emit.shown(these.reports))
	})
}

// coverageStatus is the end as an error: nil when enough was taken.
func coverageStatus(reports []coverage.Report, least float64) error {
	writes := uint64(0)
	for i := range reports {
		r := &reports[i]
		writes += r.Writes
		if r.Share < least {
			return &exit.Error{Code: exit.Disagree, Msg: fmt.Sprintf("%s of %s was taken, less than %g%%", r.Percent(), r.Variant, 100*least)}
		}
	}
	if writes == 0 {
		return &exit.Error{Code: exit.Unproven, Msg: "no write counts"}
	}
	return nil
}
