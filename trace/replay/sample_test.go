package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// TestSampled: a recording of a sample says so, and how many writes there were, when it is
// judged again; a recording of before there were samples says nothing of one.
func TestSampled(t *testing.T) {
	want := record.Sample{OneIn: 16, Seed: 7}
	plan, err := json.Marshal(probes.Plan{Sample: want})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := tracefile.NewWriter(&file, &tracefile.Info{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(&record.Losses{Counters: record.Counters{Filtered: 5, NotSample: 5}}); err != nil {
		t.Fatal(err)
	}
	r, err := tracefile.NewReader(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if s := summaryOf(t, tracefile.NewRecording(r)); s.Sample != want || s.Losses.NotSample != 5 {
		t.Errorf("the sample is %+v, %d are not in it", s.Sample, s.Losses.NotSample)
	}
	old, err := tracefile.OpenRecordings(filepath.Join("../../testdata/traces", "linux-7.3.e4d"))
	if err != nil {
		t.Fatal(err)
	}
	defer old[0].Close()
	if s := summaryOf(t, old[0]); s.Sample.OneIn != 0 || Sampled(old[0]) != "" {
		t.Errorf("an old trace is a sample: %+v, %q", s.Sample, Sampled(old[0]))
	}
}

func summaryOf(t *testing.T, in *tracefile.Recording) (s export.Summary) {
	t.Helper()
	var said strings.Builder
	j, err := Judge(context.Background(), in, "auto", func(*session.Kernel) session.Seen { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Account(&s); err != nil {
		t.Fatal(err)
	}
	if SaySampled(&said, in); (said.Len() > 0) != (s.Sample.OneIn > 0) {
		t.Errorf("of %+v it says %q", s.Sample, said.String())
	}
	return s
}
