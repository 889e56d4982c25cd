package tracefile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// marksOf are all marks of a recording, as text.
func marksOf(m *Marks) string {
	var names []string
	for _, k := range m.From(0) {
		names = append(names, k.Name)
	}
	return strings.Join(names, ",")
}

// A write has the mark that was in force when it began, wherever the two stand in the file: in a
// file that is there as a whole, and on a pipe as soon as a write that began behind the mark is read.
func TestMarks(t *testing.T) {
	raws := sample(20)
	begin := func(raw []byte) uint64 { from, _, _ := record.TimesOf(raw); return from }
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(at uint64, name string) {
		if err := w.PutMarks([]Mark{{at, name}}); err != nil {
			t.Fatal(err)
		}
	}
	middle := begin(raws[10])
	put(middle, "generic/001")
	for _, raw := range raws { // those before the mark come behind it
		if err := w.Append(raw, &record.Losses{}); err != nil {
			t.Fatal(err)
		}
	}
	put(middle+1, "")
	if err := w.Close(&record.Losses{}); err != nil {
		t.Fatal(err)
	}
	file, err := openBytes(t, buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := NewReader(io.MultiReader(bytes.NewReader(buf.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	if got := pipe.marks.Len(); got != 0 {
		t.Errorf("%d marks are known of a pipe that was not read", got)
	}
	if _, missing := readAll(t, pipe); missing != nil {
		t.Error(missing)
	}
	for how, r := range map[string]*Reader{"file": file, "pipe": pipe} {
		if got := marksOf(r.marks); got != "generic/001," {
			t.Errorf("%s: marks %q", how, got)
		}
		for at, want := range map[uint64]string{0: "", middle - 1: "", middle: "generic/001", middle + 1: "", 1 << 63: ""} {
			if got := r.marks.MarkAt(at); got != want {
				t.Errorf("%s: at %d %q, want %q", how, at, got, want)
			}
		}
	}
}

// The parts of a recording have their marks together, and each part alone has the one that was in
// force when it began.
func TestMarksOfParts(t *testing.T) {
	var files [2]bytes.Buffer
	info := &Info{ID: "a"}
	w, err := NewWriter(&files[0], info)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.PutMarks([]Mark{{5, "a"}, {9, "b"}}))
	w, err = w.Next(&files[1], info, &record.Losses{})
	check(err)
	check(w.PutMarks([]Mark{{9, "b"}}))
	check(w.PutMarks([]Mark{{20, "c"}}))
	check(w.Close(&record.Losses{}))
	for want, parts := range map[string][]*bytes.Buffer{"a,b,c": {&files[1], &files[0]}, "b,c": {&files[1]}} {
		var all []*Recording
		for _, part := range parts {
			r, err := openBytes(t, part.Bytes())
			check(err)
			all, err = insert(all, r)
			check(err)
		}
		all[0].gatherMarks()
		if got := marksOf(all[0].Marks()); got != want {
			t.Errorf("%d parts: %s, want %s", len(parts), got, want)
		}
		if got := all[0].MarkAt(12); got != "b" {
			t.Errorf("%d parts: at 12 %q", len(parts), got)
		}
	}
}

// What is no list of marks, or too many, is a damaged chunk: the trace is not whole.
func TestBadMarks(t *testing.T) {
	for what, text := range map[string]string{
		"no list": `{`, "a long name": `[{"time_ns":1,"name":"` + strings.Repeat("x", 256) + `"}]`,
		"too many": "[" + strings.Repeat(`{"time_ns":1,"name":""},`, MaxMarks+RepeatedMarks) + `{"time_ns":1,"name":"x"}]`,
	} {
		if err := new(Marks).read([]byte(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// Whoever has seen a mark's time pass is told of that mark, and of no older one.
func TestMarkIsThereFromItsTime(t *testing.T) {
	var first Marks
	first.Take("a", func() uint64 {
		if first.Len() == 0 {
			t.Error("when the time of the first mark is read, who asks is told that there is none")
		}
		return 1
	})
	var clock atomic.Uint64
	var m Marks
	const marks = 2000
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range marks {
			if _, ok := m.Take(string(rune('a'+i%2)), func() uint64 { return clock.Add(2) }); !ok {
				t.Errorf("mark %d is not taken", i)
			}
		}
	})
	for now := uint64(0); now < 2*marks; now = clock.Load() {
		if now == 0 {
			continue
		}
		if got, want := m.MarkAt(now), string(rune('a'+(now/2-1)%2)); got != want {
			t.Fatalf("at %d %q, want %q", now, got, want)
		}
	}
	wg.Wait()
	for range MaxMarks {
		m.Take("x", func() uint64 { return 0 })
	}
	if _, ok := m.Take("x", func() uint64 { return 0 }); ok || m.Len() != MaxMarks {
		t.Errorf("%d marks are taken", m.Len())
	}
}

// withMarks is a small trace with marks in it.
func withMarks(t testing.TB) []byte {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err == nil {
		err = w.PutMarks([]Mark{{5, "generic/001"}, {9, ""}})
	}
	if err == nil {
		err = w.Close(&record.Losses{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
