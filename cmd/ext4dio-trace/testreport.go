package main

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/internal/testreport"
)

// testFlags say in which forms CI gets what came out.
type testFlags struct {
	ktap  bool
	junit string
}

func (f *testFlags) registerTests(fl *pflag.FlagSet) {
	fl.BoolVar(&f.ktap, "ktap", false, "test cases as KTAP, which kernel CI reads")
	fl.StringVar(&f.junit, "junit", "", "write test cases as JUnit XML into this `FILE`, too")
}

// checkKTAP finds what excludes --ktap.
func (f *testFlags) checkKTAP(other string, given bool) error {
	if f.ktap && given {
		return usagef("--ktap", "--ktap and %s exclude each other", other)
	}
	return nil
}

// checkJUnit finds before anything is done whether the file can be made, where standard
// output has the other form.
func (f *testFlags) checkJUnit(inputs []string) error {
	return outfile.Check(inputs, outfile.Out{Path: outfile.Stdout}, outfile.Out{Flag: "--junit", Path: f.junit})
}

// writeJUnit writes the file of --junit, if one is wanted.
func (f *testFlags) writeJUnit(tests func() *testreport.Report) error {
	if f.junit == "" {
		return nil
	}
	return outfile.Out{Flag: "--junit", Path: f.junit}.Write(tests().WriteJUnit)
}

// tests are the points as test cases, each by what was asked for.
func (f *coverageFlags) tests(these, others *covered, least float64) *testreport.Report {
	d := &coverage.Demand{Least: f.min, Share: least, NoLoss: f.noLoss, Gaps: slices.Concat(these.gaps, others.gaps), Blind: f.noLoss && coverage.Empty(others.reports)}
	if len(f.against) > 0 {
		d.Against = coverage.Compare(these.reports, others.reports)
	}
	return coverage.Tests(these.reports, d)
}
