package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/expect"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// liveOptions are the flags of live, and some of them those of view.
type liveOptions struct {
	captureFlags
	rowChoice
	expectFlag
	expected []*expect.Policy // of expectFlag
	plain    bool
	json     bool
	variant  string
	summary  string
	coverage bool
	record   session.RecorderOptions
}

// rowChoice are the flags that choose among judged writes.
type rowChoice struct {
	only []string
	rows *rowfilter.Filter // of --filter; nil lets all through
}

func newLiveCmd() *cobra.Command {
	var o liveOptions
	cmd := &cobra.Command{
		Use:   "live [flags] [-- COMMAND [arguments]]",
		Short: "show every ext4 direct write as it happens, with its verdict",
		Long: `Show every direct write on ext4 as it happens: the lock that the kernel chose,
why, and whether the reference model agrees.

On a terminal this is a screen; otherwise, or with --plain, one line a write;
with --json one object a line. Losses stand between the lines, where they were
noticed; lines of JSON that are no write have a kind. A COMMAND starts once all
probes are attached; only its process tree is traced, and tracing ends with it.
It gets SIGTERM when tracing ends first. Its output goes to stderr.

SIGUSR1 makes it list on stderr the writes that are in the kernel now: where each
one is, for how long, for whom it waits, and where its thread sleeps; the screen
has a tab for it. Writes whose end was not seen are listed when tracing ends.

Filters are applied in the kernel, except --only and --filter, which choose
among the judged writes. Totals and the exit status count all of them.

--expect says what is to hold of which writes. A line on stderr says when that is
broken first, and at the end what came of it: status 1 when it is broken, 4 when
it is unproven. --coverage says at the end which branches of the kernel no write
took, see coverage; the summary as JSON has all of it.`,
		Example: `  ext4dio-trace live --dev /dev/sda
  ext4dio-trace live --plain --only differs,unsafe,slower --for 10s
  ext4dio-trace live --plain --expect 'refused<5%, p99(wait)<1ms' -- fio job.fio
  ext4dio-trace live --plain --coverage --summary s.json -- fio job.fio
  ext4dio-trace live --json -- dd if=/dev/zero of=/mnt/f bs=4k count=100 oflag=direct | jq '.lock // empty'`,
		Args: o.takeCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLive(cmd.Context(), &o) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	registerFilter(&o.filter, flags)
	o.registerShow(flags)
	o.expectFlag.register(flags)
	flags.StringVar(&o.record.Path, "record", "", "also record to this `FILE`, see record")
	o.captureFlags.register(flags)
	return cmd
}

// registerShow adds the flags about what is shown and how.
func (o *liveOptions) registerShow(flags *pflag.FlagSet) {
	o.rowChoice.register(flags, "show only these: ")
	flags.BoolVar(&o.plain, "plain", false, "one line a write, even on a terminal")
	flags.BoolVar(&o.json, "json", false, "one JSON object a line")
	flags.StringVar(&o.variant, "variant", "auto", variantUsage())
	flags.StringVar(&o.summary, "summary", "", "write the totals as JSON to this file at the end")
	o.registerCoverage(flags)
}

func variantUsage() string {
	return "judge as this kernel: auto, " + strings.Join(model.VariantNames(), ", ")
}

// takeCommand takes the arguments behind "--" and refuses any before.
func (o *captureFlags) takeCommand(cmd *cobra.Command, args []string) error {
	switch dash := cmd.ArgsLenAtDash(); {
	case dash < 0 && len(args) == 0:
		return nil
	case dash == 0 && len(args) > 0:
		o.command = args
		return nil
	case dash == 0:
		return usagef(cmd.CommandPath()+" -- COMMAND", "no command after --")
	}
	return usagef(fmt.Sprintf("%s -- %s", cmd.CommandPath(), strings.Join(args, " ")),
		"unexpected argument %q; a command to trace goes behind --", args[0])
}

// onlyWords are the values of --only: a flag of --filter each.
var onlyWords = append(export.VerdictNames(), "disagree", export.Exclusive.String())

// check looks for wrong usage that needs no kernel to be seen.
func (o *liveOptions) check() (err error) {
	if err := o.captureFlags.check(); err != nil {
		return err
	}
	if o.expected, err = o.policies(); err != nil {
		return err
	}
	return errors.Join(o.checkShow(), o.checkSummary(o.expect, outfile.Out{Flag: "--record", Path: o.record.Path}))
}

// checkSummary looks at the files that are written beside standard output.
func (o *liveOptions) checkSummary(inputs []string, more ...outfile.Out) error {
	outs := append([]outfile.Out{{Path: outfile.Stdout}, {Flag: "--summary", Path: o.summary}}, more...)
	return outfile.Check(inputs, outs...)
}

// checkShow looks at the flags about what is shown.
func (o *liveOptions) checkShow() error {
	if o.plain && o.json {
		return usagef("--json", "--plain and --json exclude each other")
	}
	if err := o.checkOnly(); err != nil {
		return err
	}
	return checkVariant(o.variant)
}

// rowFilterUsage has the words that are wanted most.
const rowFilterUsage = "only `WORDS` such as 'lock=exclusive verdict!=agree pos>1m comm~mysqld reason~zeroing wait>5ms ret=-EAGAIN nowait'"

// register adds the flags; only says what --only does.
func (o *rowChoice) register(flags *pflag.FlagSet, only string) {
	flags.StringSliceVar(&o.only, "only", nil, only+strings.Join(onlyWords, ", "))
	flags.Func("filter", rowFilterUsage, func(text string) (err error) {
		if strings.TrimSpace(text) == "" {
			return errors.New("it is empty: give it a value, or leave it away")
		}
		o.rows, err = rowfilter.Parse(text)
		return err
	})
}

// choosesAll reports whether all writes are shown. Who asks for some of them is not shown what
// is none.
func (o *rowChoice) choosesAll() bool { return o.rows == nil && len(o.only) == 0 }

// shows reports whether --only and --filter let a row through.
func (o *rowChoice) shows(r *export.Row) bool {
	if !o.rows.Match(r) {
		return false
	}
	if len(o.only) == 0 {
		return true
	}
	return export.Is(r.Lock, export.Exclusive) && slices.Contains(o.only, export.Exclusive.String()) ||
		r.Verdict.Known && slices.Contains(o.only, r.Verdict.V.String()) ||
		r.Disagrees() && slices.Contains(o.only, "disagree")
}

// checkOnly refuses words that --only does not know.
func (o *rowChoice) checkOnly() error {
	for _, word := range o.only {
		if !slices.Contains(onlyWords, word) {
			return usagef("--only "+strings.Join(onlyWords, ","), "unknown value %q of --only", word)
		}
	}
	return nil
}

// wantsScreen reports whether the live view can be drawn.
func (o *liveOptions) wantsScreen() bool {
	term := os.Getenv("TERM")
	return !o.plain && !o.json && term != "" && term != "dumb" && isTerminal(os.Stdin) && isTerminal(os.Stdout)
}

func runLive(ctx context.Context, o *liveOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	o.onScreen = o.wantsScreen()
	return o.attached(ctx, &o.record, func(ctx context.Context, c *capture) error {
		t, err := newTrace(&c.Kernel, session.Options{Doubt: c.Doubt, Marks: c.marks}, o)
		if err != nil {
			return err
		}
		defer t.Close()
		t.kernel, t.start = c, c.Began()
		if c.out != nil {
			if err := t.RecordTo(c.out, t.start); err != nil {
				return err
			}
		}
		return t.run(ctx, c)
	})
}

// checkVariant refuses names that the model does not know.
func checkVariant(name string) error {
	if name == "" || name == "auto" {
		return nil
	}
	if _, err := model.ParseVariant(name); err != nil {
		msg, _, _ := strings.Cut(err.Error(), ": one of ") // the hint has them
		return usagef("--variant auto, "+strings.Join(model.VariantNames(), ", ")+", with +patchN or -patchN behind it", "%s", msg)
	}
	return nil
}
