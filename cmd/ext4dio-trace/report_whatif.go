package main

import (
	"context"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	reports "github.com/ext4dio/ext4dio-trace/report"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// reportPredictor predicts a variant by its name; nil for the empty one.
func reportPredictor(name string) (*whatif.Predictor, error) {
	if name == "" {
		return nil, nil
	}
	v, err := model.ParseVariant(name)
	if err != nil {
		return nil, usagef(progName+" report --help", "--whatif: %v", err)
	}
	return whatif.New(whatif.Options{Variant: v, Seed: 1}), nil
}

// predictionText is the section of a report. Names of files come from names; those of
// processes are replaced when redacted.
func predictionText(ctx context.Context, p *whatif.Predictor, in *tracefile.Recording, judge *judge.Judge, names export.Names, redact *reports.Redactor, redacted bool) (string, error) {
	rep, err := finishPrediction(ctx, p, in, judge, names)
	if err != nil {
		return "", err
	}
	for i := range rep.Writers {
		if row := (export.Row{Comm: rep.Writers[i].Comm}); redacted {
			redact.Row(&row)
			rep.Writers[i].Comm = row.Comm
		}
	}
	var b strings.Builder
	if err := rep.WriteText(&b, export.Safe); err != nil {
		return "", err
	}
	return b.String(), nil
}
