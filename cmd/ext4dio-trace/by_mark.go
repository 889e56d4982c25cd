package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// byFlag is --by.
type byFlag struct{ what string }

func (f *byFlag) register(fl *pflag.FlagSet) {
	fl.StringVar(&f.what, "by", "", "a line for each `mark`, see the command mark")
}

// mark reports whether what comes out is grouped by mark.
func (f *byFlag) mark() bool { return f.what != "" }

// check refuses what writes are not grouped by.
func (f *byFlag) check() error {
	if f.what != "" && f.what != "mark" {
		return usagef("--by mark", "--by %s: writes can be grouped by mark only", f.what)
	}
	return nil
}

// checkTests refuses test cases by mark: there are none.
func (f *byFlag) checkTests(t *testFlags) error {
	switch {
	case f.mark() && t.ktap:
		return usagef("--by mark --json, or --ktap", "--ktap has no marks: leave one of them away")
	case f.mark() && t.junit != "":
		return usagef("--by mark --json, or --junit", "--junit has no marks: leave one of them away")
	}
	return nil
}

// checkBy refuses what does not go with --by.
func (f *coverageFlags) checkBy(paths []string) error {
	if err := errors.Join(f.by.check(), f.by.checkTests(&f.testFlags)); err != nil || !f.by.mark() {
		return err
	}
	switch {
	case f.html:
		return usagef("--by mark", "--html has no marks: leave one of them away")
	case len(f.against) > 0:
		return usagef("--by mark", "--by and --against exclude each other")
	}
	saved, err := savedOnes(paths, f.variant, func(string, *coverage.Coverage) {})
	if err == nil && len(saved) < len(paths) {
		return usagef("give the recordings that it was made of", "a saved coverage has no marks")
	}
	return err
}

// cover is recorded.Cover, which counts by mark, too, when that is asked for.
func (f *byFlag) cover(ctx context.Context, in *tracefile.Recording, variant string, c *coverage.Coverage, by *coverage.ByMark) error {
	if !f.mark() {
		return recorded.Cover(ctx, in, variant, c)
	}
	return recorded.CoverMarks(ctx, in, variant, c, by)
}

// marks are those of by in JSON; nil when they are not asked for.
func (f *byFlag) marks(by *coverage.ByMark) []coverage.Marked {
	if !f.mark() {
		return nil
	}
	return by.Marks()
}

// writeMarkCoverage writes a line for each mark, and one for all of each variant.
func writeMarkCoverage(w io.Writer, these *covered) error {
	err := coverage.WriteMarks(w, these.by.Marks(), export.SafeMark)
	for i := range these.reports {
		r := &these.reports[i]
		_, more := fmt.Fprintf(w, "%s: %d of %d ways that a direct write can go were taken (%s)\n", r.Variant, r.Taken, r.Reachable, r.Percent())
		err = errors.Join(err, more)
	}
	return err
}
