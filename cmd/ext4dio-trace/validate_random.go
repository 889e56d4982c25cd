package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
	"github.com/ext4dio/ext4dio-trace/validate"
	"github.com/ext4dio/ext4dio-trace/validate/random"
)

// generate makes the writes that follow from the seed in a directory, when any are
// wanted, and keeps their report.
func (x *validation) generate(ctx context.Context, dir string, v model.Variant) error {
	if x.writes == 0 && x.number == 0 {
		return nil
	}
	for x.seed == 0 {
		x.seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	rep, err := random.Run(ctx, random.Options{
		Dir: dir, Seed: x.seed, Writes: x.writes, Case: x.number, Variant: v, Unprobed: x.plan.Unattached,
		Tracer: validate.NewSourceTracer(x.session, decode.Options{Variant: v, Evidence: evidence(x.facts), Unprobed: x.plan.Unattached}),
	})
	if err != nil {
		return err
	}
	x.generated = append(x.generated, rep)
	return nil
}

// reportGenerated writes the reports of generated writes behind that of the
// scenarios, and says what is wrong in them, or "".
func (x *validation) reportGenerated() (wrong string, err error) {
	bad := 0
	for _, rep := range x.generated {
		if !rep.OK() {
			bad += len(rep.Failures)
		}
		if x.json {
			err = writeJSON(rep)
		} else {
			err = rep.WriteText(os.Stdout)
		}
		if err != nil {
			return "", err
		}
	}
	if bad > 0 {
		wrong = fmt.Sprintf("%d kinds of failures in generated writes; --seed %d repeats them", bad, x.seed)
	}
	return wrong, nil
}
