package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	reports "github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// reportFlags are the flags of report.
type reportFlags struct {
	out     string
	redact  bool
	variant string
	whatif  string // predict this variant, too; empty: none
	// predictor does so; nil for none.
	predictor *whatif.Predictor
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

--redact replaces names of files, processes and the host by tokens, the same name
by the same; the trace itself is left out then, as it holds the names.

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
	fl.BoolVar(&f.redact, "redact", false, "replace names by tokens")
	fl.StringVar(&f.variant, "variant", "auto", variantUsage())
	fl.StringVar(&f.whatif, "whatif", "", "add what this other kernel would do, as whatif --variant tells")
	return cmd
}

func (f *reportFlags) run(ctx context.Context, paths []string) error {
	if err := checkVariant(f.variant); err != nil {
		return err
	}
	var err error
	if f.predictor, err = reportPredictor(f.whatif); err != nil {
		return err
	}
	all, err := openTraces(paths)
	if err != nil {
		return err
	}
	defer closeTraces(all)
	if len(all) > 1 {
		return usagef(progName+" report "+paths[0]+" -o "+f.out, "%d recordings are given, and one can be reported", len(all))
	}
	for _, path := range paths {
		if a, err := os.Stat(path); err == nil {
			if b, err := os.Stat(f.out); err == nil && os.SameFile(a, b) {
				return usagef("-o another name", "%s is the trace itself", f.out)
			}
		}
	}
	p, err := f.judge(ctx, all[0])
	if err != nil {
		return err
	}
	if err := f.write(p, paths); err != nil && !isClosedPipe(err) {
		return err
	}
	if f.out != "-" {
		note(os.Stderr, "reported %d writes in %s", p.Summary.Totals.Writes, f.out)
	}
	if status := exitStatus(&p.Summary); status != nil {
		return status
	}
	if all[0].Missing() != nil {
		return &exitError{code: exitUnproven}
	}
	return nil
}

// judge makes the report of a recording.
func (f *reportFlags) judge(ctx context.Context, in *tracefile.Recording) (*reports.Report, error) {
	p := &reports.Report{Title: "Direct writes on ext4, Linux " + in.Info().Release, Redacted: f.redact, Names: in}
	redact := reports.NewRedactor(in)
	if f.redact {
		p.Names = redact
	}
	var row export.Row
	judge, plan, err := judgeRecording(ctx, in, f.variant, func(plan *probes.Plan) seenFunc {
		maker := newMaker(plan, p.Names)
		return func(o *observe.Observation, v *judge.Verdict) {
			maker.Fill(&row, o, v)
			if f.redact {
				redact.Row(&row)
			}
			p.Add(&row)
			if f.predictor != nil {
				f.predictor.Add(o, v.Why[0])
			}
		}
	})
	if err != nil {
		return nil, err
	}
	losses, err := in.Losses()
	if err != nil {
		return nil, fmt.Errorf("read losses: %w", err)
	}
	refreshSummary(&p.Summary, &losses, judge)
	if err := in.Missing(); err != nil {
		p.Missing = append(p.Missing, oneLine(err.Error()))
	}
	if n := in.Unknown(); n > 0 {
		p.Missing = append(p.Missing, fmt.Sprintf("%d records are of kinds that this version does not know", n))
	}
	if f.predictor != nil {
		if p.Prediction, err = predictionText(ctx, f.predictor, in, judge, p.Names, redact, f.redact); err != nil {
			return nil, err
		}
	}
	d := judge.Detector()
	p.Facts = environment(in, f.redact)
	p.Facts = append(p.Facts, reports.Fact{Name: "judged as", Value: variantText(d)}, reports.Fact{Name: "because", Value: strings.Join(d.Evidence(), "; ")})
	for _, name := range plan.Unattached.Names() {
		p.Missing = append(p.Missing, "the probe for "+name+" was not attached: what it would have seen is not judged")
	}
	return p, nil
}

// environment says where a trace comes from. Redacted, it names no host, no command and
// no place.
func environment(in *tracefile.Recording, redact bool) []reports.Fact {
	info := in.Info()
	out := []reports.Fact{
		{Name: "kernel", Value: info.Release + " " + info.Arch}, {Name: "build", Value: info.Build},
		{Name: "CPUs", Value: fmt.Sprint(info.CPUs)}, {Name: "page size", Value: fmt.Sprint(info.PageSize)},
		{Name: "recorded", Value: info.Began.UTC().Format(time.RFC3339) + " for " + recordedTime(in).String()},
		{Name: "recorded by", Value: progName + " " + info.Tool}, {Name: "reported by", Value: progName + " " + versionText()},
	}
	host, command := info.Host, strings.Join(info.Command, " ")
	if redact && host != "" {
		host = "host-1"
	}
	if redact {
		command = ""
	}
	for _, f := range []reports.Fact{{Name: "host", Value: host}, {Name: "command", Value: command}, {Name: "left out", Value: info.Excluded}} {
		if f.Value != "" && (!redact || f.Name == "host") {
			out = append(out, f)
		}
	}
	for i, fs := range info.FileSystems {
		where := fs.Source + " on " + fs.Mount
		if redact {
			where = fmt.Sprintf("fs-%d", i+1)
		}
		out = append(out, reports.Fact{
			Name:  "ext4 on " + fs.Dev,
			Value: fmt.Sprintf("%s, blocks of %d bytes, %s; features %s", where, fs.BlockSize, fs.SuperOptions, strings.Join(fs.Features, " ")),
		})
	}
	return out
}

// write writes the report in the form that the name asks for.
func (f *reportFlags) write(p *reports.Report, inputs []string) error {
	switch {
	case f.out == "-":
		return p.WriteText(os.Stdout)
	case strings.HasSuffix(f.out, ".tar.zst"):
		folder := strings.TrimSuffix(filepath.Base(f.out), ".tar.zst")
		return writeWhole(f.out, func(w io.Writer) error { return p.WriteBundle(w, folder, f.traces(inputs)...) })
	case strings.HasSuffix(f.out, ".html"):
		return writeWhole(f.out, p.WriteHTML)
	case strings.HasSuffix(f.out, ".txt"):
		return writeWhole(f.out, p.WriteText)
	}
	if st, err := os.Stat(f.out); err == nil && !st.IsDir() {
		return usagef("-o "+f.out+".html", "%s is no folder", f.out)
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return usagef("", "cannot report: %v", err)
	}
	return p.WriteFiles(func(name string, _ int64, write func(io.Writer) error) error {
		return writeWhole(filepath.Join(f.out, name), write)
	}, f.traces(inputs)...)
}

// traces are the traces that go with a report: none when they hold names that it must
// not.
func (f *reportFlags) traces(inputs []string) []reports.Attachment {
	var out []reports.Attachment
	for i, path := range inputs {
		if !f.redact && path != "-" {
			out = append(out, reports.Attachment{Name: fmt.Sprintf("trace-%d.e4d", i+1), Path: path})
		}
	}
	return out
}

// writeWhole writes a file that is there only when it is whole.
func writeWhole(path string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return usagef("", "cannot report: %v", err)
	}
	err = write(tmp)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // the first error counts
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
