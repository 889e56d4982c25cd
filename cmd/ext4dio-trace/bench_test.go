package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// On a disk that never lets a writer wait, a line says so and what to type.
func TestFastDisk(t *testing.T) {
	report := func(cpus int, cpu int64) *bench.Report {
		return &bench.Report{Test: "test2", CPUs: cpus, Steps: []bench.Step{{Jobs: 1, Measure: bench.Measure{WallNs: 1000, CPUNs: cpu}}}}
	}
	got := fastDisk(report(2, 970))
	for _, want := range []string{"busy for 97% of", "2 CPUs", "beyond 2.1x", "vm --null-blk 512M --latency 5ms -- bench test2 --dir /mnt"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in: %s", want, got)
		}
	}
	for name, rep := range map[string]*bench.Report{
		"it waits": report(2, 100), "many CPUs": report(16, 970), "not known": report(2, 0),
	} {
		if got := fastDisk(rep); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Each error has the status and hint of its kind.
func TestBenchErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		hint string
	}{
		{fmt.Errorf("lay out: %w: %w", workload.ErrUnfit, unix.ENOSPC), exit.Unfit, "fewer --writes or --jobs, or another disk"},
		{fmt.Errorf("run: %w", workload.ErrUnfit), exit.Unfit, progName + " vm -- bench all --dir /mnt"},
		{fmt.Errorf("run: %w", unix.EIO), exit.Unfit, ""},
		{&target.NotPossibleError{Reason: "no"}, exit.Unfit, ""},
		{&target.RefusedError{Msg: "mounted", Hint: "umount"}, exit.Usage, "umount"},
		{&hint.UnfitError{Msg: "no mkfs", Hint: "install"}, exit.Unfit, "install"},
		{fmt.Errorf("run: %w", context.Canceled), exit.Unfit, ""},
	} {
		var got *exit.Error
		if !errors.As(benchError(deviceError(c.err)), &got) || got.Code != c.code || got.Hint != c.hint {
			t.Errorf("%v: %+v", c.err, got)
		}
	}
	if err := benchError(deviceError(nil)); err != nil {
		t.Error(err)
	}
}
