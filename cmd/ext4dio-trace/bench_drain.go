package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench/cost"
	"github.com/ext4dio/ext4dio-trace/record"
)

// drainFlags are the flags of bench drain.
type drainFlags struct {
	filter       filterFlags
	attach, ring string
	stats        bool
}

// newDrainCmd makes the command that captures and does nothing else, for bench cost.
func newDrainCmd() *cobra.Command {
	var f drainFlags
	cmd := &cobra.Command{
		Use: "drain", Hidden: true,
		Short: "capture records, count them and throw them away",
		Long: `Captures as live does, and counts the records of each inode until SIGINT. It
writes a JSON object when it is attached, one at its first record, and one at the
end with the writes of each inode and the number of those that were lost.

Exit status 4: records were lost or are incomplete.`,
		Example: `  ext4dio-trace bench drain --pid 1234 --attach fentry`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDrain(cmd.Context(), &f) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	f.filter.register(fl)
	fl.StringVar(&f.attach, "attach", "auto", "how to attach: auto, session, multi, fentry or kprobe")
	fl.StringVar(&f.ring, "ring", "8M", "size of the ring buffer")
	fl.BoolVar(&f.stats, "stats", false, "let the kernel count and time the runs of our programs")
	return cmd
}

// options are the options for attaching. Every error is wrong usage.
func (f *drainFlags) options() (probes.Options, error) {
	live := captureFlags{filter: f.filter, attach: f.attach, ring: f.ring, inflight: probes.DefaultInflight}
	if err := live.check(); err != nil {
		return probes.Options{}, err
	}
	return live.probeOptions()
}

// runDrain captures until ctx ends. What was lost is said on stderr, too.
func runDrain(ctx context.Context, f *drainFlags) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	_, _, session, err := attach(o)
	if err != nil {
		return err
	}
	if f.stats {
		counting, err := probes.CountRuns()
		if err != nil {
			return errors.Join(err, session.Close())
		}
		defer counting.Close()
	}
	d := drain{session: session, out: json.NewEncoder(os.Stdout), stats: f.stats, writes: map[uint64]int{}}
	losses, err := d.run(ctx)
	if err := errors.Join(err, session.Close()); err != nil {
		return err
	}
	if losses.Any() {
		note(os.Stderr, "%s", losses)
		return &exitError{code: exitUnproven}
	}
	return nil
}

// drain is a capture with nothing behind it.
type drain struct {
	session *probes.Session
	out     *json.Encoder
	stats   bool
	writes  map[uint64]int // by inode
	seen    bool
	bad     uint64 // records that could not be read
}

// run tells of each step, and counts records to the end, which ctx brings about.
func (d *drain) run(ctx context.Context) (l record.Losses, err error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return l, fmt.Errorf("read monotonic clock: %w", err)
	}
	if err := d.say(cost.Drained{At: cost.AtAttached, Time: uint64(now.Nano())}); err != nil {
		return l, err
	}
	if err := d.count(ctx); err != nil {
		return l, err
	}
	if l, err = d.session.Losses(); err != nil {
		return l, err
	}
	l.Malformed = d.bad
	return l, d.say(cost.Drained{At: cost.AtEnd, Writes: d.writes, Lost: l.Lost()})
}

// count takes records to the end.
func (d *drain) count(ctx context.Context) error {
	var w record.Write
	stopped := false
	for {
		if ctx.Err() != nil && !stopped {
			if err := d.session.Stop(); err != nil {
				return err
			}
			stopped = true
		}
		raw, err := d.session.Next()
		switch {
		case errors.Is(err, record.ErrEnd):
			return nil
		case errors.Is(err, record.ErrIdle):
			continue
		case err != nil:
			return fmt.Errorf("read records: %w", err)
		}
		kind, _, err := record.KindOf(raw)
		if err == nil && kind == record.KindWrite {
			err = record.ParseWrite(raw, &w)
		}
		if err != nil {
			d.bad++
		}
		if err != nil || kind != record.KindWrite {
			continue
		}
		d.writes[w.Ino]++
		if d.seen {
			continue
		}
		d.seen = true
		if err := d.say(cost.Drained{At: cost.AtFirst, Time: w.T0}); err != nil {
			return err
		}
	}
}

// say writes a line, with the programs so far where they are counted.
func (d *drain) say(line cost.Drained) error {
	if d.stats {
		stats, err := d.session.Stats()
		if err != nil {
			return err
		}
		for _, p := range stats {
			line.Programs = append(line.Programs, cost.Program{
				Name: p.Program, Func: p.Func, How: p.How, Runs: p.Runs, Ns: p.Ns, Insns: p.Insns, Machine: int(p.Machine),
			})
		}
	}
	if err := d.out.Encode(&line); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
