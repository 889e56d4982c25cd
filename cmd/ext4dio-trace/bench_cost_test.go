package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/prove/bench/cost"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Each error has the status of its kind, and a hint that can be typed.
func TestCostErrors(t *testing.T) {
	tracer := &cost.TracerError{
		Tracer: &cost.Tracer{Name: "ext4dio", Args: []string{"bpftrace", "ext4dio.bt", "0", "PID"}},
		Err:    errors.New("it has ended"), Said: "no BTF",
	}
	for _, c := range []struct {
		err       error
		code      int
		msg, hint string
	}{
		{fmt.Errorf("use /mnt: %w", workload.ErrUsage), exit.Usage, "use /mnt: wrong usage", progName + " bench cost --help"},
		{fmt.Errorf("use /mnt: %w", workload.ErrUnfit), exit.Unfit, "use /mnt: not possible here", progName + " vm -- bench cost --dir /mnt"},
		{fmt.Errorf("lay out: %w", unix.ENOSPC), exit.Unfit, "lay out: no space left on device", "another --dir, with 256 MiB free"},
		{fmt.Errorf("round 2: %w", tracer), exit.Unfit, "round 2: trace with ext4dio: it has ended: no BTF", "bpftrace ext4dio.bt 0 0"},
		{fmt.Errorf("round 2: %w", context.Canceled), exit.Unfit, "interrupted before the last round, so there is nothing to show",
			progName + " bench cost --rounds 1"},
	} {
		var got *exit.Error
		if !errors.As(costError(c.err), &got) || got.Code != c.code || got.Msg != c.msg || got.Hint != c.hint {
			t.Errorf("%v: %+v", c.err, got)
		}
	}
}
