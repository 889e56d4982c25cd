package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == fakeRecordName {
		fakeRecord()
	}
	os.Exit(m.Run())
}

// newTestRecorder records to a file. Names are found of this process only.
func newTestRecorder(t testing.TB, o RecorderOptions) *Recorder {
	t.Helper()
	out, err := NewRecorder(o, &probes.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	names := NewNames()
	t.Cleanup(func() { names.Close(); out.Close() })
	if err := out.Begin(&Kernel{Facts: &probes.Facts{Release: "7.3.4"}, Plan: &probes.Plan{Mode: probes.HowSession}}, 0, "auto", names); err != nil {
		t.Fatal(err)
	}
	return out
}

// recordFrom records what a source has, to its end.
func recordFrom(t *testing.T, out *Recorder, src Source) (*Run, error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	run, err := out.Start(ctx, src, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run, run.Wait()
}

// replayed judges what was recorded.
func replayed(t *testing.T, paths ...string) (*export.Summary, *tracefile.Recording) {
	t.Helper()
	all, err := tracefile.OpenRecordings(paths...)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d recordings, error %v", len(all), err)
	}
	t.Cleanup(func() { all[0].Close() })
	k, err := Recorded(all[0].Info())
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(&k, Options{Variant: "linux-7.3", Doubt: all[0].Doubt, Names: all[0]})
	if err != nil {
		t.Fatal(err)
	}
	tr.Sink = Nowhere{}
	run, err := tr.Start(t.Context(), all[0], nil)
	if err := errors.Join(err, run.Wait()); err != nil {
		t.Fatal(err)
	}
	return &tr.Summary, all[0]
}

// manySource hands out the same records over and over, each with an id of its own.
type manySource struct {
	n, next int
	w       *record.Write
	raw     []byte
}

func (s *manySource) Next() ([]byte, error) {
	if s.next == s.n {
		return nil, record.ErrEnd
	}
	s.w.ID, s.w.T0, s.w.Pos0 = uint64(s.next), s.w.T0+10_000, uint64(s.next)<<12
	s.next++
	s.raw = s.w.Append(s.raw[:0])
	return s.raw, nil
}

func (s *manySource) Losses() (record.Losses, error) {
	return record.Losses{Counters: record.Counters{Seen: uint64(s.next)}}, nil
}

func (s *manySource) Stop() error { return nil }

// Rotation keeps so many files, which together are one recording without a gap, in
// which no write is unaccounted for.
func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecorder(t, RecorderOptions{Path: path, MaxSize: 64 << 10, Rotate: 2})
	run, err := recordFrom(t, out, &manySource{n: 120000, w: tracetest.SharedWrite(0)})
	if err != nil {
		t.Fatal(err)
	}
	s := export.Summary{Losses: *run.Losses()}
	if s.Totals.Writes, _ = out.Written(); s.Unproven() {
		t.Errorf("it ends with %+v", s)
	}
	if out.parts < 4 || out.writes != 120000 {
		t.Fatalf("%d parts, %d writes", out.parts, out.writes)
	}
	files, _ := filepath.Glob(path + "*")
	if want := []string{path, path + ".1", path + ".2"}; !slices.Equal(files, want) {
		t.Fatalf("files %v", files)
	}
	kept, in := replayed(t, files...)
	if kept.Unproven() || in.Missing() != nil || kept.Totals.Writes == 0 {
		t.Errorf("missing %v, %+v", in.Missing(), kept)
	}
	if last := in.Parts()[2]; last.Info().Part != out.parts-1 {
		t.Errorf("the last part is number %d of %d", last.Info().Part, out.parts)
	}
}

// A file that is full ends the recording.
func TestMaxSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecorder(t, RecorderOptions{Path: path, MaxSize: 64 << 10})
	run, err := out.Start(t.Context(), &endless{}, nil, nil)
	if err := errors.Join(err, run.Wait()); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() < 64<<10 || !strings.Contains(out.Outcome(), "--max-size") {
		t.Errorf("%s; file %v, error %v", out.Outcome(), st.Size(), err)
	}
}

// endless hands out writes that fill a file, until it is stopped.
type endless struct {
	stopped bool
	raw     []byte
}

func (s *endless) Next() ([]byte, error) {
	if s.stopped {
		return nil, record.ErrEnd
	}
	w := tracetest.SharedWrite(0)
	w.Latency, w.WaitNs = rand.Uint64(), rand.Uint64()
	s.raw = w.Append(s.raw[:0])
	return s.raw, nil
}

func (s *endless) Losses() (record.Losses, error) { return record.Losses{}, nil }
func (s *endless) Stop() error                    { s.stopped = true; return nil }

// A full disk is said, and what is whole stays.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	// The limit of a file's size is as good as a full disk, and it needs no disk.
	cmd := exec.Command("sh", "-c", `trap "" XFSZ; ulimit -f 200; exec "$0" "$@"`, os.Args[0], path)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), fakeRecordName)
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	cmd.Args[3] = link
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "file too large; what was recorded until then can be read: ") {
		t.Fatalf("it ended with %v and said\n%s", err, said)
	}
	r, err := tracefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	st, err := os.Stat(path)
	x := r.Index()
	if err != nil || x.Closed || x.Writes == 0 || !strings.Contains(string(said), fmt.Sprintf("%d writes", x.Writes)) {
		t.Errorf("%d writes; it said %s", x.Writes, said)
	}
	for err == nil {
		_, err = r.Next()
	}
	var missing *tracefile.Missing
	if !errors.As(r.Missing(), &missing) || missing.Left != 0 || missing.Offset != st.Size() {
		t.Errorf("missing %+v of %d bytes: the torn chunk is still there", missing, st.Size())
	}
}

