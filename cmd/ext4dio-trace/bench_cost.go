package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench/cost"
	"github.com/ext4dio/ext4dio-trace/prove/bench/tracers"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// costFlags are the flags of bench cost.
type costFlags struct {
	dir, other string
	choice     tracers.Choice
	loads      []string
	opts       cost.Options
	kept       keptFlags
}

// newCostCmd makes the command that measures what tracing costs.
func newCostCmd() *cobra.Command {
	var f costFlags
	cmd := &cobra.Command{
		Use:   "cost --dir DIR",
		Short: "what tracing costs a write, beside scripts of bpftrace",
		Long: `One task makes the same call over and over, untraced and under each tracer by
turns: off, the first tracer, off, the second, off and so on, in each of --rounds
rounds. Shown are the CPU time of that task and the time in all that a tracer adds
to a call (median and quartiles of the rounds), how many of the writes it captured,
and how long it took from its start to the first write that it saw.

Ours captures and counts records and does nothing else with them; a script writes
a line for each write to a file. Both trace this process only.

--loads: "direct" is overwrite, unaligned, zeroing and extending; "unrelated" is
what a tracer of direct writes has no business with: read, cached-read, cached-4k
and cached-64k; "beside" is reads and buffered writes of a file that had a direct
write. --other adds direct overwrites on another file system.
--leave-out adds ours with a filter that leaves these writes out: another process,
another device, another inode.

The files are in directories of their own, DIR/` + cost.DirName + ` and one with such a
name in the directory of --other; they are removed at the end.

Times depend on what else the machine does. In "vm --count-instructions" they do
not: the guest's clock counts its instructions, one a nanosecond.

Exit status 4: ours lost writes.`,
		Example: `  ext4dio-trace bench cost --dir /mnt --script ext4dio.bt --script ext4dio-fentry.bt
  ext4dio-trace bench cost --dir /mnt --loads unrelated,overwrite --leave-out pid,dev,ino
  ext4dio-trace vm --smp 1 --null-blk 512M --no-kvm --count-instructions -- bench cost --dir /mnt --for 50ms --programs`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCost(cmd.Context(), &f) },
	}
	f.addFlags(cmd.Flags())
	return cmd
}

func (f *costFlags) addFlags(fl *pflag.FlagSet) {
	fl.SortFlags = false
	fl.StringVar(&f.dir, "dir", "", "directory on an ext4 in which to make "+cost.DirName)
	fl.StringVar(&f.other, "other", "", "directory on another file system, to write there too")
	fl.StringSliceVar(&f.loads, "loads", []string{"direct"}, "what is measured: "+strings.Join(cost.LoadNames(), ", "))
	fl.StringSliceVar(&f.choice.Attach, "attach", []string{probes.HowSession, probes.HowFentry}, "our ways to attach that are measured")
	_ = fl.SetAnnotation("attach", meansNone, nil) // the flag is there
	fl.StringSliceVar(&f.choice.Holders, "holders", nil, "measure ours also with these --holders: all, off")
	fl.StringSliceVar(&f.choice.LeaveOut, "leave-out", nil, "measure ours also with a filter that leaves all out: pid, dev, ino")
	fl.BoolVar(&f.choice.Budget, "budget", false, "measure ours also with --budget")
	fl.StringArrayVar(&f.choice.Scripts, "script", nil, "measure this bpftrace `SCRIPT` too (repeatable)")
	fl.StringVar(&f.choice.Bpftrace, "bpftrace", "bpftrace", "the bpftrace `PROGRAM`, or a folder made by scripts/bpftrace.sh")
	fl.IntVar(&f.opts.Rounds, "rounds", 10, "rounds; each tracer is measured once in a round")
	fl.DurationVar(&f.opts.For, "for", 500*time.Millisecond, "how long each load runs each time")
	fl.BoolVar(&f.opts.Stats, "programs", false, "list the runs and times of each of our BPF programs, too")
	fl.BoolVar(&f.kept.json, "json", false, "one JSON object instead of tables")
	fl.StringVarP(&f.kept.out, "output", "o", "", "write the JSON to `FILE` too")
}

