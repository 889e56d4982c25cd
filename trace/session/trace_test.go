package session

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// newTestTrace is a trace of a kernel 7.3 whose lines go to out.
func newTestTrace(t *testing.T, variant string, json bool, out io.Writer) *Trace {
	t.Helper()
	tr, err := New(&Kernel{Facts: &probes.Facts{Release: "7.3.4"}, Plan: &probes.Plan{Mode: probes.HowSession}}, Options{Variant: variant})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	tr.Sink = &Lines{Out: out, JSON: json}
	return tr
}

// play runs a source to its end, which comes when all its records were taken.
func play(t *testing.T, tr *Trace, src Source) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	run, err := tr.Start(ctx, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run.Wait()
}

// A source that breaks ends the trace with its error, after what it had.
func TestSourceFails(t *testing.T) {
	broken := errors.New("ring buffer gone")
	var out bytes.Buffer
	tr := newTestTrace(t, "auto", true, &out)
	err := play(t, tr, &tracetest.Source{N: 3, Fail: broken})
	if !errors.Is(err, broken) || strings.Count(out.String(), `{"time_ns":`) != 3 {
		t.Errorf("error %v and output %q", err, out.String())
	}
}

// Lines shows what is chosen; totals count everything.
func TestShows(t *testing.T) {
	everyOther := func(i int, w *record.Write) {
		if i%2 == 0 {
			w.Lock, w.Steps[0].Lock = record.LockExclusive, record.LockExclusive
		}
	}
	var out bytes.Buffer
	tr := newTestTrace(t, "linux-7.3", true, &out)
	tr.Sink.(*Lines).Shows = func(r *export.Row) bool { return export.Is(r.Lock, export.Exclusive) }
	seen := 0
	tr.Seen = func(*observe.Observation, *judge.Verdict) { seen++ }
	if err := play(t, tr, &tracetest.Source{N: 10, Change: everyOther}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), `{"time_ns":`); got != 5 || tr.Summary.Totals.Writes != 10 || seen != 10 {
		t.Errorf("%d lines and %d seen of %d writes, want 5 and 10 of 10", got, seen, tr.Summary.Totals.Writes)
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	if err := play(t, newTestTrace(t, "auto", false, &out), &tracetest.Source{N: 2}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "VERDICT") || !strings.Contains(lines[1], "shared") || !strings.Contains(lines[1], "agree") {
		t.Errorf("lines:\n%s", out.String())
	}
	out.Reset()
	if err := play(t, newTestTrace(t, "auto", true, &out), &tracetest.Source{N: 2}); err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(&out); d.More(); {
		var v struct{ Kind, Lock, Verdict string }
		if err := d.Decode(&v); err != nil || v.Kind == "" && (v.Lock != "shared" || v.Verdict != "agree") {
			t.Errorf("object %+v, error %v", v, err)
		}
	}
}

// A reader that goes away ends the trace, cleanly.
func TestClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	tr := newTestTrace(t, "auto", true, w)
	run, err := tr.Start(t.Context(), &tracetest.Source{N: 5}, nil) // not told to stop: the error has to do it
	if err := errors.Join(err, run.Wait()); err != nil {
		t.Errorf("ended with %v, want no error", err)
	}
}

// replaySource hands out the same raw records over and over, n in all.
type replaySource struct {
	raws [][]byte
	n    int
	next int
}

func (s *replaySource) Next() ([]byte, error) {
	if s.next == s.n {
		return nil, record.ErrEnd
	}
	raw := s.raws[s.next%len(s.raws)]
	s.next++
	return raw, nil
}

func (s *replaySource) Losses() (record.Losses, error) { return record.Losses{}, nil }

func (s *replaySource) Stop() error { return nil }

// BenchmarkPipeline is the price of one write from the ring buffer to the output:
// pump, judge, totals and a line. With GOMAXPROCS=1 it is that of one core.
func BenchmarkPipeline(b *testing.B) {
	raws := tracetest.SharedWrites(4096)
	for _, raw := range raws {
		binary.LittleEndian.PutUint32(raw[record.AtName:], 1)
	}
	for name, lines := range map[string]Lines{
		"json":    {JSON: true},
		"text":    {},
		"verdict": {Shows: func(r *export.Row) bool { return r.Disagrees() }},
	} {
		b.Run(name, func(b *testing.B) {
			tr, err := New(&Kernel{Facts: &probes.Facts{}, Plan: &probes.Plan{}}, Options{Variant: "auto"})
			if err != nil {
				b.Fatal(err)
			}
			defer tr.Close()
			lines.Out = io.Discard
			tr.Sink = &lines
			tr.names.Learn(nameRecord(14, 0, 1, 0, "file/mnt/"))
			b.ReportAllocs()
			p := newPump(&replaySource{raws: raws, n: b.N})
			b.ResetTimer()
			go p.run()
			if err := tr.consume(p); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			if got := tr.Summary.Totals.Writes; got != uint64(b.N) {
				b.Errorf("%d writes of %d", got, b.N)
			}
		})
	}
}
