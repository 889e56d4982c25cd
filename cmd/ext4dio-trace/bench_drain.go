package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/bench/cost"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
)

// newDrainCmd makes the command that captures and does nothing else, for bench cost.
func newDrainCmd() *cobra.Command {
	o := probes.Options{RingBytes: probes.DefaultRing, MaxInflight: probes.DefaultInflight}
	var stats bool
	cmd := &cobra.Command{
		Use: "drain", Hidden: true, Args: noArgs,
		Short: "capture records, count them and throw them away",
		RunE:  func(cmd *cobra.Command, _ []string) error { return drain(cmd.Context(), o, stats) },
	}
	fl := cmd.Flags()
	fl.Uint32Var(&o.Filter.Pid, "pid", 0, "only this process")
	fl.StringVar(&o.Attach, "attach", "auto", "how to attach")
	fl.IntVar(&o.RingBytes, "ring", probes.DefaultRing, "bytes of the ring buffer")
	fl.BoolVar(&stats, "stats", false, "let the kernel count and time the runs of our programs")
	return cmd
}

func drain(ctx context.Context, o probes.Options, stats bool) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	_, _, session, err := attach(o)
	if err != nil {
		return err
	}
	if stats {
		counting, err := probes.CountRuns()
		if err != nil {
			return errors.Join(err, session.Close())
		}
		defer counting.Close()
	}
	out := json.NewEncoder(os.Stdout)
	d := cost.Drained{Writes: map[uint64]int{}}
	err = drainAll(ctx, session, out, &d, stats)
	losses, lossErr := session.Losses()
	d.Lost = losses.Lost()
	if stats && err == nil {
		d.Programs, err = programs(session)
	}
	err = errors.Join(err, lossErr, session.Close())
	if err != nil {
		return err
	}
	return out.Encode(&d)
}

// programs are the session's programs in the words of the measurement.
func programs(s *probes.Session) ([]cost.Program, error) {
	stats, err := s.Stats()
	if err != nil {
		return nil, err
	}
	var all []cost.Program
	for _, p := range stats {
		all = append(all, cost.Program{Name: p.Program, Func: p.Func, How: p.How, Runs: p.Runs, Ns: p.Ns, Insns: p.Insns, Machine: int(p.Machine)})
	}
	return all, nil
}

// drainAll counts records to the end, and tells of the first.
func drainAll(ctx context.Context, s *probes.Session, out *json.Encoder, d *cost.Drained, stats bool) error {
	var w record.Write
	for {
		raw, err := s.Next()
		if errors.Is(err, record.ErrEnd) {
			return nil
		}
		if ctx.Err() != nil {
			if err := s.Stop(); err != nil {
				return err
			}
		}
		if errors.Is(err, record.ErrIdle) {
			continue
		}
		if err != nil {
			return err
		}
		if kind, _, err := record.KindOf(raw); err != nil || kind != record.KindWrite {
			continue
		}
		if err := record.ParseWrite(raw, &w); err != nil {
			return fmt.Errorf("read record: %w", err)
		}
		d.Writes[w.Ino]++
		if d.First == 0 {
			d.First = w.T0
			first := cost.Drained{First: w.T0}
			if stats {
				if first.Programs, err = programs(s); err != nil {
					return err
				}
			}
			if err := out.Encode(&first); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
		}
	}
}
