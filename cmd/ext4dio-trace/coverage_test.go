package main

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// TestCoverageFields: docs/coverage.md has the fields of the JSON.
func TestCoverageFields(t *testing.T) {
	fieldTables(t, "../../docs/coverage.md", map[string]any{
		"| variant | what it is |": coverage.Report{}, "| point | what it is |": coverage.Point{}, "| difference | what it is |": coverage.Difference{},
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
