package replay

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// TestFirstWriteIsJudgedAsTheLast: all writes of a recording are judged as the variant that
// all of them tell together, and none is provisional. What is told of what could not be
// read is counted once, though it is read twice.
func TestFirstWriteIsJudgedAsTheLast(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(paths) != 10 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		all, err := tracefile.OpenRecordings(path)
		if err != nil {
			t.Fatal(err)
		}
		defer all[0].Close()
		counts, n := map[string]int{}, uint64(0)
		j, err := Judge(context.Background(), all[0], "auto", func(*session.Kernel) session.Seen {
			return func(_ *observe.Observation, v *judge.Verdict) {
				counts[v.Variant.String()]++
				if n++; v.Provisional || v.Seq != n {
					t.Errorf("%s: write %d: provisional %v, number %d", path, n, v.Provisional, v.Seq)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if best := j.Judge.Detector().Best().String(); len(counts) != 1 || counts[best] == 0 {
			t.Errorf("%s: writes are judged as %v, want %s", path, counts, best)
		}
		if l, err := all[0].Losses(); err != nil || l.Seen != n || all[0].Missing() != nil {
			t.Errorf("%s: %d writes seen of %d; %v, %v", path, n, l.Seen, all[0].Missing(), err)
		}
	}
}
