package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	reports "github.com/ext4dio/ext4dio-trace/report"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// reportFlags are the flags of report.
type reportFlags struct {
	recorded.ReportOptions
	out    string
	whatif string // predict this variant, too; empty: none
	redact redactFlags
}

// newReportCmd makes the command that makes of a trace what one attaches to a bug report.
func newReportCmd() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report [flags] FILE…",
		Short: "make of a recorded trace what one attaches to a bug report",
		Long: `Judge a recorded trace and say what was found: what is missing first, then the
verdicts, decisions by reason, who was serialised by whom, the distributions of
waits and latencies, the mode of i_rwsem over time, every kind of disagreement
with its explanation and commands that repeat it, and where all that was seen.

The name behind -o says in which form:

  NAME.html     one page that needs nothing else: no network, no JavaScript
  NAME.txt, -   the same as plain text, for a mail
  NAME.tar.zst  both, the trace, a reproducer for each kind of disagreement, and
                checksums
  a folder      the same, as files

` + redactHelp + `
The trace itself is left out then, as it holds the names: export --format e4d
--redact makes one without.

Exit status: as that of check.`,
		Example: `  ext4dio-trace report db.e4d -o db.html
  ext4dio-trace report db.e4d -o - | mail -s "ext4: lost serialisation" maintainer
  ext4dio-trace report db.e4d --redact -o db.tar.zst`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), args) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVarP(&f.out, "output", "o", "-", "NAME.html, NAME.txt, NAME.tar.zst, a folder, or - for text on standard output")
	f.redact.register(fl)
	fl.StringVar(&f.Variant, "variant", "auto", variantUsage())
	fl.StringVar(&f.whatif, "whatif", "", "add what whatif predicts: the name of a kernel, changes as --app takes them, or all")
	return cmd
}

func (f *reportFlags) run(ctx context.Context, paths []string) error {
	if err := checkVariant(f.Variant); err != nil {
		return err
	}
	var err error
	f.Tool = versionText()
	if f.Redact, err = f.redact.redactor(); err != nil {
		return err
	}
	if f.Predictor, err = reportPredictor(f.whatif); err != nil {
		return err
	}
	if err := f.checkOut(paths); err != nil {
		return err
	}
	in, err := openTrace(paths, progName+" report "+paths[0]+" -o "+f.out, "reported")
	if err != nil {
		return err
	}
	defer in.Close()
	p, err := recorded.Report(ctx, in, f.ReportOptions)
	if err != nil {
		return err
	}
	if err := f.write(p, paths); err != nil && !isClosedPipe(err) {
		return foremost(err, exitStatus(&p.Summary, false))
	}
	if f.out != "-" {
		note(os.Stderr, "reported %d writes in %s", p.Summary.Totals.Writes, f.out)
	}
	return exitStatus(&p.Summary, in.Missing() != nil)
}

// reportPredictor predicts a variant or changes by their names; nil for the empty one.
func reportPredictor(name string) (*whatif.Predictor, error) {
	if name == "" {
		return nil, nil
	}
	o := whatif.Options{Seed: 1, All: name == "all"}
	var err error
	if o.Variant, err = model.ParseVariant(name); err != nil && !o.All {
		var none error
		if o.App, none = whatif.ParseApp(name); none != nil {
			return nil, usagef("--whatif linux-7.3, --whatif "+strings.Join(whatif.AppNames(), ", --whatif ")+", --whatif all", "--whatif: %v", err)
		}
	}
	return whatif.New(o), nil
}

// isFolder reports whether the report is files in a folder.
func (f *reportFlags) isFolder() bool {
	return f.out != "-" && !slices.ContainsFunc([]string{".tar.zst", ".html", ".txt"}, func(end string) bool { return strings.HasSuffix(f.out, end) })
}

// checkOut refuses what cannot be written.
func (f *reportFlags) checkOut(paths []string) error {
	inputs := append(slices.Clone(paths), f.redact.key)
	if !f.isFolder() {
		return outfile.Check(inputs, outfile.Out{Flag: "-o", Path: f.out})
	}
	st, err := os.Stat(f.out)
	switch {
	case err == nil && st.IsDir():
		return nil
	case err == nil && !st.Mode().IsRegular():
		return usagef("-o - >"+f.out, "%s is no folder", f.out)
	}
	if err := outfile.Check(inputs, outfile.Out{Flag: "-o", Path: f.out}); err != nil {
		return err
	}
	if err == nil {
		return usagef("-o "+f.out+".html", "%s is no folder", f.out)
	}
	return nil
}

// write writes the report in the form that the name asks for.
func (f *reportFlags) write(p *reports.Report, inputs []string) error {
	switch {
	case f.out == "-":
		return p.WriteText(os.Stdout)
	case strings.HasSuffix(f.out, ".tar.zst"):
		folder := strings.TrimSuffix(filepath.Base(f.out), ".tar.zst")
		return outfile.Out{Flag: "-o", Path: f.out}.Write(func(w io.Writer) error { return p.WriteBundle(w, folder, f.traces(inputs)...) })
	case strings.HasSuffix(f.out, ".html"):
		return outfile.Out{Flag: "-o", Path: f.out}.Write(p.WriteHTML)
	case strings.HasSuffix(f.out, ".txt"):
		return outfile.Out{Flag: "-o", Path: f.out}.Write(p.WriteText)
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return usagef("", "cannot report: %v", err)
	}
	return p.WriteFiles(func(name string, _ int64, from io.Reader) error {
		to := outfile.Out{Flag: "-o", Path: filepath.Join(f.out, name)}
		if err := outfile.Check(inputs, to); err != nil {
			return err
		}
		return to.Write(func(w io.Writer) error {
			_, err := io.Copy(w, from)
			return err
		})
	}, f.traces(inputs)...)
}

// traces are the traces that go with a report: none when they hold names that it must
// not.
func (f *reportFlags) traces(inputs []string) []reports.Attachment {
	var out []reports.Attachment
	for i, path := range inputs {
		if f.Redact == nil && path != "-" {
			out = append(out, reports.Attachment{Name: fmt.Sprintf("trace-%d.e4d", i+1), Path: path})
		}
	}
	return out
}
