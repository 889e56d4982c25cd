package main

import (
	"math"
	"testing"

	"github.com/ext4dio/ext4dio-trace/trace/replay"
)

func TestPaceUsage(t *testing.T) {
	for _, f := range []replay.Pace{{Rate: 1, Speed: 1}, {Rate: -1}, {Speed: -1}, {Rate: math.NaN()}, {Speed: math.Inf(1)}, {Rate: 1e-9}} {
		if checkPace(f) == nil {
			t.Errorf("%+v is let through", f)
		}
	}
	for _, f := range []replay.Pace{{}, {Rate: 50_000}, {Speed: 0.1}} {
		if err := checkPace(f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
