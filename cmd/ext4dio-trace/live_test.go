package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
)

// fakeSource hands out n writes and ends when it is stopped.
type fakeSource struct {
	n       int
	next    int
	stopped bool
	losses  record.Losses
	fail    error // instead of the end
	change  func(i int, w *record.Write)
	raw     []byte
}

func (s *fakeSource) Next() ([]byte, error) {
	if s.next == s.n {
		switch {
		case s.fail != nil:
			return nil, s.fail
		case s.stopped:
			return nil, record.ErrEnd
		}
		return nil, record.ErrIdle
	}
	w := sharedWrite(uint64(s.next))
	if s.change != nil {
		s.change(s.next, w)
	}
	s.next++
	s.raw = w.Append(s.raw[:0])
	return s.raw, nil
}

func (s *fakeSource) Losses() (record.Losses, error) { return s.losses, nil }

func (s *fakeSource) Stop() error {
	s.stopped = true
	return nil
}

// sharedWrite is a complete record of an aligned overwrite inside i_size as 7.3
// makes it: one pass, shared, no lookup.
func sharedWrite(id uint64) *record.Write {
	w := &record.Write{
		Stages: record.StageEntry | record.StagePass | record.StageFmod | record.StageDIO | record.StageBegin |
			record.StageReturn | record.StageAlign | record.StageLock,
		T0: 1000 + id, Latency: 50_000, ID: id, Ino: 14, Pos0: 4096, ISize0: 1 << 20, Tgid: 1, Tid: 1, Comm: [16]byte{'f', 'i', 'o'},
		Dev: 8 << 20, KiFlags: 1<<17 | 1<<18, Len0: 4096, Ret: 4096, Passes: 1, Blkbits: 12, Caller: record.CallerSync,
		Lock: record.LockShared, DioOps: record.OpsIomap, Fmod: record.FmodKiocb, NSteps: 2,
	}
	w.Steps[0] = record.Step{
		Kind: record.StepPass, Lock: record.LockShared, Aux: record.PassNosec | record.PassExtents | record.PassAlign,
		A: 4096, B: 1 << 20, C: 4096, D: 4096,
	}
	w.Steps[1] = record.Step{Kind: record.StepMap, A: 4096, B: 4096, C: 2}
	return w
}

func newTestTrace(t *testing.T, o *liveOptions, out io.Writer) *trace {
	t.Helper()
	tr, err := newTrace(&probes.Facts{Release: "7.3.4"}, &probes.Plan{Mode: probes.HowSession}, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.close)
	tr.sink, tr.stderr = newLineSink(out, o.json, false), t.Output()
	return tr
}

// play runs a source to its end, which comes when all its records were taken.
func play(t *testing.T, tr *trace, s *fakeSource) error {
	t.Helper()
	p := newPump(s)
	p.stop.Store(true)
	go p.run()
	return tr.consume(p)
}

// Every record comes through the pump once, in order, whole, also when there are
// more than its room holds at once.
func TestPumpKeepsOrder(t *testing.T) {
	const n = 3 * batchCount * batchBytes / record.HeadSize
	s := &fakeSource{n: n, losses: record.Losses{MissedInner: 3}}
	p := newPump(s)
	p.stop.Store(true)
	go p.run()
	seen := uint64(0)
	for b := range p.full {
		b.each(func(raw []byte) {
			var w record.Write
			if err := record.ParseWrite(raw, &w); err != nil {
				t.Fatalf("record %d: %v", seen, err)
			}
			if w.ID != seen {
				t.Fatalf("record %d came in place of %d", w.ID, seen)
			}
			seen++
		})
		p.free <- b
	}
	if seen != n || p.err != nil {
		t.Errorf("%d of %d records, error %v", seen, n, p.err)
	}
	if got := p.losses.Load().MissedInner; got != 3 {
		t.Errorf("losses at the end: %d, want 3", got)
	}
}

// A source that breaks ends the trace with its error, after what it had.
func TestSourceFails(t *testing.T) {
	broken := errors.New("ring buffer gone")
	var out bytes.Buffer
	tr := newTestTrace(t, &liveOptions{json: true, variant: "auto"}, &out)
	err := play(t, tr, &fakeSource{n: 3, fail: broken})
	if !errors.Is(err, broken) || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("error %v and output %q", err, out.String())
	}
}

