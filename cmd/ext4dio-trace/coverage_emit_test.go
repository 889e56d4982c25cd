package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Where no write counts nothing is known to be missing, and where nothing is missing there is nothing to do:
// no folder is made, and the status is that of coverage.
func TestNothingToEmit(t *testing.T) {
	none, all := coverage.None(model.Linux73), coverage.None(model.Linux73)
	none.Disagree = 5
	all.Writes, all.Taken, all.Share = 1, all.Reachable, 1
	for _, c := range []struct {
		reports []coverage.Report
		want    int
	}{
		{nil, exit.Unproven}, {[]coverage.Report{none}, exit.Unproven}, {[]coverage.Report{all}, 0}, {[]coverage.Report{all, none}, 0},
	} {
		e := coverageEmit{missing: true, dir: filepath.Join(t.TempDir(), "new")}
		if err := e.tests(c.reports); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(e.dir); !os.IsNotExist(err) {
			t.Errorf("%d reports: %v", len(c.reports), err)
		}
		status := 0
		if err := coverageStatus(c.reports, 0); err != nil {
			status = asExit(err).Code
		}
		if status != c.want {
			t.Errorf("%d reports: status %d, want %d", len(c.reports), status, c.want)
		}
	}
}
