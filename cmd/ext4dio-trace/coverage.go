package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
)

// coverageFlags are the flags of coverage.
type coverageFlags struct {
	variant string
	json    bool
	min     string
	against []string
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

Exit status: 1 less than --min was taken, 4 no write counts.`,
		Example: `  ext4dio-trace coverage a.e4d b.e4d
  ext4dio-trace coverage --min 80% nightly.e4d
  ext4dio-trace coverage --against before.e4d after.e4d
  ext4dio-trace coverage --json a.e4d | jq '.variants[].points[] | select(.state == "missing")'`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), os.Stdout, args) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&f.variant, "variant", "auto", variantUsage())
	fl.BoolVar(&f.json, "json", false, "one JSON object")
	fl.StringVar(&f.min, "min", "", "end with status 1 when less than this share was taken, such as 80%")
	fl.StringSliceVar(&f.against, "against", nil, "compare with what this `FILE` took")
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
	if err := checkVariant(f.variant); err != nil {
		return err
	}
	reports, err := f.reports(ctx, paths)
	if err != nil {
		return err
	}
	var others []coverage.Report
	if len(f.against) > 0 {
		if others, err = f.reports(ctx, f.against); err != nil {
			return err
		}
	}
	if err := f.write(stdout, reports, others); err != nil && !isClosedPipe(err) {
		return fmt.Errorf("write output: %w", err)
	}
	return coverageStatus(reports, least)
}

// reports are those of the recordings of some files.
func (f *coverageFlags) reports(ctx context.Context, paths []string) ([]coverage.Report, error) {
	all, err := openTraces(paths)
	if err != nil {
		return nil, err
	}
	defer closeTraces(all)
	var c coverage.Coverage
	for _, in := range all {
		if err := recorded.Cover(ctx, in, f.variant, &c); err != nil {
			return nil, err
		}
		replay.SayMissing(os.Stderr, in)
		replay.SaySampled(os.Stderr, in)
	}
	return c.Reports(), nil
}

func (f *coverageFlags) write(w io.Writer, reports, others []coverage.Report) error {
	switch {
	case f.json:
		out := struct {
			Variants []coverage.Report     `json:"variants"`
			Against  []coverage.Difference `json:"against"` // null without --against
		}{Variants: reports}
		if len(f.against) > 0 {
			out.Against = coverage.Compare(reports, others)
		}
		return json.NewEncoder(w).Encode(out)
	case len(f.against) > 0:
		return coverage.WriteDifferences(w, coverage.Compare(reports, others))
	}
	return coverage.WriteText(w, reports)
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
