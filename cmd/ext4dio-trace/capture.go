package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
)

// captureFlags are the flags about what is captured, and how.
type captureFlags struct {
	probes.Options
	filter   session.Filter
	duration time.Duration
	sample   string
	seed     uint64
	ring     string
	markFrom string
	onScreen bool // stderr is not to be written to
	all      bool
	command  []string
}

// register adds all but the filters.
func (o *captureFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&o.duration, "for", 0, "end after this time, such as 10s")
	flags.StringVar(&o.markFrom, "mark-from", "", markFromUsage)
	flags.StringVar(&o.Attach, "attach", "auto", attachUsage)
	flags.StringVar(&o.ring, "ring", "8M", "size of the ring buffer")
	flags.IntVar(&o.MaxInflight, "inflight", probes.DefaultInflight, "writes that may be inside the kernel at once")
	flags.StringVar(&o.Holders, "holders", probes.HoldersAuto, holdersUsage)
	flags.BoolVar(&o.Budget, "budget", false, "measure where the time of each write goes; costs more, see docs/budget.md")
	flags.StringVar(&o.sample, "sample", "", "record 1/N of the requests and count the rest, see docs/cost.md")
	flags.Uint64Var(&o.seed, "seed", 1, "with --sample: which requests; the same seed takes the same")
	flags.BoolVar(&o.all, "all", false, "with a COMMAND: trace all processes")
}

const holdersUsage = "who else holds i_rwsem: auto (of those for whom a write waits), all or off"

const attachUsage = "how to attach: auto, session, multi, fentry or kprobe"

// attachWays are the values of --attach besides auto.
var attachWays = []string{probes.HowSession, probes.HowMulti, probes.HowFentry, probes.HowKprobe}

// check looks for wrong usage that needs no kernel to be seen.
func (o *captureFlags) check() error {
	if o.duration < 0 {
		return usagef("--for 10s", "--for must not be negative")
	}
	if o.Attach != "" && o.Attach != "auto" && !slices.Contains(attachWays, o.Attach) {
		return usagef("--attach auto, session, multi, fentry or kprobe", "unknown way to attach %q", o.Attach)
	}
	if o.Holders != "" && !slices.Contains(probes.HoldersWays, o.Holders) {
		return usagef("--holders auto, all or off", "unknown holders %q", o.Holders)
	}
	if o.MaxInflight < 1 || o.MaxInflight > probes.MaxInflight {
		return usagef("--inflight 4096", "--inflight must be between 1 and %d", probes.MaxInflight)
	}
	if o.sample != "" {
		s, err := record.ParseSample(o.sample)
		if err != nil {
			return usagef("--sample 1/64", "--sample: %v", err)
		}
		if o.Sample = s; s.OneIn > 0 {
			o.Sample.Seed = o.seed
		}
	}
	if o.seed != 1 && o.sample == "" {
		return usagef(fmt.Sprintf("--sample 1/64 --seed %d", o.seed), "--seed without --sample: all requests are taken")
	}
	if o.all && len(o.command) == 0 {
		return usagef("live without --all traces everything", "--all is only of use with a COMMAND")
	}
	return nil
}

// probeOptions are the options for attaching.
func (o *captureFlags) probeOptions() (probes.Options, error) {
	ring, err := parseSize(o.ring)
	if err != nil {
		return probes.Options{}, usagef("--ring 16M", "--ring: %v", err)
	}
	o.RingBytes, o.Tree = ring, len(o.command) > 0 && !o.all
	var doubts []string
	o.Filter, doubts, err = o.filter.Resolve()
	for _, text := range doubts {
		note(os.Stderr, "%s", text)
	}
	return o.Options, err
}

// findCommand looks args[0] up as a shell does. This program finds itself
// wherever it is installed.
func findCommand(args []string) (string, error) {
	path, err := exec.LookPath(args[0])
	if err != nil && args[0] == progName {
		return "/proc/self/exe", nil
	}
	if err != nil {
		const hint = "behind -- a program that is there, such as -- /usr/bin/fio job.fio"
		if errors.Is(err, exec.ErrNotFound) {
			return "", usagef(hint, "command not found: %s", args[0])
		}
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return "", usagef(hint, "cannot run %s: %v", args[0], err)
	}
	return path, nil
}