// Nothing is recorded to a disk.
func TestNoBlockDevice(t *testing.T) {
	disks, _ := filepath.Glob("/dev/[sv]d*")
	loops, _ := filepath.Glob("/dev/loop[0-9]*")
	for _, path := range append(disks, loops...) {
		if st, err := os.Stat(path); err != nil || st.Mode()&os.ModeDevice == 0 {
			continue
		}
		var e *hint.UsageError
		if _, err := NewRecorder(RecorderOptions{Path: path}, &probes.Filter{}); !errors.As(err, &e) {
			t.Errorf("%s: %v", path, err)
		}
		return
	}
	t.Skip("no block device here")
}

// A recording that does not begin leaves what was there as it was, and nothing new.
func TestNotBegun(t *testing.T) {
	dir := t.TempDir()
	old, path := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	if err := os.WriteFile(old, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{old, path} {
		out, err := NewRecorder(RecorderOptions{Path: p}, &probes.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(out.Close(), out.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(old); err != nil || string(got) != "precious" {
		t.Errorf("the old file holds %q: %v", got, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new file is left: %v", err)
	}
	out := newTestRecorder(t, RecorderOptions{Path: old})
	if _, err := recordFrom(t, out, &manySource{n: 3, w: tracetest.SharedWrite(0)}); err != nil {
		t.Fatal(err)
	}
	if r, err := tracefile.Open(old); err != nil || !r.Index().Closed {
		t.Errorf("the old file is not replaced: %v", err)
	}
}

// fakeRecordName is the program that records until it is killed: see fakeRecord.
const fakeRecordName = "record-fake"

// fakeRecord records to a file, and writes how many records it has taken.
func fakeRecord() {
	out, err := NewRecorder(RecorderOptions{Path: os.Args[1]}, &probes.Filter{})
	if err == nil {
		err = out.Begin(&Kernel{Facts: &probes.Facts{}, Plan: &probes.Plan{}}, 0, "auto", NewNames())
	}
	p := newPump(&manySource{n: 1 << 30, w: tracetest.SharedWrite(0)})
	go p.run()
	n := 0
	for b := range p.full {
		if err == nil {
			err = out.batch(b, p.read.Load())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		n += len(b.ends)
		p.free <- b
		fmt.Println(n)
	}
}

// A recording that is killed can be read, but for the chunk that was open, and it is
// said that it is not whole.
func TestKilled(t *testing.T) {
	const openChunk = 4096
	kills := 100
	if testing.Short() {
		kills = 5
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "t.e4d")
	for range kills {
		taken := recordAndKill(t, path, 1+rnd.IntN(20000))
		r, err := tracefile.Open(path)
		if err != nil {
			t.Fatalf("killed after %d records: %v", taken, err)
		}
		n := 0
		for {
			raw, err := r.Next()
			if errors.Is(err, record.ErrEnd) {
				break
			}
			var w record.Write
			if err := errors.Join(err, record.ParseWrite(raw, &w)); err != nil || w.ID != uint64(n) {
				t.Fatalf("record %d has id %d: %v", n, w.ID, err)
			}
			n++
		}
		var missing *tracefile.Missing
		if !errors.As(r.Missing(), &missing) || missing.Closed || missing.Chunks != 0 {
			t.Errorf("missing: %v", r.Missing())
		}
		if n <= taken-openChunk {
			t.Errorf("%d records of %d", n, taken)
		}
		r.Close()
	}
}

// recordAndKill kills a recording when it has taken so many records, and returns how
// many it had said it has.
func recordAndKill(t *testing.T, path string, records int) int {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: self, Args: []string{fakeRecordName, path}, Stderr: os.Stderr}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, n := bufio.NewScanner(out), 0
	for n < records && said.Scan() {
		if n, err = strconv.Atoi(said.Text()); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for said.Scan() { // what it said before it was killed
		n, _ = strconv.Atoi(said.Text())
	}
	_ = cmd.Wait()
	if n < records {
		t.Fatalf("it ended after %d records", n)
	}
	return n
}

// What was recorded is in the file when a second is over, however little it is.
func TestFlushInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecorder(t, RecorderOptions{Path: path})
	b := newBatch()
	b.add(tracetest.SharedWrite(1).Append(nil))
	for _, c := range []struct {
		age    time.Duration
		writes uint64
	}{{flushEvery / 2, 0}, {flushEvery, 2}} {
		out.flushed = time.Now().Add(-c.age)
		if err := out.batch(b, &reading{}); err != nil {
			t.Fatal(err)
		}
		r, err := tracefile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Index().Writes; got != c.writes {
			t.Errorf("after %v: %d writes in the file, want %d", c.age, got, c.writes)
		}
		r.Close()
	}
}

// The readings around a skipped probe are in the file, so that check is in doubt about
// those writes only about which live was.
func TestDoubtIsRecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecorder(t, RecorderOptions{Path: path})
	for _, r := range []reading{{from: 100, to: 110}, {from: 200, to: 210}, {record.Losses{MissedInner: 2}, 300, 310}, {record.Losses{MissedInner: 2}, 400, 410}} {
		if err := out.batch(newBatch(), &r); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.end(&reading{record.Losses{MissedInner: 2}, 500, 510}); err != nil {
		t.Fatal(err)
	}
	_, in := replayed(t, path)
	for _, c := range []struct {
		from, to uint64
		want     bool
	}{{120, 190, false}, {220, 290, true}, {320, 390, false}} {
		if got := in.Doubt(c.from, c.to); got != c.want {
			t.Errorf("from %d to %d: in doubt %v", c.from, c.to, got)
		}
	}
}
