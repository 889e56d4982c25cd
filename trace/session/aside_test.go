package session

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// stepSource hands out what is sent to it; nil is a moment without writes. More writes
// were entered than have come: inFlight are still inside the kernel.
type stepSource struct {
	raws     chan []byte
	sent     atomic.Uint64
	inFlight atomic.Uint64
}

func (s *stepSource) Next() ([]byte, error) {
	raw, ok := <-s.raws
	switch {
	case !ok:
		return nil, record.ErrEnd
	case raw == nil:
		return nil, record.ErrIdle
	}
	s.sent.Add(1)
	return raw, nil
}

func (s *stepSource) Losses() (record.Losses, error) {
	return record.Losses{Counters: record.Counters{Seen: s.sent.Load() + s.inFlight.Load()}}, nil
}

func (s *stepSource) Stop() error { return nil }

// A recording that begins and ends in the middle has the writes that came meanwhile, and
// check finds none missing, although others were inside the kernel at both moments.
func TestRecordInTheMiddle(t *testing.T) {
	t.Chdir(t.TempDir())
	tr, err := New(&Kernel{Facts: &probes.Facts{Release: "7.3.4"}, Plan: &probes.Plan{Mode: probes.HowSession}}, Options{Variant: "auto"})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	tr.Sink = Nowhere{}
	src := &stepSource{raws: make(chan []byte)}
	run, err := tr.Start(t.Context(), src, nil)
	if err != nil {
		t.Fatal(err)
	}

	// The goroutine that consumes looks for orders between two batches.
	order := func(do func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			do()
		}()
		for {
			select {
			case src.raws <- nil:
			case <-done:
				return
			}
		}
	}
	raws := tracetest.SharedWrites(100)
	write := func(from, to int) {
		for _, raw := range raws[from:to] {
			src.raws <- raw
		}
		for judged := uint64(0); judged < uint64(to); {
			order(func() { _ = tr.Order(func() error { judged = tr.Summary.Totals.Writes; return nil }) })
		}
	}
	record := func(on bool, want string) {
		if err := run.pump.readLosses(); err != nil { // which is done now and then
			t.Fatal(err)
		}
		order(func() {
			text, err := tr.Record(on, RecorderOptions{})
			if err != nil || !strings.Contains(text, want) {
				t.Errorf("record %v: %q, %v; want %q", on, text, err, want)
			}
		})
	}
	write(0, 10)
	src.inFlight.Store(5)
	record(true, "recording to ")
	write(10, 40)
	src.inFlight.Store(9)
	record(false, "recorded 30 writes in ")
	write(40, 60)
	record(true, "recording to ")
	write(60, 61)
	src.inFlight.Store(2)
	record(false, "recorded 1 writes in ")
	record(true, "recording to ")
	told := ""
	tr.Tell = func(text string) { told = text }
	order(func() {
		_ = tr.Order(func() error {
			if err := tr.recordingFailed(errors.New("no space left on device")); err != nil || tr.Recorder != nil {
				t.Errorf("a recording aside ends all: %v", err)
			}
			return nil
		})
	})
	if !strings.Contains(told, "no space left") {
		t.Errorf("told %q", told)
	}
	write(61, 100)
	close(src.raws)
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Record(true, RecorderOptions{}); !errors.Is(err, ErrOver) {
		t.Errorf("after the end: %v", err)
	}

	files, err := filepath.Glob("*.e4d")
	if err != nil || len(files) != 3 {
		t.Fatalf("recorded to %q, %v", files, err)
	}
	total := uint64(0)
	for _, file := range files {
		s, in := replayed(t, file)
		if s.Totals.Writes == 0 { // the one that failed
			continue
		}
		if s.Unproven() || s.Issued() != s.Totals.Writes || s.Totals.Verdicts[judge.Agree] != s.Totals.Writes || in.Missing() != nil {
			t.Errorf("%s: %d issued, %+v, missing %v", file, s.Issued(), s.Totals, in.Missing())
		}
		total += s.Totals.Writes
	}
	if total != 31 {
		t.Errorf("%d writes were recorded, want 31", total)
	}
}
