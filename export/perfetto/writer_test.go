package perfetto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/record"
)

var keepFile = flag.String("keep", "", "keep the file of TestHostile here, to look at it with other programs")

// fields are the fields of a message: numbers and texts in their order.
type fields map[int][]field

type field struct {
	n    uint64
	text []byte
}

func parse(t *testing.T, b []byte) fields {
	t.Helper()
	out := fields{}
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		v, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 {
			t.Fatal("no protobuf")
		}
		b = b[n+m:]
		f := field{n: v}
		switch tag & 7 {
		case 0:
		case 2:
			if v > uint64(len(b)) {
				t.Fatal("a message ends too early")
			}
			f.text, b = b[:v], b[v:]
		default:
			t.Fatalf("wire type %d", tag&7)
		}
		out[int(tag>>3)] = append(out[int(tag>>3)], f)
	}
	return out
}

func (f fields) n(field int) uint64 {
	if len(f[field]) == 0 {
		return 0
	}
	return f[field][0].n
}

// trace is a file that was read back.
type trace struct {
	tracks map[uint64]*track
	byName map[string][]*track
}

type track struct {
	name   string
	parent uint64
	events []event
}

type event struct {
	at        uint64
	typ       uint64
	name      string
	category  string
	texts     map[string]string
	numbers   map[string]int64
	packetNum int
}

// read reads a file as a reader of Perfetto does, and checks what that relies on.
func read(t *testing.T, file []byte) *trace {
	t.Helper()
	out := &trace{tracks: map[uint64]*track{}, byName: map[string][]*track{}}
	state := map[int]map[uint64]string{}
	cleared := false
	for i, p := range parse(t, file)[tracePacket] {
		packet := parse(t, p.text)
		if packet.n(packetSequenceID) != sequence {
			t.Fatalf("packet %d belongs to no sequence", i)
		}
		switch packet.n(packetSequenceFlags) {
		case stateCleared:
			clear(state)
			cleared = true
		case needsState:
			if !cleared {
				t.Fatalf("packet %d needs a state that was not begun", i)
			}
		}
		for _, in := range packet[packetInterned] {
			for kind, list := range parse(t, in.text) {
				if len(state[kind]) > maxInterned+100 {
					t.Fatal("too many texts are kept")
				}
				for _, f := range list {
					one := parse(t, f.text)
					if state[kind] == nil {
						state[kind] = map[uint64]string{}
					}
					if _, twice := state[kind][one.n(internedIID)]; twice {
						t.Errorf("text %d is given twice", one.n(internedIID))
					}
					state[kind][one.n(internedIID)] = checked(t, one[internedText][0].text)
				}
			}
		}
		for _, d := range packet[packetDescriptor] {
			out.describe(t, parse(t, d.text))
		}
		for _, e := range packet[packetTrackEvent] {
			out.add(t, i, packet, parse(t, e.text), state)
		}
	}
	return out
}

func checked(t *testing.T, text []byte) string {
	t.Helper()
	if !utf8.Valid(text) || bytes.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q can do harm", text)
	}
	return string(text)
}

func (tr *trace) describe(t *testing.T, d fields) {
	t.Helper()
	n := &track{parent: d.n(descriptorParent)}
	if n.parent != 0 && tr.tracks[n.parent] == nil {
		t.Errorf("track %d is below one that is not described", d.n(descriptorUUID))
	}
	for _, f := range d[descriptorName] {
		n.name = checked(t, f.text)
	}
	for _, f := range d[descriptorThread] {
		n.name = "task " + checked(t, parse(t, f.text)[threadName][0].text)
	}
	for _, f := range d[descriptorProcess] {
		checked(t, parse(t, f.text)[processName][0].text)
	}
	if old := tr.tracks[d.n(descriptorUUID)]; old != nil {
		old.name = n.name
		return
	}
	tr.tracks[d.n(descriptorUUID)] = n
	tr.byName[n.name] = append(tr.byName[n.name], n)
}

func (tr *trace) add(t *testing.T, i int, packet, e fields, state map[int]map[uint64]string) {
	t.Helper()
	text := func(kind int, id uint64) string {
		s, ok := state[kind][id]
		if !ok {
			t.Fatalf("packet %d: text %d of kind %d was not given", i, id, kind)
		}
		return s
	}
	n := tr.tracks[e.n(eventTrack)]
	if n == nil {
		t.Fatalf("packet %d: track %d is not described", i, e.n(eventTrack))
	}
	ev := event{at: packet.n(packetTimestamp), typ: e.n(eventType), texts: map[string]string{}, numbers: map[string]int64{}, packetNum: i}
	if ev.typ != typeEnd {
		ev.name = text(internedNames, e.n(eventNameIID))
		if len(e[eventCategoryIID]) > 0 {
			ev.category = text(internedCategories, e.n(eventCategoryIID))
		}
	}
	for _, f := range e[eventAnnotation] {
		a := parse(t, f.text)
		name := text(internedAnnotations, a.n(annotationNameIID))
		if len(a[annotationTextIID]) > 0 {
			ev.texts[name] = text(internedTexts, a.n(annotationTextIID))
		} else {
			ev.numbers[name] = int64(a.n(annotationInt))
		}
	}
	n.events = append(n.events, ev)
}

