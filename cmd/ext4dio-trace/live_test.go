package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// kernel73 is a kernel of which nothing is known but its release.
func kernel73() *session.Kernel {
	return &session.Kernel{Facts: &probes.Facts{Release: "7.3.4"}, Plan: &probes.Plan{Mode: probes.HowSession}}
}

func newTestTrace(t *testing.T, o *liveOptions, out io.Writer) *trace {
	t.Helper()
	tr, err := newTrace(kernel73(), session.Options{}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	tr.Sink, tr.stderr = o.lines(out, export.Text{}), t.Output()
	return tr
}

// play runs a source to its end, which comes when all its records were taken.
func play(t *testing.T, tr *trace, src session.Source) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	run, err := tr.Start(ctx, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run.Wait()
}

// The exit status is a contract.
func TestExitStatus(t *testing.T) {
	exclusive := func(_ int, w *record.Write) { w.Lock, w.Steps[0].Lock = record.LockExclusive, record.LockExclusive }
	incomplete := func(_ int, w *record.Write) { w.Stages &^= record.StagePass | record.StageLock }
	lost := record.Losses{Counters: record.Counters{LostRing: 1}}
	for _, c := range []struct {
		name   string
		source tracetest.Source
		want   int
	}{
		{"all agree", tracetest.Source{N: 5}, 0},
		{"nothing seen", tracetest.Source{}, 0},
		{"disagreement", tracetest.Source{N: 5, Change: exclusive}, exit.Disagree},
		{"disagreement and loss", tracetest.Source{N: 5, Change: exclusive, Lost: lost}, exit.Disagree},
		{"loss", tracetest.Source{N: 5, Lost: lost}, exit.Unproven},
		{"incomplete", tracetest.Source{N: 5, Change: incomplete}, exit.Unproven},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTestTrace(t, &liveOptions{json: true, variant: "linux-7.3"}, io.Discard)
			if err := play(t, tr, &c.source); err != nil {
				t.Fatal(err)
			}
			got := 0
			if err := exitStatus(&tr.Summary, false); err != nil {
				got = asExit(err).Code
			}
			if got != c.want {
				t.Errorf("exit status %d, want %d; %+v", got, c.want, tr.Summary)
			}
		})
	}
}

// --only chooses what is shown; totals count everything.
func TestOnly(t *testing.T) {
	everyOther := func(i int, w *record.Write) {
		if i%2 == 0 {
			w.Lock, w.Steps[0].Lock = record.LockExclusive, record.LockExclusive
		}
	}
	for only, want := range map[string]int{"": 10, "exclusive": 5, "unsafe": 0, "slower": 5, "slower,exclusive": 5} {
		var out bytes.Buffer
		o := &liveOptions{json: true, variant: "linux-7.3"}
		if only != "" {
			o.only = strings.Split(only, ",")
		}
		tr := newTestTrace(t, o, &out)
		if err := play(t, tr, &tracetest.Source{N: 10, Change: everyOther}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), `{"time_ns":`); got != want || tr.Summary.Totals.Writes != 10 {
			t.Errorf("--only %q: %d lines of %d writes, want %d of 10", only, got, tr.Summary.Totals.Writes, want)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int{"4096": 4096, "64K": 64 << 10, "8M": 8 << 20, "2G": 2 << 30, "": 0, "0": 0, "M": 0, "-1": 0, "1T": 0, "3G": 0, "99999999999999999999": 0} {
		got, err := parseSize(in)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("parseSize(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

// TestOnlyTakesEveryVerdict: --only knows each verdict by its word, and lets through the
// writes that have it and no others.
func TestOnlyTakesEveryVerdict(t *testing.T) {
	for want := judge.Undecided; want <= judge.Unsafe; want++ {
		o := rowChoice{only: []string{want.String()}}
		if err := o.checkOnly(); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		for k := judge.Undecided; k <= judge.Unsafe; k++ {
			if got := o.shows(&export.Row{Verdict: export.Some(k)}); got != (k == want) {
				t.Errorf("--only %s shows a write that is %s: %v", want, k, got)
			}
		}
		if o.shows(&export.Row{}) {
			t.Errorf("--only %s shows a write that was not judged", want)
		}
	}
}
