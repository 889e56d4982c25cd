package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// checkFlags are the flags of check.
type checkFlags struct {
	variant string
	json    bool
}

// newCheckCmd makes the command that judges a trace file again.
func newCheckCmd() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [flags] FILE…",
		Short: "judge a recorded trace by the model",
		Long: `Judge every write of a recorded trace as live does, and write what came out: by
verdict, reason, broken rule, file and process. The numbers are those that live
prints for the same writes. --variant judges the trace as if another kernel had
made it: what would have been wrong there is counted as a disagreement.

Files that are parts of one recording (record --rotate) are one trace; others are
judged each by itself. A FILE of - is standard input.

Exit status: 1 a disagreement or a broken rule, 4 nothing wrong was seen, but
writes are lost or incomplete or the trace is not whole.`,
		Example: `  ext4dio-trace check db.e4d
  ext4dio-trace check --variant linux-7.2 db.e4d
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
	return cmd
}

// checked is one recording after it was judged.
type checked struct {
	in      *tracefile.Recording
	summary export.Summary
	counts  export.Breakdown
	wrong   []disagreement // the first ones
}

// maxWrong is how many disagreements check lists.
const maxWrong = 10

// disagreement is one write that is not as the model says.
type disagreement struct {
	Seq     uint64   `json:"seq"` // its number in the trace, from 1
	Verdict string   `json:"verdict"`
	Rules   []string `json:"rules"`
	Why     []string `json:"why"`
	Pid     uint32   `json:"pid"`
	Comm    string   `json:"comm"`
	Dev     string   `json:"dev"`
	Ino     uint64   `json:"ino"`
	Path    string   `json:"path"`
	Pos     int64    `json:"pos"`
	Len     int64    `json:"len"`
}

// note keeps a write that disagrees, when it is one of the first.
func (c *checked) note(o *observe.Observation, v *judge.Verdict) {
	if v.Kind == judge.Agree || v.Kind == judge.Undecided || len(c.wrong) == maxWrong {
		return
	}
	c.wrong = append(c.wrong, disagreement{
		Seq: c.summary.Totals.Writes, Verdict: v.Kind.String(), Rules: slices.Clone(v.Rules), Why: slices.Clone(v.Why),
		Pid: o.Pid, Comm: o.Comm, Dev: export.DevName(o.Dev), Ino: o.Ino, Path: c.in.Path(o.Dev, o.Ino, o.Pid), Pos: o.Pos0, Len: o.Len0,
	})
}

// appendText adds one line about it.
func (d *disagreement) appendText(w io.Writer) {
	file := d.Path
	if file == "" {
		file = fmt.Sprintf("inode %d on %s", d.Ino, d.Dev)
	}
	why := ""
	if len(d.Why) > 0 {
		why = d.Why[0]
	}
	fmt.Fprintf(w, "%s:  write %d, %d+%d to %s by %s: %s", d.Verdict, d.Seq, d.Pos, d.Len, export.Safe(file), export.Safe(d.Comm), why)
	if len(d.Rules) > 0 {
		fmt.Fprintf(w, "; broken: %s", strings.Join(d.Rules, " "))
	}
	fmt.Fprintln(w)
}

func (f *checkFlags) run(ctx context.Context, stdout io.Writer, paths []string) error {
	if err := checkVariant(f.variant); err != nil {
		return err
	}
	all, err := openTraces(paths)
	if err != nil {
		return err
	}
	defer closeTraces(all)
	var done []*checked
	for _, in := range all {
		c, err := f.judge(ctx, in)
		if err != nil {
			return err
		}
		done = append(done, c)
	}
	if f.json {
		err = writeCheckedJSON(stdout, done)
	} else {
		err = writeChecked(stdout, done)
	}
	if err != nil && !isClosedPipe(err) {
		return fmt.Errorf("write output: %w", err)
	}
	return checkedStatus(done)
}

// checkedStatus is the worst of all: a disagreement, then what is unproven.
func checkedStatus(done []*checked) error {
	var unproven error
	for _, c := range done {
		err := exitStatus(&c.summary)
		switch {
		case err != nil && asExit(err).code == exitDisagree:
			return err
		case err != nil || c.in.Missing() != nil:
			unproven = &exitError{code: exitUnproven}
		}
	}
	return unproven
}

// judge judges one recording. There is no ring buffer behind it that has to be emptied
// in time, so that it is read where it is judged.
func (f *checkFlags) judge(ctx context.Context, in *tracefile.Recording) (*checked, error) {
	c := &checked{in: in}
	var row export.Row
	judge, _, err := judgeRecording(ctx, in, f.variant, func(plan *probes.Plan) seenFunc {
		maker := newMaker(plan, nil) // names are asked for once a file, at the end
		return func(o *observe.Observation, v *judge.Verdict) {
			maker.FillCounted(&row, o, v)
			c.summary.Totals.Add(&row)
			c.counts.Add(&row)
			c.note(o, v)
		}
	})
	if err != nil {
		return nil, err
	}
	losses, err := in.Losses()
	if err != nil {
		return nil, fmt.Errorf("read losses: %w", err)
	}
	refreshSummary(&c.summary, &losses, judge)
	c.summary.Elapsed = recordedTime(in)
	d := judge.Detector()
	c.summary.Variant, c.summary.Evidence = variantText(d), d.Evidence()
	return c, nil
}

// seenFunc takes a judged write. Both are valid during the call only.
type seenFunc = func(*observe.Observation, *judge.Verdict)

// judgeRecording judges all of a recording by a variant, auto or the name of one. What
// use returns for the probes that there were takes each write.
func judgeRecording(ctx context.Context, in *tracefile.Recording, variant string, use func(*probes.Plan) seenFunc) (*judge.Judge, *probes.Plan, error) {
	facts, plan, err := recordedKernel(in.Info())
	if err != nil {
		return nil, nil, notATrace(err)
	}
	judge, err := newJudge(facts, plan, variant, in.Doubt, use(plan))
	if err == nil {
		err = feedAll(ctx, in, judge)
	}
	return judge, plan, err
}

// feedAll judges all records of a source.
func feedAll(ctx context.Context, in record.Source, judge *judge.Judge) error {
	const often = 1 << 16
	for n := 0; ; n++ {
		if n%often == 0 && ctx.Err() != nil {
			return &exitError{code: exitUnproven, msg: "interrupted before all of the trace was judged"}
		}
		raw, err := in.Next()
		switch {
		case err == nil:
			_ = judge.Feed(raw) // the judge counts what it does not understand
		case errors.Is(err, record.ErrEnd):
			judge.Flush()
			return nil
		case !errors.Is(err, record.ErrIdle):
			return fmt.Errorf("read trace: %w", err)
		}
	}
}

// writeChecked writes text: what is missing first.
func writeChecked(stdout io.Writer, done []*checked) error {
	for i, c := range done {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		info := c.in.Info()
		_, err := fmt.Fprintf(stdout, "trace:    Linux %s, %s, recorded %s\n", export.Safe(info.Release), export.Safe(info.Arch), info.Began.UTC().Format("2006-01-02 15:04:05 MST"))
		if err != nil {
			return err
		}
		sayMissing(stdout, c.in)
		if _, err := c.summary.WriteTo(stdout); err != nil {
			return err
		}
		for i := range c.wrong {
			c.wrong[i].appendText(stdout)
		}
		if n := c.summary.Totals.Disagreements(); n > 0 {
			fmt.Fprintf(stdout, "          (%d of %d that disagree; explain --trace FILE --seq NUMBER tells more)\n", len(c.wrong), n)
		}
		fmt.Fprintln(stdout)
		if err := c.counts.WriteText(stdout, c.in); err != nil {
			return err
		}
	}
	return nil
}

// checkedJSON is one recording for programs.
type checkedJSON struct {
	Info    *tracefile.Info `json:"info"`
	Missing *string         `json:"missing"` // null when the trace is whole
	Unknown uint64          `json:"unknown_records"`
	Summary json.RawMessage `json:"summary"`
	Counts  json.RawMessage `json:"counts"`
	Wrong   []disagreement  `json:"disagreements"` // the first ones
}

func writeCheckedJSON(w io.Writer, done []*checked) error {
	out := struct {
		Traces []checkedJSON `json:"traces"`
	}{Traces: []checkedJSON{}}
	for _, c := range done {
		info := *c.in.Info()
		info.Facts, info.Plan = nil, nil // long, and for programs only
		j := checkedJSON{Info: &info, Unknown: c.in.Unknown(), Wrong: c.wrong}
		if err := c.in.Missing(); err != nil {
			text := oneLine(err.Error())
			j.Missing = &text
		}
		var err error
		if j.Summary, err = c.summary.JSON(); err != nil {
			return err
		}
		if j.Counts, err = c.counts.JSON(c.in); err != nil {
			return err
		}
		out.Traces = append(out.Traces, j)
	}
	return json.NewEncoder(w).Encode(out)
}
