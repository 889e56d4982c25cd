package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/coverage/page"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// registerPage adds the flags about a comparison and where the output goes.
func (f *coverageFlags) registerPage(fl *pflag.FlagSet) {
	fl.BoolVar(&f.noLoss, "no-loss", false, "with --against, end with status 1 when a way is lost")
	fl.BoolVar(&f.html, "html", false, "one page that needs nothing else: the procedure with the counts beside it")
	fl.StringVarP(&f.out, "output", "o", "-", "the file to write, or - for standard output")
}

// checkPage refuses what cannot be meant.
func (f *coverageFlags) checkPage(paths []string) error {
	switch {
	case f.json && f.html:
		return usagef("--html -o coverage.html", "--json and --html exclude each other")
	case slices.Contains(paths, "-") && slices.Contains(f.against, "-"):
		return usagef("--against before.e4d", "standard input can be read once only")
	case f.noLoss && len(f.against) == 0:
		return usagef("--no-loss --against before.e4d", "--no-loss without --against: nothing can be lost")
	}
	return outfile.Check(slices.Concat(paths, f.against), f.output(), outfile.Out{Flag: "--junit", Path: f.junit})
}

// output is where -o says; standard output needs no flag.
func (f *coverageFlags) output() outfile.Out {
	if f.out == outfile.Stdout {
		return outfile.Out{Path: f.out}
	}
	return outfile.Out{Flag: "-o", Path: f.out}
}

