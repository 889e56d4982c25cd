package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// TestCoverageFields: docs/coverage.md has the fields of the JSON.
func TestCoverageFields(t *testing.T) {
	fieldTables(t, "../../docs/coverage.md", map[string]any{
		"| variant | what it is |": coverage.Report{}, "| point | what it is |": coverage.Point{}, "| difference | what it is |": coverage.Difference{}, "| gap | what it is |": coverage.Gap{},
	})
}

// Nothing that counts is not enough, whatever was asked for.
func TestCoverageStatus(t *testing.T) {
	some := coverage.Report{Variant: "linux-7.3", Writes: 1, Taken: 4, Reachable: 5, Share: 0.8}
	for _, c := range []struct {
		reports []coverage.Report
		least   float64
		want    int
	}{
		{nil, 0, exit.Unproven}, {nil, 0.5, exit.Unproven}, {[]coverage.Report{{Disagree: 5}}, 0, exit.Unproven},
		{[]coverage.Report{some}, 0.8, 0}, {[]coverage.Report{some}, 0.81, exit.Disagree}, {[]coverage.Report{some, {Variant: "x", Writes: 1}}, 0.1, exit.Disagree},
	} {
		status := 0
		if err := coverageStatus(c.reports, c.least); err != nil {
			status = asExit(err).Code
		}
		if status != c.want {
			t.Errorf("%+v, at least %g: %d, want %d", c.reports, c.least, status, c.want)
		}
	}
}

// What a recording has lost is said, and stands on the page before all that was counted.
func TestCoverageOfLossy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	tr := newTestTrace(t, &liveOptions{json: true, variant: "linux-7.3"}, io.Discard)
	out, err := session.NewRecorder(session.RecorderOptions{Path: path}, &probes.Filter{})
	if err == nil {
		err = tr.RecordTo(out, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	tr.stderr = io.Discard
	src := &tracetest.Source{N: 300, Lost: record.Losses{Counters: record.Counters{Seen: 307, LostRing: 7}}}
	if err := tr.finish(play(t, tr, src), nil); asExit(err).Code != exit.Unproven {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path: "lost: 7 ", "../../testdata/traces/linux-7.3.e4d": ""} {
		these, err := (&coverageFlags{variant: "linux-7.3"}).covered(t.Context(), []string{name})
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := (&coverageFlags{}).page(&these, &covered{}).WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		if missing := these.inputs[0].Missing; !strings.HasPrefix(missing, want) || (want == "") != (missing == "") || !strings.Contains(page.String(), missing) {
			t.Errorf("%s: %q is missing, want %q", name, missing, want)
		}
	}
}
