package recorded

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// withHolders is the test's trace as if three reads of its first file were recorded, and so
// many holders lost.
func withHolders(t *testing.T, which string, lost uint64) *tracefile.Recording {
	t.Helper()
	in := open(t, 0)
	info := *in.Info()
	var plan probes.Plan
	if err := json.Unmarshal(info.Plan, &plan); err != nil {
		t.Fatal(err)
	}
	plan.Holders = which
	var err error
	if info.Plan, err = json.Marshal(&plan); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := tracefile.NewWriter(&file, &info)
	if err != nil {
		t.Fatal(err)
	}
	losses := record.Losses{Counters: record.Counters{LostHold: lost}}
	for n := uint64(0); ; n++ {
		raw, err := in.Next()
		if err != nil {
			break
		}
		if err := w.Append(raw, &losses); err != nil {
			t.Fatal(err)
		}
		var first record.Write
		if n < 3 && record.ParseWrite(raw, &first) == nil {
			h := record.Hold{Op: record.HoldRead, Lock: record.LockShared, Dev: first.Dev, Ino: first.Ino, Generation: first.Generation,
				T0: first.T0, From: first.T0, To: first.T0 + 1000, Tgid: 1 << 20, Tid: 1 << 20}
			if err := w.Append(h.Append(nil), &losses); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(&losses); err != nil {
		t.Fatal(err)
	}
	r, err := tracefile.NewReader(io.MultiReader(&file))
	if err != nil {
		t.Fatal(err)
	}
	return tracefile.NewRecording(r)
}

// Who held i_rwsem besides the writes of a recording is in what is predicted from it, also
// in its report; lost ones prove nothing.
func TestPredictHolders(t *testing.T) {
	o := whatif.Options{Variant: model.SeriesV2, Seed: 1, Seeds: 1}
	for _, c := range []struct {
		which string
		lost  uint64
		said  string
	}{
		{"all", 0, "3 direct-read are simulated"},
		{"auto", 0, "3 direct-read that a write waited for are simulated"},
		{"all", 1, "1 others held i_rwsem and are lost"},
	} {
		rep, err := Predict(t.Context(), withHolders(t, c.which, c.lost), PredictOptions{Traced: "auto", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Holds == nil || rep.Holds.Recorded != c.which || rep.Holds.Simulated["direct-read"] != 3 {
			t.Errorf("%s: %+v", c.which, rep.Holds)
		}
		marked := strings.Contains(strings.Join(rep.Marks, "\n"), "others held i_rwsem and are lost")
		if marked != (c.lost > 0) || c.lost > 0 && (rep.Proven() || rep.Refused == "") {
			t.Errorf("%s: marks %q, refused %q", c.which, rep.Marks, rep.Refused)
		}
		p, err := Report(t.Context(), withHolders(t, c.which, c.lost), ReportOptions{Variant: "auto", Predictor: whatif.New(o)})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(p.Prediction, c.said) {
			t.Errorf("%s: %q is not in\n%s", c.which, c.said, p.Prediction)
		}
	}
}
