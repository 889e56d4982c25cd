package export

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/record"
)

// TestSampleSummary: of a sample the summary says how many writes there were, that its counts
// are of some of them, and what is not looked at; without one it says nothing of that.
func TestSampleSummary(t *testing.T) {
	s := Summary{}
	s.Totals.Writes, s.Totals.Verdicts[judge.Agree] = 100, 100
	s.Losses.Seen, s.Losses.Filtered, s.Losses.NotSample = 100, 1500, 1500
	text := func() string {
		var b strings.Builder
		if _, err := s.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got := text(); strings.Contains(got, "sample:") || strings.Contains(got, "of the sample") {
		t.Errorf("it speaks of a sample:\n%s", got)
	}
	s.Sample = record.Sample{OneIn: 16, Seed: 7}
	got := text()
	for _, want := range []string{
		"sample:   1/16 of the requests, by seed 7: 100 of 1600 writes; what follows is of these, and not scaled",
		"not looked at: what two writes do together",
		"verdict:  100 agree, 0 undecided, 0 slower, 0 differs, 0 unsafe (of the sample only)",
		"left out: 1500 not in the sample",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q:\n%s", want, got)
		}
	}
	raw, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var j struct {
		Sample struct{ One_in, Seed, Made uint64 }
		Left   map[string]uint64 `json:"left_out"`
	}
	if err := json.Unmarshal(raw, &j); err != nil || j.Sample.One_in != 16 || j.Sample.Seed != 7 || j.Sample.Made != 1600 || j.Left["sample"] != 1500 {
		t.Errorf("%+v, %v", j, err)
	}
}
