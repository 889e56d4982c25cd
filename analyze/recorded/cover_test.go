package recorded

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// What a probe would have seen that was not attached is claimed of no way to count, by mark or not.
func TestCoverUnprobed(t *testing.T) {
	noticed := func(unattached record.Stages, cover func(in *tracefile.Recording, c *coverage.Coverage) error) uint64 {
		t.Helper()
		in := unprobed(t, filepath.Join("../../testdata/traces", "linux-7.3.e4d"), unattached)
		var c coverage.Coverage
		if err := cover(in, &c); err != nil {
			t.Fatal(err)
		}
		all := c.Reports()
		if len(all) != 1 || all[0].Conditions == nil {
			t.Fatalf("%d variants", len(all))
		}
		return uint64(all[0].Conditions.Noticed)
	}
	plain := func(in *tracefile.Recording, c *coverage.Coverage) error { return Cover(t.Context(), in, "auto", c) }
	byMark := func(in *tracefile.Recording, c *coverage.Coverage) error {
		return CoverMarks(t.Context(), in, "auto", c, &coverage.ByMark{})
	}
	whole, without := noticed(0, plain), noticed(record.StageDrain, plain)
	if without >= whole {
		t.Errorf("%d wrong kernels with the probe of inode_dio_wait, %d without", whole, without)
	}
	if n, m := noticed(0, byMark), noticed(record.StageDrain, byMark); n != whole || m != without {
		t.Errorf("by mark %d and %d, else %d and %d", n, m, whole, without)
	}
}

// unprobed is a recording as if these stages had had no probe.
func unprobed(t *testing.T, path string, stages record.Stages) *tracefile.Recording {
	t.Helper()
	old, err := tracefile.OpenRecordings(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old[0].Close()
	info := *old[0].Info()
	var plan probes.Plan
	if err := json.Unmarshal(info.Plan, &plan); err != nil {
		t.Fatal(err)
	}
	plan.Unattached |= stages
	if info.Plan, err = json.Marshal(plan); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := tracefile.NewWriter(&file, &info)
	if err != nil {
		t.Fatal(err)
	}
	for {
		raw, err := old[0].Next()
		if errors.Is(err, record.ErrEnd) {
			break
		}
		if err == nil {
			err = w.Append(raw, &record.Losses{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(&record.Losses{}); err != nil {
		t.Fatal(err)
	}
	r, err := tracefile.NewReader(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return tracefile.NewRecording(r)
}