// slicesOf returns the slices of all tracks of a name, and checks their nesting.
func (tr *trace) slicesOf(t *testing.T, name string) []span {
	t.Helper()
	var out []span
	for _, n := range tr.byName[name] {
		slices.SortStableFunc(n.events, func(a, b event) int { return int(int64(a.at - b.at)) })
		var open []event
		for _, e := range n.events {
			switch e.typ {
			case typeBegin:
				open = append(open, e)
			case typeEnd:
				if len(open) == 0 {
					t.Fatalf("%s: an end without a begin", name)
				}
				last := open[len(open)-1]
				open = open[:len(open)-1]
				if name == kinds[held].name && len(open) > 0 {
					t.Errorf("%s: two at once on one track", name)
				}
				out = append(out, span{last.at, e.at, last.name})
			case typeInstant:
				out = append(out, span{e.at, e.at, e.name})
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %d without an end", name, len(open))
		}
	}
	slices.SortFunc(out, func(a, b span) int { return int(int64(a.from - b.from)) })
	return out
}

func made(t *testing.T, clocks export.Clocks, rows ...export.Row) (*trace, []byte) {
	t.Helper()
	var file bytes.Buffer
	w := New(&file, clocks)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, file.Bytes()), file.Bytes()
}

func rowOf(o *observe.Observation) export.Row {
	m, r := export.Maker{Names: exporttest.Paths{}}, export.Row{}
	m.Fill(&r, o, nil)
	return r
}