// capture is a kernel whose probes are attached, and what waits for that.
type capture struct {
	*session.Capture
	flags *captureFlags
	marks *session.Marks
	path  string            // of the command's program; empty: there is no command
	out   *session.Recorder // what is recorded to; nil for nothing
}

// attached calls use with the probes attached, and with the file to record to if that has a
// name. The context ends when the time of --for is over.
func (o *captureFlags) attached(ctx context.Context, file *session.RecorderOptions, use func(context.Context, *capture) error) error {
	po, err := o.probeOptions()
	if err != nil {
		return err
	}
	c := &capture{flags: o, marks: &session.Marks{}}
	file.Marks = c.marks
	from, err := o.markSource()
	if err != nil {
		return err
	}
	defer from.Close()
	if len(o.command) > 0 {
		if c.path, err = findCommand(o.command); err != nil {
			return err
		}
	}
	if file.Path != "" {
		if c.out, err = openRecorder(file, &po.Filter); err != nil {
			return err
		}
		defer c.out.Close()
	}
	if c.Capture, err = session.Attach(po); err != nil {
		return err
	}
	if o.Budget {
		for _, text := range c.Plan.Unmeasured() {
			note(os.Stderr, "%s", text)
		}
	}
	defer takeMarks(from, c.marks, o.onScreen)()
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	return cmp.Or(use(ctx, c), c.Close())
}

// hold starts the command to trace without letting it run; it returns nil when there is none,
// as for a nil capture.
func (c *capture) hold(stdin io.Reader, output io.Writer) (*tracee.Command, error) {
	if c == nil || c.path == "" {
		return nil, nil
	}
	cmd, err := tracee.Hold(c.path, c.flags.command, stdin, output)
	if err != nil {
		return nil, err
	}
	if !c.flags.all {
		if err := c.AddProcess(cmd.Pid()); err != nil {
			cmd.Stop()
			return nil, err
		}
	}
	return cmd, nil
}

// openRecorder opens the file to record to, and says what is excluded because of it.
func openRecorder(o *session.RecorderOptions, filter *probes.Filter) (*session.Recorder, error) {
	if o.Path == "-" && isTerminal(os.Stdout) {
		return nil, usagef("-o FILE, or a pipe behind it", "a trace is not for a terminal")
	}
	o.Tool, o.Command = versionText(), os.Args
	out, err := session.NewRecorder(*o, filter)
	if err == nil && out.Excluded() != "" {
		note(os.Stderr, "%s %s", o.Path, out.Excluded())
	}
	return out, err
}

// ended ends a command and says how it did; empty when there is none.
func ended(cmd *tracee.Command) string {
	if cmd == nil {
		return ""
	}
	cmd.Stop()
	return cmd.Name() + " " + cmd.Outcome()
}

// registerFilter adds the filters that the kernel applies.
func registerFilter(f *session.Filter, flags *pflag.FlagSet) {
	flags.Uint32Var(&f.Pid, "pid", 0, "only this process (all its threads), by its number here")
	flags.StringVar(&f.Comm, "comm", "", "only threads of this name (up to 15 bytes)")
	flags.StringVar(&f.Cgroup, "cgroup", "", "only this cgroup and those below it: its folder, name or id")
	flags.StringVar(&f.Dev, "dev", "", "only this device: MAJOR:MINOR, /dev/NAME, or a folder on it")
	flags.Uint64Var(&f.Ino, "ino", 0, "only this inode number")
	flags.StringVar(&f.Path, "path", "", "only this file, all below this folder, or the file of this loop device")
	flags.DurationVar(&f.MinLatency, "min-latency", 0, "only writes that took at least this long, such as 5ms")
}

// parseSize takes a size of 1 byte to 2 GiB, with an optional unit.
func parseSize(s string) (int, error) {
	n, err := kernelvm.ParseSize(s)
	if err != nil || n == 0 || n > 2<<30 {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return int(n), nil
}
