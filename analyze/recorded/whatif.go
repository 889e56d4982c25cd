package recorded

import (
	"context"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Predict tells what another variant would do with a recording; traced is the variant of
// the kernel that made it: auto, or the name of one.
func Predict(ctx context.Context, in *tracefile.Recording, traced string, o whatif.Options) (*whatif.Report, error) {
	p := whatif.New(o)
	judged, err := replay.Judge(ctx, in, traced, func(*session.Kernel) session.Seen {
		return func(ob *observe.Observation, v *judge.Verdict) { p.Add(ob, string(v.Reason)) }
	})
	if err != nil {
		return nil, err
	}
	return predicted(ctx, p, judged, in)
}

// Decisions counts what another variant would decide of the writes of a recording, as
// Predict does, without simulating time.
func Decisions(ctx context.Context, in *tracefile.Recording, traced string, c *whatif.Counter) error {
	_, err := replay.Judge(ctx, in, traced, func(*session.Kernel) session.Seen {
		return func(o *observe.Observation, v *judge.Verdict) { c.Add(o, string(v.Reason)) }
	})
	return err
}

// predicted simulates what p has taken in of a recording, with the names of files
// from names.
func predicted(ctx context.Context, p *whatif.Predictor, judged *replay.Judged, names export.Names) (*whatif.Report, error) {
	var s export.Summary
	if err := judged.Account(&s); err != nil {
		return nil, err
	}
	rep, err := p.Predict(ctx, s.Losses, replay.Missing(judged.In))
	if err != nil {
		return nil, fmt.Errorf("%w before all was simulated", replay.ErrInterrupted)
	}
	rep.Traced, _ = judged.Variant()
	for i := range rep.Files {
		g := &rep.Files[i]
		g.Path = names.Path(g.Dev, g.Ino, 0)
	}
	return rep, nil
}