// check looks for wrong usage, and for what this machine lacks, before anything is measured.
func (f *costFlags) check() error {
	const hint = progName + " bench cost --help"
	switch {
	case f.dir == "":
		return usagef(progName+" bench cost --dir /mnt", "no --dir given")
	case f.opts.Rounds < 1:
		return usagef("--rounds 10", "%d rounds: one at least is needed", f.opts.Rounds)
	case f.opts.For <= 0:
		return usagef("--for 500ms", "--for must be positive")
	case len(f.choice.Attach)+len(f.choice.Scripts) == 0:
		return usagef(hint, "no tracer is left to be measured")
	}
	var err error
	if f.opts.Loads, err = cost.LoadsNamed(f.loads); err != nil {
		return usagef("--loads "+strings.Join(cost.LoadNames(), ", "), "%v", err)
	}
	if len(f.opts.Loads) == 0 && f.other == "" {
		return usagef("--loads direct", "no load is left to be measured")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if f.opts.Tracers, err = f.choice.Tracers(self); err != nil {
		return err
	}
	for i, t := range f.opts.Tracers {
		if slices.ContainsFunc(f.opts.Tracers[:i], func(o *cost.Tracer) bool { return o.Name == t.Name }) {
			return usagef(hint, "tracer %s is given twice", t.Name)
		}
	}
	if err := f.kept.check(); err != nil {
		return err
	}
	return mayCapture(f.choice.Attach)
}

// mayCapture tells whether the kernel can be traced in each of the ways.
func mayCapture(ways []string) error {
	for _, how := range ways {
		if _, err := session.Plan(probes.Options{Attach: how}); err != nil {
			return err
		}
	}
	return nil
}

func runCost(ctx context.Context, f *costFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	rep, err := f.measure(ctx)
	if err != nil {
		return costError(err)
	}
	rep.Tool, rep.Kernel = versionText(), session.RunningKernel()
	if err := show(f.kept, os.Stdout, []*cost.Report{rep}); err != nil && !isClosedPipe(err) {
		return err
	}
	if rep.OursLost() {
		return &exit.Error{Code: exit.Unproven, Msg: "ours lost writes", Hint: progName + " bench cost --dir " + f.dir + " --for 100ms"}
	}
	return nil
}

// measure makes the directories, measures, and removes them.
func (f *costFlags) measure(ctx context.Context) (rep *cost.Report, err error) {
	f.opts.Notice = func(s string) { note(os.Stderr, "%s", s) }
	if f.opts.Scratch, err = os.MkdirTemp("", "ext4dio-cost-"); err != nil {
		return nil, fmt.Errorf("make a directory for output: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(f.opts.Scratch)) }()
	if f.other != "" {
		other, err := cost.OpenOther(f.other)
		if err != nil {
			return nil, err
		}
		defer other.Close()
		f.opts.Other, f.opts.Loads = other, append(f.opts.Loads, cost.OtherOverwrite(other.FS))
	}
	dir, err := workload.OpenDir(f.dir, cost.DirName)
	if err != nil {
		return nil, err
	}
	rep, err = cost.Measure(ctx, dir, f.opts)
	return rep, errors.Join(err, dir.Close(false))
}

// costError turns an error of a measurement into what main exits with.
func costError(err error) error {
	out := asExit(writeFailed(err, "bench cost", "another --dir, with 256 MiB free", ""))
	var tracer *cost.TracerError
	switch {
	case errors.Is(err, context.Canceled):
		out.Msg, out.Hint = "interrupted before the last round, so there is nothing to show", progName+" bench cost --rounds 1"
	case errors.As(err, &tracer):
		// 0 stands for all processes, for ours and for the scripts.
		out.Hint = strings.ReplaceAll(strings.Join(tracer.Tracer.Args, " "), "PID", "0")
	}
	return out
}

// newDrainCmd makes the command that captures and does nothing else, for bench cost.
func newDrainCmd() *cobra.Command {
	o := captureFlags{seed: 1, Options: probes.Options{MaxInflight: probes.DefaultInflight}}
	var stats bool
	cmd := &cobra.Command{
		Use: "drain", Hidden: true,
		Short: "capture records, count them and throw them away",
		Long: `Captures as live does, and counts the records of each inode until SIGINT. It
writes a JSON object when it is attached, one at its first record, and one at the
end with the writes of each inode and the number of those that were lost.

Exit status 4: records were lost or are incomplete.`,
		Example: `  ext4dio-trace bench drain --pid 1234 --attach fentry`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDrain(cmd.Context(), &o, stats) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	registerFilter(&o.filter, fl)
	fl.StringVar(&o.Attach, "attach", "auto", attachUsage)
	fl.StringVar(&o.Holders, "holders", probes.HoldersAuto, holdersUsage)
	fl.StringVar(&o.ring, "ring", "8M", "size of the ring buffer")
	fl.BoolVar(&o.Budget, "budget", false, "as live does")
	fl.BoolVar(&stats, "stats", false, "let the kernel count and time the runs of our programs")
	return cmd
}

// runDrain captures until ctx ends. What was lost is said on stderr, too.
func runDrain(ctx context.Context, o *captureFlags, stats bool) error {
	if err := o.check(); err != nil {
		return err
	}
	po, err := o.probeOptions()
	if err != nil {
		return err
	}
	losses, err := tracers.Drain(ctx, po, stats, os.Stdout)
	if err != nil {
		return err
	}
	if losses.Any() {
		note(os.Stderr, "%s", losses)
		return &exit.Error{Code: exit.Unproven}
	}
	return nil
}