// to has it written to where -o says.
func (f *coverageFlags) to(stdout io.Writer, write func(io.Writer) error) error {
	if f.out != outfile.Stdout {
		return f.output().Write(write)
	}
	if err := write(stdout); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// covered is what some files hold: recordings, and coverages that were saved.
type covered struct {
	inputs  []page.Input
	reports []coverage.Report // of all together
	by      coverage.ByMark   // of all together, with --by
	gaps    []coverage.Gap    // what is not there of them
}

// covered counts what some files hold.
func (f *coverageFlags) covered(ctx context.Context, paths []string) (covered, error) {
	var out covered
	var sum coverage.Coverage
	add := func(in page.Input, c *coverage.Coverage) {
		in.Reports, in.Missing, in.Unknown = c.Reports(), missingText(c.Gaps), slices.ContainsFunc(c.Gaps, func(g coverage.Gap) bool { return g.Kind == coverage.GapUnknown })
		coverage.WriteGaps(os.Stderr, c.Gaps, export.SafeText)
		out.inputs = append(out.inputs, in)
		sum.Take(c)
	}
	traces, err := savedOnes(paths, cmp.Or(f.variant, "auto"), func(path string, c *coverage.Coverage) { add(page.Input{Name: path}, c) })
	if err != nil {
		return out, err
	}
	all, err := openCovered(traces)
	if err != nil {
		return out, err
	}
	defer closeTraces(all)
	for _, in := range all {
		var c coverage.Coverage
		if err := f.by.cover(ctx, in, f.variant, &c, &out.by); err != nil {
			return out, err
		}
		files := filesOf(in)
		name := strings.Join(files, ", ")
		replay.SayUnknown(os.Stderr, in)
		c.Gaps = gapsOf(in, cmp.Or(name, "standard input"))
		add(page.Input{Name: name, Traces: files}, &c)
	}
	out.reports, out.gaps = sum.Reports(), sum.Gaps
	return out, nil
}

// savedOnes has the saved coverages among the files taken, and returns the other files.
func savedOnes(paths []string, variant string, take func(path string, c *coverage.Coverage)) (traces []string, err error) {
	for _, path := range paths {
		c, err := savedCoverage(path)
		switch {
		case err != nil:
			return nil, err
		case c == nil:
			traces = append(traces, path)
		case variant != "auto":
			return nil, usagef("--variant auto", "--variant %s: %s was counted already, and cannot be judged anew", variant, path)
		default:
			take(path, c)
		}
	}
	return traces, nil
}

// savedCoverage reads a file that holds JSON; it returns nil for one that does not.
func savedCoverage(path string) (*coverage.Coverage, error) {
	if path == "-" {
		return readSaved("standard input", stdin())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil // whoever opens it as a trace says so
	}
	defer file.Close()
	return readSaved(path, bufio.NewReader(file))
}

// readSaved reads a saved coverage, and leaves what is none unread.
func readSaved(path string, r *bufio.Reader) (*coverage.Coverage, error) {
	if begin, err := r.Peek(1); err != nil || begin[0] != '{' {
		return nil, nil
	}
	var c coverage.Coverage
	if err := c.Load(r, path); errors.Is(err, coverage.ErrOther) {
		return nil, &exit.Error{Code: exit.Unfit, Msg: fmt.Sprintf("%s: %v", path, err), Hint: progName + " coverage --json FILE, of the recordings that it was made of"}
	} else if err != nil {
		return nil, &exit.Error{Code: exit.Usage, Msg: fmt.Sprintf("%s: %v", path, err)}
	}
	return &c, nil
}

// openCovered opens traces, of which there may be none.
func openCovered(paths []string) ([]*tracefile.Recording, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	return openTraces(paths)
}

// gapsOf is what is not there of a recording that was read.
func gapsOf(in *tracefile.Recording, name string) (out []coverage.Gap) {
	if l, err := in.Losses(); err == nil && l.Any() {
		out = append(out, coverage.Gap{Of: name, Kind: coverage.GapLost, Text: l.String() + ": which ways those took is not known"})
	}
	if text := replay.Sampled(in); text != "" {
		out = append(out, coverage.Gap{Of: name, Kind: coverage.GapSample, Text: text})
	}
	if text := replay.Missing(in); text != "" {
		out = append(out, coverage.Gap{Of: name, Kind: coverage.GapMissing, Text: text})
	}
	return out
}

// missingText is what the page says of gaps that are known.
func missingText(gaps []coverage.Gap) string {
	var all []string
	for _, g := range gaps {
		switch g.Kind {
		case coverage.GapUnknown:
		case coverage.GapLost:
			all = append(all, "lost: "+g.Text)
		default:
			all = append(all, g.Text)
		}
	}
	return strings.Join(all, "; ")
}

// gapStatus is the end where something is missing of what was to be counted: unproven, as check
// has it.
func gapStatus(all ...[]coverage.Gap) error {
	for _, g := range slices.Concat(all...) {
		if g.Unproven() {
			return &exit.Error{Code: exit.Unproven, Msg: "not all was seen: " + export.SafeText(g.Of) + " is not whole"}
		}
	}
	return nil
}

// filesOf are the files of a recording.
func filesOf(in *tracefile.Recording) (out []string) {
	for _, part := range in.Parts() {
		out = append(out, part.Name())
	}
	return out
}

// page is what --html shows.
func (f *coverageFlags) page(these, others *covered) *page.Page {
	p := &page.Page{Reports: these.reports, Inputs: these.inputs}
	if len(f.against) > 0 {
		p.Against, p.Others = others.reports, others.inputs
	}
	return p
}

// lossStatus is what --no-loss says of a comparison.
func (f *coverageFlags) lossStatus(these, others *covered) error {
	if !f.noLoss {
		return nil
	}
	if coverage.Empty(others.reports) {
		return &exit.Error{Code: exit.Unproven, Msg: "no write of --against counts, so that nothing could be lost"}
	}
	var lost []string
	for _, d := range coverage.Compare(these.reports, others.reports) {
		if n := len(d.Lost); n > 0 {
			p := &d.Lost[0]
			lost = append(lost, fmt.Sprintf("%s: %d lost, the first is %s: %s: %s", d.Variant, n, p.Function, p.Condition, p.Way))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return &exit.Error{Code: exit.Disagree, Msg: strings.Join(lost, "; ")}
}
