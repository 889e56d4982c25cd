package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/compare"
	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	choose  rowFilter
	variant string
	level   float64
	least   float64
	seed    uint64
	json    bool
	html    bool
	out     string
}

// newCompareTracesCmd makes the command that tells what changed between two recordings.
func newCompareTracesCmd() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare [flags] A.e4d B.e4d",
		Short: "tell what changed between two recordings",
		Long: `compare sorts the writes of two recordings into classes: file, way of submission,
alignment, size, and which kinds of blocks they met. It compares each class of A
with the same one of B: throughput, share of exclusive locks, of restarts, of
refusals and failures, waits, latency, reasons. A file that has another path in B
is found by its name.

What changed significantly stands in one sentence on top. The writes of a run
depend on each other, so that intervals come from a bootstrap over windows of
time, and the test is corrected for the number of comparisons; docs/compare.md
has the method. Differences of the kernels, disks and hosts stand in the head.

Filters choose the writes of both; times count from the beginning of each
recording. Parts of one recording (record --rotate) are put together: give all
those of A first.

Exit status: 0 compared, whatever changed; 4 writes are lost or incomplete in one
of them, or nothing could be compared.`,
		Example: `  ext4dio-trace compare before.e4d after.e4d
  ext4dio-trace compare before.e4d after.e4d --path '/data/*.ibd' --from 10s
  ext4dio-trace compare before.e4d after.e4d --html -o change.html
  ext4dio-trace compare --json before.e4d after.e4d | jq .sentence`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.Float64Var(&f.level, "level", 95, "of the intervals and of the test, percent")
	fl.Float64Var(&f.least, "least", 5, "a time or a rate has to change by more than so many percent")
	fl.Uint64Var(&f.seed, "seed", 1, "of the bootstrap: the same seed gives the same numbers")
	fl.StringVar(&f.variant, "variant", "auto", variantUsage())
	f.choose.register(fl)
	fl.BoolVar(&f.json, "json", false, "one JSON object")
	fl.BoolVar(&f.html, "html", false, "one page that needs nothing else")
	fl.StringVarP(&f.out, "output", "o", "-", "the file to write, or - for standard output")
	return cmd
}

// check refuses what cannot be.
func (f *compareFlags) check(paths []string) error {
	hint := progName + " compare before.e4d after.e4d"
	switch {
	case len(paths) < 2:
		return usagef(hint, "two recordings are compared, %d given", len(paths))
	case f.json && f.html:
		return usagef(hint+" --html -o change.html", "--json and --html exclude each other")
	case !(f.level >= 50 && f.level <= 99.99):
		return usagef("--level 95", "--level %g: 50 to 99.99 are possible", f.level)
	case !(f.least >= 0 && f.least <= 1000):
		return usagef("--least 5", "--least %g: 0 to 1000 are possible", f.least)
	}
	if err := checkVariant(f.variant); err != nil {
		return err
	}
	return f.choose.check()
}

func (f *compareFlags) run(ctx context.Context, stdout io.Writer, paths []string) error {
	if err := f.check(paths); err != nil {
		return err
	}
	to := outfile.Out{Flag: "-o", Path: f.out}
	if err := outfile.Check(paths, to); err != nil {
		return err
	}
	all, names, err := openPair(paths)
	if err != nil {
		return err
	}
	defer closeTraces(all)
	var sides [2]*compare.Side
	for i, in := range all {
		choose := f.choose
		if err := choose.resolve(in.Info()); err != nil {
			return err
		}
		if sides[i], err = recorded.Side(ctx, in, names[i], f.variant, choose.choice); err != nil {
			return err
		}
	}
	rep := compare.Compare(sides[0], sides[1], compare.Options{Level: f.level / 100, Least: f.least / 100, Seed: f.seed})
	if err := f.write(stdout, to, rep); err != nil && !isClosedPipe(err) {
		return fmt.Errorf("write output: %w", err)
	}
	if !rep.Proven() {
		return &exit.Error{Code: exit.Unproven}
	}
	return nil
}

// openPair opens the two recordings. Two files are one each, whatever they are parts of.
func openPair(paths []string) (all []*tracefile.Recording, names []string, err error) {
	if len(paths) > 2 {
		if all, err = openTraces(paths); err != nil {
			return nil, nil, err
		}
		if len(all) != 2 {
			closeTraces(all)
			return nil, nil, usagef(progName+" compare before.e4d after.e4d", "%d recordings are given, and two are compared", len(all))
		}
		return all, []string{"A", "B"}, nil
	}
	for _, path := range paths {
		in, err := openTraces([]string{path})
		if err != nil {
			closeTraces(all)
			return nil, nil, err
		}
		all, names = append(all, in...), append(names, path)
	}
	return all, names, nil
}

func (f *compareFlags) write(stdout io.Writer, to outfile.Out, rep *compare.Report) error {
	form := rep.WriteText
	switch {
	case f.json:
		form = rep.WriteJSON
	case f.html:
		form = rep.WriteHTML
	}
	if f.out == "-" {
		return form(stdout)
	}
	return to.Write(form)
}

// choice is what a row is to a comparison.
func (f *rowFilter) choice(r *export.Row) compare.Choice {
	switch {
	case r.TimeNs < f.begins || r.TimeNs >= f.until:
		return compare.Outside
	case f.shows(r):
		return compare.Chosen
	}
	return compare.Beside
}
