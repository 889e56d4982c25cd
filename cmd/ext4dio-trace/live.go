package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// liveOptions are the flags of live.
type liveOptions struct {
	filter   filterFlags
	only     []string
	plain    bool
	json     bool
	duration time.Duration
	variant  string
	attach   string
	ring     string
	inflight int
	all      bool
	summary  string
	command  []string
}

func newLiveCmd() *cobra.Command {
	var o liveOptions
	cmd := &cobra.Command{
		Use:   "live [flags] [-- COMMAND [arguments]]",
		Short: "show every ext4 direct write as it happens, with its verdict",
		Long: `Show every direct write on ext4 as it happens: the lock that the kernel chose,
why, and whether the reference model agrees.

On a terminal this is a screen; otherwise, or with --plain, one line a write;
with --json one object a line. With a COMMAND, it is started once everything is
attached, only its process tree is traced, and tracing ends when it ends; it is
sent SIGTERM when tracing ends before it. What it prints goes to stderr.

Filters are applied in the kernel, except --only, which chooses among the
judged writes. Totals and the exit status count all of them.`,
		Example: `  ext4dio-trace live --dev /dev/sda
  ext4dio-trace live --plain --only differs,unsafe,slower --for 10s
  ext4dio-trace live --json -- dd if=/dev/zero of=/mnt/f bs=4k count=100 oflag=direct | jq .lock`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.command, err = afterDash(cmd, args); err != nil {
				return err
			}
			return runLive(cmd.Context(), &o)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.filter.register(flags)
	flags.StringSliceVar(&o.only, "only", nil, "show only these: "+strings.Join(onlyWords, ", "))
	flags.BoolVar(&o.plain, "plain", false, "one line a write, even on a terminal")
	flags.BoolVar(&o.json, "json", false, "one JSON object a line")
	flags.DurationVar(&o.duration, "for", 0, "end after this time, such as 10s")
	flags.StringVar(&o.variant, "variant", "auto", "judge as this kernel: auto, "+strings.Join(model.VariantNames(), ", "))
	flags.StringVar(&o.attach, "attach", "auto", "how to attach: auto, session, multi, fentry or kprobe")
	flags.StringVar(&o.ring, "ring", "8M", "size of the ring buffer")
	flags.IntVar(&o.inflight, "inflight", probes.DefaultInflight, "writes that may be inside the kernel at once")
	flags.StringVar(&o.summary, "summary", "", "write the totals as JSON to this file at the end")
	flags.BoolVar(&o.all, "all", false, "with a COMMAND: trace all processes")
	return cmd
}

// afterDash takes the arguments behind "--" and refuses any before.
func afterDash(cmd *cobra.Command, args []string) ([]string, error) {
	dash := cmd.ArgsLenAtDash()
	switch {
	case dash < 0 && len(args) == 0:
		return nil, nil
	case dash == 0 && len(args) > 0:
		return args, nil
	case dash == 0:
		return nil, usagef(cmd.CommandPath()+" -- COMMAND", "no command after --")
	}
	return nil, usagef(fmt.Sprintf("%s -- %s", cmd.CommandPath(), strings.Join(args, " ")),
		"unexpected argument %q; a command to trace goes behind --", args[0])
}

// onlyWords are the values of --only.
var onlyWords = []string{"differs", "unsafe", "slower", "exclusive"}

// check looks for wrong usage that needs no kernel to be seen.
func (o *liveOptions) check() error {
	if o.plain && o.json {
		return usagef("--json", "--plain and --json exclude each other")
	}
	for _, word := range o.only {
		if !slices.Contains(onlyWords, word) {
			return usagef("--only "+strings.Join(onlyWords, ","), "unknown value %q of --only", word)
		}
	}
	if o.duration < 0 {
		return usagef("--for 10s", "--for must not be negative")
	}
	if !slices.Contains([]string{"", "auto", probes.HowSession, probes.HowMulti, probes.HowFentry, probes.HowKprobe}, o.attach) {
		return usagef("--attach auto, session, multi, fentry or kprobe", "unknown way to attach %q", o.attach)
	}
	if o.inflight < 1 || o.inflight > 1<<20 {
		return usagef("--inflight 4096", "--inflight must be between 1 and %d", 1<<20)
	}
	if o.all && len(o.command) == 0 {
		return usagef("live without --all traces everything", "--all is only of use with a COMMAND")
	}
	return checkVariant(o.variant)
}

// probeOptions are the options for attaching.
func (o *liveOptions) probeOptions() (probes.Options, error) {
	ring, err := parseSize(o.ring)
	if err != nil {
		return probes.Options{}, usagef("--ring 16M", "--ring: %v", err)
	}
	filter, err := o.filter.resolve()
	return probes.Options{
		Attach: o.attach, RingBytes: ring, MaxInflight: o.inflight, Filter: filter,
		Tree: len(o.command) > 0 && !o.all,
	}, err
}

// shows reports whether --only lets a row through.
func (o *liveOptions) shows(r *export.Row) bool {
	if len(o.only) == 0 {
		return true
	}
	return export.Is(r.Lock, export.Exclusive) && slices.Contains(o.only, "exclusive") ||
		r.Disagrees() && slices.Contains(o.only, r.Verdict.V.String())
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
	po, err := o.probeOptions()
	if err != nil {
		return err
	}
	var path string
	if len(o.command) > 0 {
		if path, err = findCommand(o.command); err != nil {
			return err
		}
	}
	facts, plan, session, err := attach(po)
	if err != nil {
		return err
	}
	t, err := newTrace(facts, plan, session.Doubt, o)
	if err == nil {
		defer t.close()
		err = t.run(ctx, session, path)
	}
	if cerr := session.Close(); err == nil {
		err = cerr
	}
	return err
}

// attach looks at the kernel, plans the probes and attaches them. The caller
// closes the session.
func attach(po probes.Options) (*probes.Facts, *probes.Plan, *probes.Session, error) {
	facts, err := probes.ReadFacts()
	if err != nil {
		return nil, nil, nil, err
	}
	plan, err := probes.MakePlan(facts, po)
	if err != nil {
		return nil, nil, nil, err
	}
	session, err := probes.Attach(facts, plan, po)
	return facts, plan, session, err
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

// exitStatus is the end of a trace as an error: nil when all is well.
func exitStatus(s *export.Summary) error {
	switch {
	case s.Totals.Disagreements() > 0:
		return &exitError{code: exitDisagree}
	case s.Unproven():
		return &exitError{code: exitUnproven}
	}
	return nil
}
