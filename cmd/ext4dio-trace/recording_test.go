package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// newTestRecording records to a file. Names are found of this process only.
func newTestRecording(t testing.TB, f *recordFlags) *recording {
	t.Helper()
	out, err := openRecording(f, &probes.Options{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	names := export.NewResolver()
	t.Cleanup(func() { names.Close(); out.close() })
	if err := out.begin(&probes.Facts{Release: "7.3.4"}, &probes.Plan{Mode: probes.HowSession}, 0, "auto", names); err != nil {
		t.Fatal(err)
	}
	return out
}

// recordFrom records what a source has, to its end.
func recordFrom(out *recording, src source) (*pump, error) {
	p := newPump(src)
	p.stop.Store(true)
	go p.run()
	return p, recordAll(p, out, nil)
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
	tr.recording = newTestRecording(t, &recordFlags{path: path})
	tr.stderr = &said
	src := &fakeSource{n: 3000, change: everyThird, losses: record.Losses{Counters: record.Counters{Seen: 3007, LostRing: 7}}}
	if err := tr.finish(play(t, tr, src), nil); asExit(err).code != exitDisagree {
		t.Errorf("live ends with %v", err)
	}
	if !strings.Contains(said.String(), "recorded 3000 writes in "+path) {
		t.Errorf("said:\n%s", said.String())
	}

	all, err := openTraces([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	defer closeTraces(all)
	c, err := (&checkFlags{variant: "linux-7.3"}).judge(context.Background(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	c.summary.Elapsed = tr.summary.Elapsed
	a, _ := tr.summary.JSON()
	b, _ := c.summary.JSON()
	if !bytes.Equal(a, b) {
		t.Errorf("check says\n%s\nlive said\n%s", b, a)
	}
	if err := checkedStatus([]*checked{c}); asExit(err).code != exitDisagree {
		t.Errorf("check ends with %v", err)
	}

	in, err := openTraces([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	defer closeTraces(in)
	var view bytes.Buffer
	vt, err := newTraceNaming(&probes.Facts{}, &probes.Plan{}, in[0].Doubt, &liveOptions{json: true, variant: "linux-7.3"}, in[0])
	if err != nil {
		t.Fatal(err)
	}
	vt.file, vt.sink, vt.stderr = in[0], newLineSink(&view, true, false), io.Discard
	p := newPump(in[0])
	go p.run()
	if err := vt.finish(vt.consume(p), nil); asExit(err).code != exitDisagree {
		t.Errorf("view ends with %v", err)
	}
	if !bytes.Equal(view.Bytes(), live.Bytes()) {
		t.Error("view shows other lines than live")
	}
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
		"wrong-tail-unchecked": {"", exitDisagree}, "wrong-always-exclusive": {"", exitDisagree},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := openTraces([]string{traceOf(name)})
			if err != nil {
				t.Fatal(err)
			}
			defer closeTraces(all)
			c, err := (&checkFlags{variant: "auto"}).judge(t.Context(), all[0])
			if err != nil {
				t.Fatal(err)
			}
			code := 0
			if err := checkedStatus([]*checked{c}); err != nil {
				code = asExit(err).code
			}
			if code != want.status || c.summary.Totals.Writes == 0 || c.summary.Unproven() || want.variant != "" && !strings.HasPrefix(c.summary.Variant, want.variant) {
				t.Errorf("exit status %d, variant %s\n%+v", code, c.summary.Variant, c.summary)
			}
			if info := all[0].Info(); len(info.FileSystems) == 0 || len(info.FileSystems[0].Features) == 0 || info.PageSize != 4096 {
				t.Errorf("it says of itself %+v", info)
			}
			if missing := all[0].Missing(); missing != nil {
				t.Errorf("missing: %v", missing)
			}
		})
	}
}

// Rotation keeps so many files, which together are one recording without a gap, in
// which no write is unaccounted for.
func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecording(t, &recordFlags{path: path, maxSize: 64 << 10, rotate: 2})
	p, err := recordFrom(out, &manySource{n: 120000, w: sharedWrite(0)})
	if err != nil {
		t.Fatal(err)
	}
	if err := recorded(io.Discard, out, p.losses.Load()); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if out.parts < 4 || out.writes != 120000 {
		t.Fatalf("%d parts, %d writes", out.parts, out.writes)
	}
	files, _ := filepath.Glob(path + "*")
	if want := []string{path, path + ".1", path + ".2"}; !slices.Equal(files, want) {
		t.Fatalf("files %v", files)
	}
	all, err := openTraces(files)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d recordings, error %v", len(all), err)
	}
	defer closeTraces(all)
	c, err := (&checkFlags{variant: "linux-7.3"}).judge(t.Context(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	if c.summary.Unproven() || all[0].Missing() != nil || c.summary.Totals.Writes == 0 {
		t.Errorf("missing %v, %+v", all[0].Missing(), c.summary)
	}
	if last := all[0].Parts()[2]; last.Info().Part != out.parts-1 {
		t.Errorf("the last part is number %d of %d", last.Info().Part, out.parts)
	}
}

// A file that is full ends the recording.
func TestMaxSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecording(t, &recordFlags{path: path, maxSize: 64 << 10})
	src := &fakeSource{n: 1 << 30}
	p := newPump(src)
	// The source ends when it is stopped, wherever it is.
	src.change = func(i int, w *record.Write) {
		w.Latency, w.WaitNs = rand.Uint64(), rand.Uint64() // to fill the file
		if p.stop.Load() {
			src.n = src.next + 1
		}
	}
	go p.run()
	if err := recordAll(p, out, nil); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() < 64<<10 || !strings.Contains(out.outcome(), "--max-size") {
		t.Errorf("%s; file %v, error %v", out.outcome(), st.Size(), err)
	}
}

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
		if _, _, err := createTrace(path); asExit(err).code != exitUsage {
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
		out, err := openRecording(&recordFlags{path: p}, &probes.Options{}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(out.close(), out.close()); err != nil {
			t.Fatal(err)
		}
	}
	if got := readFile(t, old); got != "precious" {
		t.Errorf("the old file holds %q", got)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new file is left: %v", err)
	}
	out := newTestRecording(t, &recordFlags{path: old})
	if _, err := recordFrom(out, &manySource{n: 3, w: sharedWrite(0)}); err != nil {
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
	out, err := openRecording(&recordFlags{path: os.Args[1]}, &probes.Options{}, io.Discard)
	if err == nil {
		err = out.begin(&probes.Facts{}, &probes.Plan{}, 0, "auto", export.NewResolver())
	}
	p := newPump(&manySource{n: 1 << 30, w: sharedWrite(0)})
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
	c := &checkFlags{variant: "linux-7.3"}
	if err := c.run(t.Context(), io.Discard, []string{path}); asExit(err).code != exitUnproven {
		t.Errorf("check ends with %v", err)
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

// The object of check --json holds what its text says.
func TestCheckJSON(t *testing.T) {
	var out bytes.Buffer
	err := (&checkFlags{variant: "auto", json: true}).run(t.Context(), &out, []string{traceOf("wrong-tail-unchecked"), traceOf("linux-7.3")})
	if asExit(err).code != exitDisagree {
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

// What was recorded is in the file when a second is over, however little it is.
func TestFlushInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecording(t, &recordFlags{path: path})
	b := newBatch()
	b.add(sharedWrite(1).Append(nil))
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
	out := newTestRecording(t, &recordFlags{path: path})
	for _, r := range []reading{{from: 100, to: 110}, {from: 200, to: 210}, {record.Losses{MissedInner: 2}, 300, 310}, {record.Losses{MissedInner: 2}, 400, 410}} {
		if err := out.batch(newBatch(), &r); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.end(&reading{record.Losses{MissedInner: 2}, 500, 510}); err != nil {
		t.Fatal(err)
	}
	all, err := openTraces([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	defer closeTraces(all)
	for _, c := range []struct {
		from, to uint64
		want     bool
	}{{120, 190, false}, {220, 290, true}, {320, 390, false}} {
		if got := all[0].Doubt(c.from, c.to); got != c.want {
			t.Errorf("from %d to %d: in doubt %v", c.from, c.to, got)
		}
	}
}
