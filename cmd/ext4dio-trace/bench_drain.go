package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench/tracers"
)

// newDrainCmd makes the command that captures and does nothing else, for bench cost.
func newDrainCmd() *cobra.Command {
	o := captureFlags{inflight: probes.DefaultInflight}
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
	fl.StringVar(&o.attach, "attach", "auto", attachUsage)
	fl.StringVar(&o.ring, "ring", "8M", "size of the ring buffer")
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
