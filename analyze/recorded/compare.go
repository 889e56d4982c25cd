package recorded

import (
	"context"

	"github.com/ext4dio/ext4dio-trace/analyze/compare"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Side reads a recording as one side of a comparison; choose says what each write is to it.
func Side(ctx context.Context, in *tracefile.Recording, name, variant string, choose func(*export.Row) compare.Choice) (*compare.Side, error) {
	s := &compare.Side{Name: name}
	var row export.Row
	judged, err := replay.Judge(ctx, in, variant, func(k *session.Kernel) session.Seen {
		maker := k.Maker(in)
		return func(o *observe.Observation, v *judge.Verdict) {
			maker.Fill(&row, o, v)
			s.Summary.Totals.Add(&row)
			s.Add(&row, choose(&row))
		}
	})
	if err != nil {
		return nil, err
	}
	if err := judged.Account(&s.Summary); err != nil {
		return nil, err
	}
	for _, text := range []string{replay.Missing(in), replay.Sampled(in)} {
		if text != "" {
			s.Missing = append(s.Missing, text)
		}
	}
	for _, f := range environment(in, in.Info(), "") {
		if f.Name != "reported by" {
			s.Facts = append(s.Facts, f)
		}
	}
	s.Facts = append(s.Facts, report.Fact{Name: "judged as", Value: s.Summary.Variant})
	return s, nil
}
