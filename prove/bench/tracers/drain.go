// Package tracers holds what bench cost measures: our own capture, with nothing behind it,
// and scripts of bpftrace.
package tracers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench/cost"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// Drain captures until ctx ends, counts the records and throws them away. It tells out of
// each step, as cost.CountDrained reads it; with stats, the kernel counts and times the runs
// of our programs, too. It returns what was lost.
func Drain(ctx context.Context, o probes.Options, stats bool, out io.Writer) (losses record.Losses, err error) {
	c, err := session.Attach(o)
	if err != nil {
		return losses, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if stats {
		counting, err := probes.CountRuns()
		if err != nil {
			return losses, err
		}
		defer counting.Close()
	}
	d := drain{capture: c, out: json.NewEncoder(out), stats: stats, writes: map[uint64]int{}}
	return d.run(ctx)
}

// drain is a capture with nothing behind it.
type drain struct {
	capture *session.Capture
	out     *json.Encoder
	stats   bool
	writes  map[uint64]int // by inode
	seen    bool
	bad     uint64 // records that could not be read
}

// run tells of each step, and counts records to the end, which ctx brings about.
func (d *drain) run(ctx context.Context) (l record.Losses, err error) {
	if err := d.say(cost.Drained{At: cost.AtAttached, Time: clock.Monotonic()}); err != nil {
		return l, err
	}
	if err := d.count(ctx); err != nil {
		return l, err
	}
	if l, err = d.capture.Losses(); err != nil {
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
			if err := d.capture.Stop(); err != nil {
				return err
			}
			stopped = true
		}
		raw, err := d.capture.Next()
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
		stats, err := d.capture.Stats()
		if err != nil {
			return err
		}
		for _, p := range stats {
			line.Programs = append(line.Programs, cost.Program{
				Name: p.Program, Func: strings.Join(p.Funcs, ","), How: p.How, Runs: p.Runs, Ns: p.Ns, Insns: p.Insns, Machine: int(p.Machine),
			})
		}
	}
	if err := d.out.Encode(&line); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