// The exit status is a contract.
func TestExitStatus(t *testing.T) {
	exclusive := func(_ int, w *record.Write) { w.Lock, w.Steps[0].Lock = record.LockExclusive, record.LockExclusive }
	incomplete := func(_ int, w *record.Write) { w.Stages &^= record.StagePass | record.StageLock }
	lost := record.Losses{Counters: record.Counters{LostRing: 1}}
	for _, c := range []struct {
		name   string
		source fakeSource
		want   int
	}{
		{"all agree", fakeSource{n: 5}, 0},
		{"nothing seen", fakeSource{}, 0},
		{"disagreement", fakeSource{n: 5, change: exclusive}, exitDisagree},
		{"disagreement and loss", fakeSource{n: 5, change: exclusive, losses: lost}, exitDisagree},
		{"loss", fakeSource{n: 5, losses: lost}, exitUnproven},
		{"incomplete", fakeSource{n: 5, change: incomplete}, exitUnproven},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTestTrace(t, &liveOptions{json: true, variant: "linux-7.3"}, io.Discard)
			if err := play(t, tr, &c.source); err != nil {
				t.Fatal(err)
			}
			got := 0
			if err := exitStatus(&tr.summary); err != nil {
				got = asExit(err).code
			}
			if got != c.want {
				t.Errorf("exit status %d, want %d; %+v", got, c.want, tr.summary)
			}
		})
	}
}

// --only chooses what is shown; totals count everything.
func TestOnly(t *testing.T) {
	everyOther := func(i int, w *record.Write) {
		if i%2 == 0 {
			w.Lock, w.Steps[0].Lock = record.LockExclusive, record.LockExclusive
		}
	}
	for only, want := range map[string]int{"": 10, "exclusive": 5, "unsafe": 0, "slower": 5, "slower,exclusive": 5} {
		var out bytes.Buffer
		o := &liveOptions{json: true, variant: "linux-7.3"}
		if only != "" {
			o.only = strings.Split(only, ",")
		}
		tr := newTestTrace(t, o, &out)
		if err := play(t, tr, &fakeSource{n: 10, change: everyOther}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "\n"); got != want || tr.summary.Totals.Writes != 10 {
			t.Errorf("--only %q: %d lines of %d writes, want %d of 10", only, got, tr.summary.Totals.Writes, want)
		}
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	if err := play(t, newTestTrace(t, &liveOptions{variant: "auto"}, &out), &fakeSource{n: 2}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "VERDICT") || !strings.Contains(lines[1], "shared") || !strings.Contains(lines[1], "agree") {
		t.Errorf("lines:\n%s", out.String())
	}
	out.Reset()
	if err := play(t, newTestTrace(t, &liveOptions{json: true, variant: "auto"}, &out), &fakeSource{n: 2}); err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(&out); d.More(); {
		var v struct{ Lock, Verdict string }
		if err := d.Decode(&v); err != nil || v.Lock != "shared" || v.Verdict != "agree" {
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
	tr := newTestTrace(t, &liveOptions{json: true, variant: "auto"}, w)
	p := newPump(&fakeSource{n: 5})
	go p.run() // not told to stop: the error has to do it
	if err := tr.finish(tr.consume(p), nil); err != nil {
		t.Errorf("ended with %v, want no error", err)
	}
}

// A held command does not run before it is released, keeps its pid, and its end
// is told.
func TestHeldCommand(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pid")
	args := []string{"sh", "-c", "echo $$ > " + mark + "; exit 7"}
	path, err := findCommand(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := holdCommand(path, args, nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.stop()
	if _, err := os.Stat(mark); err == nil {
		t.Error("it ran before it was released")
	}
	if err := cmd.release(); err != nil {
		t.Fatal(err)
	}
	if got := cmd.outcome(); got != "ended with exit status 7" {
		t.Errorf("it %s", got)
	}
	if got, want := readFile(t, mark), fmt.Sprintln(cmd.pid()); got != want {
		t.Errorf("it ran as %q, but %q was traced", got, want)
	}
}

// A held command that is given up never runs, and one that runs is ended.
func TestStopCommand(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ran")
	held, err := holdCommand("/bin/sh", []string{"sh", "-c", "touch " + mark}, nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	held.stop()
	if _, err := os.Stat(mark); err == nil {
		t.Error("it ran although it was never released")
	}

	running, err := holdCommand("/bin/sleep", []string{"sleep", "1000"}, nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := running.release(); err != nil {
		t.Fatal(err)
	}
	running.stop()
	if got, want := running.outcome(), "was ended by signal "+syscall.SIGTERM.String(); got != want {
		t.Errorf("it %s, want: it %s", got, want)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int{"4096": 4096, "64K": 64 << 10, "8M": 8 << 20, "2G": 2 << 30, "": 0, "0": 0, "M": 0, "-1": 0, "1T": 0, "3G": 0, "99999999999999999999": 0} {
		got, err := parseSize(in)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("parseSize(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}
