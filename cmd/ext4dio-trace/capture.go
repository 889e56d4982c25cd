package main

import (
	"io"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/probes"
)

// captureFlags are the flags about what is captured, and how.
type captureFlags struct {
	filter   filterFlags
	duration time.Duration
	attach   string
	ring     string
	inflight int
	all      bool
	command  []string
}

// register adds all but the filters.
func (o *captureFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&o.duration, "for", 0, "end after this time, such as 10s")
	flags.StringVar(&o.attach, "attach", "auto", "how to attach: auto, session, multi, fentry or kprobe")
	flags.StringVar(&o.ring, "ring", "8M", "size of the ring buffer")
	flags.IntVar(&o.inflight, "inflight", probes.DefaultInflight, "writes that may be inside the kernel at once")
	flags.BoolVar(&o.all, "all", false, "with a COMMAND: trace all processes")
}

// check looks for wrong usage that needs no kernel to be seen.
func (o *captureFlags) check() error {
	if o.duration < 0 {
		return usagef("--for 10s", "--for must not be negative")
	}
	if !slices.Contains([]string{"", "auto", probes.HowSession, probes.HowMulti, probes.HowFentry, probes.HowKprobe}, o.attach) {
		return usagef("--attach auto, session, multi, fentry or kprobe", "unknown way to attach %q", o.attach)
	}
	if o.inflight < 1 || o.inflight > probes.MaxInflight {
		return usagef("--inflight 4096", "--inflight must be between 1 and %d", probes.MaxInflight)
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
	filter, err := o.filter.resolve()
	return probes.Options{
		Attach: o.attach, RingBytes: ring, MaxInflight: o.inflight, Filter: filter,
		Tree: len(o.command) > 0 && !o.all,
	}, err
}

// findCommand finds the command to trace; "" when there is none.
func (o *captureFlags) findCommand() (path string, err error) {
	if len(o.command) == 0 {
		return "", nil
	}
	return findCommand(o.command)
}

// holder starts the command to trace without letting it run.
type holder func(stdin io.Reader, output io.Writer) (*command, error)

// hold starts the command without letting it run, and traces it.
func (o *captureFlags) hold(session *probes.Session, path string, stdin io.Reader, output io.Writer) (*command, error) {
	cmd, err := holdCommand(path, o.command, stdin, output)
	if err != nil {
		return nil, err
	}
	if !o.all {
		if err := session.AddProcess(cmd.pid()); err != nil {
			cmd.stop()
			return nil, err
		}
	}
	return cmd, nil
}
