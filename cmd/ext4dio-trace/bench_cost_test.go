package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

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
		{fmt.Errorf("use /mnt: %w", workload.ErrUsage), exitUsage, "use /mnt: wrong usage", progName + " bench cost --help"},
		{fmt.Errorf("use /mnt: %w", workload.ErrUnfit), exitUnfit, "use /mnt: not possible here", progName + " vm -- bench cost --dir /mnt"},
		{fmt.Errorf("lay out: %w", unix.ENOSPC), exitUnfit, "lay out: no space left on device", "another --dir, with 256 MiB free"},
		{fmt.Errorf("round 2: %w", tracer), exitUnfit, "round 2: trace with ext4dio: it has ended: no BTF", "bpftrace ext4dio.bt 0 0"},
		{fmt.Errorf("round 2: %w", context.Canceled), exitUnfit, "interrupted before the last round, so there is nothing to show",
			progName + " bench cost --rounds 1"},
	} {
		var got *exitError
		if !errors.As(costError(c.err), &got) || got.code != c.code || got.msg != c.msg || got.hint != c.hint {
			t.Errorf("%v: %+v", c.err, got)
		}
	}
}

// Ours trace this process only, or have a filter that it does not pass.
func TestCostTracers(t *testing.T) {
	f := costFlags{attach: []string{"fentry"}, leaves: []string{"pid", "dev", "ino"}}
	all, err := f.tracers()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"fentry: --pid PID", "fentry --pid: --pid 2", "fentry --dev: --dev 0:1", "fentry --ino: --ino 1"}
	if len(all) != len(want) {
		t.Fatalf("%d tracers", len(all))
	}
	for i, tr := range all {
		n := len(tr.Args)
		got := fmt.Sprintf("%s: %s %s", tr.Name, tr.Args[n-2], tr.Args[n-1])
		if got != want[i] || tr.LeavesOut != (i > 0) || !tr.Ours || tr.Args[4] != "fentry" {
			t.Errorf("%+v, want %s", tr, want[i])
		}
	}
}
