package recorded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/trace/redact"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const traceFile = "../../testdata/traces/linux-7.3.e4d"

// open opens a trace, of which the last bytes may be cut off.
func open(t *testing.T, cut int) *tracefile.Recording {
	t.Helper()
	b, err := os.ReadFile(traceFile)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "t.e4d")
	if err := os.WriteFile(path, b[:len(b)-cut], 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := tracefile.OpenRecordings(path)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d recordings, error %v", len(all), err)
	}
	t.Cleanup(func() { all[0].Close() })
	return all[0]
}

// What is missing of a trace is said first, by every answer.
func TestTorn(t *testing.T) {
	c, err := Check(t.Context(), open(t, 1), "auto")
	if err != nil || !c.Missing() {
		t.Fatalf("missing %v, error %v", c.Missing(), err)
	}
	var text, object bytes.Buffer
	if err := errors.Join(WriteText(&text, []*Checked{c}), WriteJSON(&object, []*Checked{c})); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(text.String(), "\n"); !strings.HasPrefix(lines[1], "MISSING: ") {
		t.Errorf("text:\n%s", text.String())
	}
	var got struct{ Traces []struct{ Missing string } }
	if err := json.Unmarshal(object.Bytes(), &got); err != nil || len(got.Traces) != 1 || got.Traces[0].Missing == "" {
		t.Errorf("object %s, error %v", object.String(), err)
	}
	p, err := Report(t.Context(), open(t, 1), ReportOptions{Variant: "auto"})
	if err != nil || len(p.Missing) == 0 || p.Missing[0] != got.Traces[0].Missing {
		t.Errorf("report: missing %q, error %v", p.Missing, err)
	}
	rep, err := Predict(t.Context(), open(t, 1), PredictOptions{Traced: "auto", Options: whatif.Options{Variant: model.SeriesV2, Seed: 1, Seeds: 1}})
	if err != nil || rep.Proven() {
		t.Errorf("predicted: proven %v, error %v", rep.Proven(), err)
	}
}

// The text of check has one line for each disagreement that it lists, the first ten.
func TestDisagreements(t *testing.T) {
	c, err := Check(t.Context(), open(t, 0), "linux-7.2")
	if err != nil || c.Missing() {
		t.Fatalf("missing %v, error %v", c.Missing(), err)
	}
	var text bytes.Buffer
	if err := WriteText(&text, []*Checked{c}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), ":  write "); n != maxWrong || !strings.Contains(text.String(), "that disagree; explain --trace") {
		t.Errorf("%d lines of disagreements in\n%s", n, text.String())
	}
}

// What was interrupted proves nothing, and says so.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, errCheck := Check(ctx, open(t, 0), "auto")
	_, errReport := Report(ctx, open(t, 0), ReportOptions{Variant: "auto"})
	_, errCount := Decisions(ctx, open(t, 0), "auto", whatif.Change{Variant: model.SeriesV2})
	for _, err := range []error{errCheck, errReport, errCount} {
		if !errors.Is(err, replay.ErrInterrupted) {
			t.Errorf("it ends with %v", err)
		}
	}
}

// A redacted report names no file and no command.
func TestRedacted(t *testing.T) {
	in := open(t, 0)
	p, err := Report(t.Context(), in, ReportOptions{Variant: "auto", Redact: redact.New(), Tool: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/mnt", "e4d-writer", strings.Join(in.Info().Command, " ")} {
		if strings.Contains(text.String(), name) {
			t.Errorf("%q is in\n%s", name, text.String())
		}
	}
	if !strings.Contains(text.String(), "ext4dio-trace v1") {
		t.Error("it does not say what it was made by")
	}
}