// TestRestart: a write that waits for the shared lock, restarts, waits for the
// exclusive one, zeroes and is completed later.
func TestRestart(t *testing.T) {
	r := rowOf(&observe.Observation{
		Time: 1_000_000, Pid: 7, Tid: 8, Comm: "fio", Dev: 8 << 20, Ino: 14, Blkbits: 12, Dio: true, Lock: record.LockExclusive,
		Passes:   []observe.Pass{{Lock: record.LockShared, AtUs: 20}, {Lock: record.LockExclusive, AtUs: 50}},
		Waits:    []observe.Wait{{Ns: 10_000, Lock: record.LockShared, AtUs: 19}, {Ns: 15_000, Lock: record.LockExclusive, AtUs: 49}},
		Zeroed:   []observe.Zeroed{{Pos: 0, Len: 512, Lock: record.LockExclusive, AtUs: 60}},
		SubmitNs: 70_000, LatencyNs: 100_000, Queued: true, Completed: true, Caller: record.CallerLibaio,
	})
	tr, _ := made(t, export.Clocks{Monotonic: 5, Boot: 6, Real: 7}, r)
	for name, want := range map[string][]span{
		kinds[held].name:     {{1_020_000, 1_034_000, "shared"}, {1_050_000, 1_070_000, "exclusive"}},
		kinds[waiting].name:  {{1_009_000, 1_019_000, "wait, shared"}, {1_034_000, 1_049_000, "wait, exclusive"}},
		kinds[zeroing].name:  {{1_060_000, 1_060_000, "zeroing, exclusive"}},
		kinds[inFlight].name: {{1_070_000, 1_100_000, "libaio"}},
		"task fio": {{1_000_000, 1_070_000, "direct write, exclusive"}, {1_009_000, 1_019_000, "wait, shared"},
			{1_034_000, 1_049_000, "wait, exclusive"}},
	} {
		if got := tr.slicesOf(t, name); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	root := tr.byName["/mnt/db/table.ibd (inode 14 on 8:0)"]
	if len(root) != 1 || tr.tracks[tr.byName[kinds[held].name][0].parent] != root[0] {
		t.Errorf("the tracks of an inode: %v", tr.byName)
	}
	if got := tr.byName["task fio"][0].events[0]; got.texts["path"] != "/mnt/db/table.ibd" || got.numbers["ino"] != 14 {
		t.Errorf("annotations: %v", got)
	}
}

// TestHold: who held the lock and made no write has a slice on the file's tracks, with what
// it waited for itself; two at a time do not overlap on one.
func TestHold(t *testing.T) {
	var file bytes.Buffer
	w := New(&file, export.Clocks{})
	h := observe.Hold{
		Actor: observe.Actor{Op: "fallocate:punch-hole", Comm: "fs\x1btrim", Pid: 77, Tid: 78}, Dev: 8 << 20, Ino: 14, Mode: record.LockExclusive, Flags: record.HolderInside,
		From: 1_000_000, To: 1_500_000, DrainAt: 1_100_000, DrainNs: 200_000, QueuedNs: 5,
	}
	never := h
	never.To = never.From // it did not get the lock
	reader := observe.Hold{Actor: observe.Actor{Op: "direct-read", Comm: "r"}, Dev: 8 << 20, Ino: 14, Mode: record.LockShared, From: 1_400_000, To: 1_600_000}
	for _, one := range []observe.Hold{h, never, reader} {
		if err := w.Hold(&one, "/mnt/db/table.ibd"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tr := read(t, file.Bytes())
	for name, want := range map[string][]span{
		kinds[others].name:   {{1_000_000, 1_500_000, "fallocate:punch-hole of fs\\x1btrim, exclusive"}, {1_400_000, 1_600_000, "direct-read of r, shared"}},
		kinds[draining].name: {{1_100_000, 1_300_000, "drain, fallocate:punch-hole"}},
	} {
		if got := tr.slicesOf(t, name); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	first := tr.byName[kinds[others].name][0]
	if e := first.events[0]; e.numbers["tid"] != 78 || e.numbers["queued_ns"] != 5 || e.texts["bound"] == "" || tr.tracks[first.parent].name != "/mnt/db/table.ibd (inode 14 on 8:0)" {
		t.Errorf("%+v below %+v", e, tr.tracks[first.parent])
	}
}

// TestShared: holders of the shared lock are on tracks of their own while they overlap.
func TestShared(t *testing.T) {
	var rows []export.Row
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		at := uint64(1e9) + uint64(i)*1000
		rows = append(rows, rowOf(&observe.Observation{
			Time: at, Tid: uint32(i % 16), Pid: 1, Comm: "w", Dev: 8 << 20, Ino: uint64(13 + i%3), Dio: true, Lock: record.LockShared,
			Passes: []observe.Pass{{Lock: record.LockShared}}, SubmitNs: 1 + rng.Uint64N(8000), Completed: true,
		}))
	}
	tr, _ := made(t, export.Clocks{}, rows...)
	if got := tr.slicesOf(t, kinds[held].name); len(got) != 2000 {
		t.Errorf("%d slices", len(got))
	}
	if n := len(tr.byName[kinds[held].name]); n < 6 || n > 24 {
		t.Errorf("%d tracks for three inodes", n)
	}
}

// TestForget: when inodes and texts are forgotten, nothing refers to what was before.
func TestForget(t *testing.T) {
	r := exporttest.Rows()[0]
	var rows []export.Row
	for i := range 3 * maxInodes {
		r.Ino, r.Path, r.Tid = uint64(i), strings.Repeat("x", i%7)+string(rune('a'+i%26)), uint32(i%100)
		r.Path += string(rune(0x4e00 + i%20000))
		r.TimeNs += 100
		rows = append(rows, r)
	}
	tr, _ := made(t, export.Clocks{}, rows...)
	if got := len(tr.slicesOf(t, kinds[held].name)); got != len(rows) {
		t.Errorf("%d slices of %d", got, len(rows))
	}
}

func TestHostile(t *testing.T) {
	rows := exporttest.Rows()
	for _, name := range exporttest.Hostile {
		r := rows[0].Clone()
		r.Comm, r.Path, r.Ino = name, "/mnt/"+name, r.Ino+100
		rows = append(rows, r)
	}
	tr, file := made(t, export.Clocks{Monotonic: 1 << 40, Boot: 1 << 41, Real: 1 << 60}, rows...)
	if *keepFile != "" {
		if err := os.WriteFile(*keepFile, file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := tr.slicesOf(t, kinds[disagreements].name); len(got) != 3 {
		t.Errorf("disagreements: %v", got)
	}
	for name := range tr.byName {
		if strings.HasPrefix(name, "task ") {
			tr.slicesOf(t, name)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriterFails(t *testing.T) {
	w := New(full{}, export.Clocks{})
	r := exporttest.Rows()[0]
	var err error
	for range 10000 {
		if err = w.Write(&r); err != nil {
			break
		}
	}
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
}

func BenchmarkPerfetto(b *testing.B) {
	s := exporttest.Samples()[1]
	m := export.Maker{Names: exporttest.Paths{}}
	var r export.Row
	w := New(io.Discard, export.Clocks{})
	b.ReportAllocs()
	for b.Loop() {
		m.Fill(&r, s.Obs, s.Ver)
		r.TimeNs += uint64(b.N)
		if err := w.Write(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
