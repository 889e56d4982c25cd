package recorded

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// recording opens a trace, which is read once.
func recording(t *testing.T, path string) *tracefile.Recording {
	t.Helper()
	all, err := tracefile.OpenRecordings(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all[0].Close() })
	return all[0]
}

// TestAdvice: what is advised of the recorded traces. They are of a workload that makes a few
// writes of each kind; kernels of before patch 4 make some exclusive that need not be. The two
// wrong kernels are advised nothing: the verdicts tell of them.
func TestAdvice(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d traces, error %v", len(paths), err)
	}
	var b strings.Builder
	for _, path := range paths {
		c, err := Check(t.Context(), recording(t, path), "auto")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "== %s\n", filepath.Base(path))
		for _, line := range export.AdviceLines(c.Summary.Advice) {
			fmt.Fprintln(&b, line)
		}
		p, err := Report(t.Context(), recording(t, path), ReportOptions{Variant: "auto"})
		if err != nil || len(p.Summary.Advice) != len(c.Summary.Advice) {
			t.Errorf("%s: the report has %d, check %d, error %v", path, len(p.Summary.Advice), len(c.Summary.Advice), err)
		}
	}
	testkit.Golden(t, "advice.txt", b.String())
}
