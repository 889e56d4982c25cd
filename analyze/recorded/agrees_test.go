package recorded

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestNoMarkWhereItAgrees: what explain sets side by side differs in nothing for a write
// that agrees, of all recorded kernels. Refused writes are among them.
func TestNoMarkWhereItAgrees(t *testing.T) {
	files, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	// Of patch4: prove/matrix/testdata/guest.sh makes it of the workload nowait.
	files = append(files, "testdata/nowait.e4d")
	refused := map[observe.Point]int{}
	for _, f := range files {
		all, err := tracefile.OpenRecordings(f)
		if err != nil {
			t.Fatal(err)
		}
		in := all[0]
		_, err = replay.Judge(t.Context(), in, "auto", func(*session.Kernel) session.Seen {
			return func(o *observe.Observation, v *judge.Verdict) {
				if v.Kind != judge.Agree {
					return
				}
				if at, is := o.Refused(); is {
					refused[at]++
				}
				ob := explain.Observed{Write: o.Clone(), Variants: []model.Variant{v.Variant}}
				var out bytes.Buffer
				if err := ob.WriteText(&out); err != nil {
					t.Fatal(err)
				}
				at, _ := o.Refused()
				hole := strings.Contains(out.String(), "refused: hole: no allocation under NOWAIT  refused: hole")
				if strings.Contains(out.String(), "\n* ") || hole != (at == observe.AtAllocation) {
					t.Fatalf("%s: %s", f, out.String())
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = in.Close()
	}
	if len(refused) < 3 || refused[observe.AtAllocation] == 0 || refused[observe.AtUnknown] > 0 {
		t.Errorf("refused at %v", refused)
	}
	t.Log(refused)
}
