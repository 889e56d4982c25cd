package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// What live says at its end is what check says of what it recorded, and view shows the
// same lines.
func TestCheckEqualsLive(t *testing.T) {
	everyThird := func(i int, w *record.Write) {
		if i%3 == 0 {
			w.Lock, w.Steps[0].Lock = record.LockExclusive, record.LockExclusive
		}
		if i%5 == 0 {
			w.Stages &^= record.StagePass
		}
	}
	path := filepath.Join(t.TempDir(), "t.e4d")
	var live, said bytes.Buffer
	tr := newTestTrace(t, &liveOptions{json: true, variant: "linux-7.3"}, &live)
	out, err := session.NewRecorder(session.RecorderOptions{Path: path}, &probes.Filter{})
	if err == nil {
		err = tr.RecordTo(out, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	tr.stderr = &said
	src := &tracetest.Source{N: 3000, Change: everyThird, Lost: record.Losses{Counters: record.Counters{Seen: 3007, LostRing: 7}}}
	if err := tr.finish(play(t, tr, src), nil); asExit(err).Code != exit.Disagree {
		t.Errorf("live ends with %v", err)
	}
	if !strings.Contains(said.String(), "recorded 3000 writes in "+path) {
		t.Errorf("said:\n%s", said.String())
	}

	c := checkOf(t, path, "linux-7.3")
	c.Summary.Elapsed = tr.Summary.Elapsed
	a, _ := tr.Summary.JSON()
	b, _ := c.Summary.JSON()
	if !bytes.Equal(a, b) {
		t.Errorf("check says\n%s\nlive said\n%s", b, a)
	}
	if err := checkedStatus([]*recorded.Checked{c}); asExit(err).Code != exit.Disagree {
		t.Errorf("check ends with %v", err)
	}

	in, err := openTrace([]string{path}, "", "shown")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var view bytes.Buffer
	o := &liveOptions{json: true, variant: "linux-7.3"}
	vt, err := newTrace(kernel73(), session.Options{Doubt: in.Doubt, Names: in}, o)
	if err != nil {
		t.Fatal(err)
	}
	vt.file, vt.Sink, vt.stderr = in, o.lines(&view, export.Text{}), io.Discard
	run, err := vt.Start(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := vt.finish(run.Wait(), nil); asExit(err).Code != exit.Disagree {
		t.Errorf("view ends with %v", err)
	}
	if !bytes.Equal(writesOf(view.Bytes()), writesOf(live.Bytes())) {
		t.Error("view shows other writes than live")
	}
}

// checkOf judges a trace file as check does.
func checkOf(t *testing.T, path, variant string) *recorded.Checked {
	t.Helper()
	in, err := openTrace([]string{path}, "", "checked")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	c, err := recorded.Check(t.Context(), in, variant)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each trace of a real kernel is judged as what it is, all writes agree with it, and one
// of a kernel that was broken on purpose does not.
func TestTracesOfKernels(t *testing.T) {
	for name, want := range map[string]struct {
		variant string
		status  int
	}{
		"linux-6.1": {"linux-6.1", 0}, "linux-6.12": {"linux-6.12", 0}, "linux-7.2": {"linux-7.2", 0}, "base": {"base", 0},
		"patch3": {"patch3", 0}, "patch4": {"patch4", 0}, "linux-7.3": {"linux-7.3", 0}, "series-v2": {"series-v2", 0},
		"wrong-tail-unchecked": {"", exit.Disagree}, "wrong-always-exclusive": {"", exit.Disagree},
	} {
		t.Run(name, func(t *testing.T) {
			c := checkOf(t, traceOf(name), "auto")
			code := 0
			if err := checkedStatus([]*recorded.Checked{c}); err != nil {
				code = asExit(err).Code
			}
			if code != want.status || c.Summary.Totals.Writes == 0 || c.Summary.Unproven() || want.variant != "" && !strings.HasPrefix(c.Summary.Variant, want.variant) {
				t.Errorf("exit status %d, variant %s\n%+v", code, c.Summary.Variant, c.Summary)
			}
			in, err := openTrace([]string{traceOf(name)}, "", "read")
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if info := in.Info(); len(info.FileSystems) == 0 || len(info.FileSystems[0].Features) == 0 || info.PageSize != 4096 {
				t.Errorf("it says of itself %+v", info)
			}
			if c.Missing() {
				t.Error("it is not whole")
			}
		})
	}
}

// The object of check --json holds what its text says.
func TestCheckJSON(t *testing.T) {
	var out bytes.Buffer
	err := (&checkFlags{variant: "auto", json: true}).run(t.Context(), &out, []string{traceOf("wrong-tail-unchecked"), traceOf("linux-7.3")})
	if asExit(err).Code != exit.Disagree {
		t.Errorf("it ends with %v", err)
	}
	var got struct {
		Traces []struct {
			Info    struct{ Release string }
			Missing *string
			Summary struct{ Verdicts map[string]int }
			Counts  struct {
				Rules []struct {
					Name   string
					Writes int
				}
				Files []struct{ Path string }
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Traces) != 2 {
		t.Fatalf("%d traces, error %v", len(got.Traces), err)
	}
	wrong := got.Traces[0]
	if wrong.Missing != nil || wrong.Summary.Verdicts["unsafe"] == 0 || len(wrong.Counts.Rules) == 0 || wrong.Counts.Rules[0].Writes != wrong.Summary.Verdicts["unsafe"]+wrong.Summary.Verdicts["differs"] {
		t.Errorf("%+v", wrong)
	}
	if len(wrong.Counts.Files) == 0 || !strings.HasPrefix(wrong.Counts.Files[0].Path, "/mnt/") {
		t.Errorf("files %+v", wrong.Counts.Files)
	}
}

// A trace that is not whole proves nothing, however well its writes agree.
func TestCheckTorn(t *testing.T) {
	text := readFile(t, traceOf("linux-7.3"))
	path := filepath.Join(t.TempDir(), "torn.e4d")
	if err := os.WriteFile(path, []byte(text[:len(text)-1]), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &checkFlags{variant: "auto"}
	if err := c.run(t.Context(), io.Discard, []string{path}); asExit(err).Code != exit.Unproven {
		t.Errorf("check ends with %v", err)
	}
}

// writesOf are the lines of JSON that are writes. What is lost is noticed at another place
// in live than in a file.
func writesOf(text []byte) (out []byte) {
	for line := range bytes.Lines(text) {
		if export.LineKind(line) == "" {
			out = append(out, line...)
		}
	}
	return out
}
