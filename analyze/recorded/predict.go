package recorded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// PredictOptions say what to predict of a recording, and of which part of it.
type PredictOptions struct {
	whatif.Options
	Traced string // the variant of the kernel that made it: auto, or the name of one
	// Shows chooses the writes that the answer is about; nil for all. The others are simulated
	// beside them.
	Shows func(*export.Row) bool
	// From and To bound what is looked at, ns of CLOCK_MONOTONIC; To is not in it, 0 is the end.
	From, To uint64
}

// during reports whether something that lasted so long is looked at.
func (o *PredictOptions) during(from, to uint64) bool {
	return to >= o.From && (o.To == 0 || from < o.To)
}

// Predict tells what another variant or a changed application would do with the writes of a
// recording.
func Predict(ctx context.Context, in *tracefile.Recording, o PredictOptions) (*whatif.Report, error) {
	k, err := replay.Kernel(ctx, in, o.Traced)
	if err != nil {
		return nil, err
	}
	p := whatif.New(o.Options)
	judged, err := o.feed(ctx, in, k, p)
	if err != nil {
		return nil, err
	}
	return o.predict(ctx, p, judged, in)
}

// feed hands what is looked at of a recording to p.
func (o *PredictOptions) feed(ctx context.Context, in *tracefile.Recording, k session.Kernel, p *whatif.Predictor) (*replay.Judged, error) {
	k.Held = func(h *observe.Hold) {
		if o.during(h.From, h.To) {
			p.Hold(h)
		}
	}
	maker := k.Maker(in)
	var row export.Row
	return replay.JudgeAs(ctx, in, k, o.Traced, func(ob *observe.Observation, v *judge.Verdict) {
		if !o.during(ob.Time, ob.Time) {
			return
		}
		p.Traced(v.Variant)
		if o.Shows != nil {
			if maker.Fill(&row, ob, v); !o.Shows(&row) {
				p.Beside(ob, string(v.Reason))
				return
			}
		}
		p.Add(ob, string(v.Reason))
	})
}

// predict simulates what p has taken in of a recording that was judged: all of it, or, read
// once more, one phase. Names of files come from names.
func (o *PredictOptions) predict(ctx context.Context, p *whatif.Predictor, judged *replay.Judged, names export.Names) (*whatif.Report, error) {
	p, judged, err := o.narrow(ctx, p, judged)
	if err != nil {
		return nil, err
	}
	var s export.Summary
	if err := judged.Account(&s); err != nil {
		return nil, err
	}
	rep, err := p.Predict(ctx, whatif.Trace{
		Began: judged.In.Info().Monotonic, Losses: s.Losses, Missing: cmp.Or(replay.Missing(judged.In), replay.Sampled(judged.In)), Holders: judged.Plan.Holders, Unseen: judged.Plan.Unseen(),
	})
	if err != nil {
		return nil, fmt.Errorf("%w before all was simulated", replay.ErrInterrupted)
	}
	rep.Traced = s.Variant
	if rep.Variant == 0 {
		rep.Variant = judged.Judge.Detector().Best()
	}
	for i := range rep.Files {
		g := &rep.Files[i]
		g.Path = names.Path(record.NameID{FileID: record.FileID{Dev: g.Dev, Ino: g.Ino, Generation: g.Gen}})
	}
	return rep, nil
}

// narrow reads a recording once more for one phase of it, where that is what is asked for.
func (o *PredictOptions) narrow(ctx context.Context, p *whatif.Predictor, judged *replay.Judged) (*whatif.Predictor, *replay.Judged, error) {
	in := judged.In
	if in.Places() == 0 {
		if o.Phase > 0 {
			return nil, nil, hint.Usagef("--phase all", "--phase %d: what comes on a pipe cannot be read twice", o.Phase)
		}
		return p, judged, nil
	}
	one, err := p.Narrow()
	if errors.Is(err, whatif.ErrPhase) {
		return nil, nil, hint.Usagef("--phase steady", "%v", err)
	}
	if one == nil {
		return p, judged, nil
	}
	if err := in.Rewind(); err != nil {
		return nil, nil, fmt.Errorf("read trace: %w", err)
	}
	judged, err = o.feed(ctx, in, judged.Kernel, one)
	return one, judged, err
}

// predictionText is the section of a report. Names of files come from names; those of
// processes are replaced where they are redacted.
func predictionText(ctx context.Context, o *ReportOptions, judged *replay.Judged, names export.Names) (string, error) {
	rep, err := (&PredictOptions{Traced: o.Variant}).predict(ctx, o.Predictor, judged, names)
	if err != nil {
		return "", err
	}
	for i := range rep.Writers {
		if o.Redact != nil {
			rep.Writers[i].Comm = o.Redact.Comm(rep.Writers[i].Comm)
		}
	}
	var b strings.Builder
	if err := rep.WriteText(&b, export.Safe); err != nil {
		return "", err
	}
	return b.String(), nil
}
