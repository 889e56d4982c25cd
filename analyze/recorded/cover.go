package recorded

import (
	"context"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Cover adds the ways that the writes of a recording went, judged by a variant, auto or the
// name of one.
func Cover(ctx context.Context, in *tracefile.Recording, variant string, c *coverage.Coverage) error {
	return cover(ctx, in, variant, c, func(*observe.Observation, *judge.Verdict) {})
}

// cover is Cover, and tells somebody else of each write, too.
func cover(ctx context.Context, in *tracefile.Recording, variant string, c *coverage.Coverage, also session.Seen) error {
	_, err := replay.Judge(ctx, in, variant, func(k *session.Kernel) session.Seen {
		c.Unprobed = k.Plan.Unattached
		return func(o *observe.Observation, v *judge.Verdict) {
			c.Add(o, v)
			also(o, v)
		}
	})
	return err
}
