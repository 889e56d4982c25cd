package session

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// markedSource takes a mark before every so many writes, as the command mark does.
type markedSource struct {
	manySource
	marks *Marks
	every int
}

func (s *markedSource) Next() ([]byte, error) {
	if s.next < s.n && s.next%s.every == s.every-1 {
		if _, err := s.marks.Take(fmt.Sprintf("test %d", s.next/s.every)); err != nil {
			return nil, err
		}
	}
	s.w.T0 = clock.Monotonic() - 10_000 // to which 10,000 are added
	return s.manySource.Next()
}

// Marks are in the parts of a recording, each of which begins with those before it, so that a part
// alone tells of its writes.
func TestMarksAreRecorded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.e4d")
	marks := &Marks{}
	out := newTestRecorder(t, RecorderOptions{Path: name, MaxSize: 64 << 10, Rotate: 3, Marks: marks})
	const n, every = 120000, 9000
	if _, err := recordFrom(t, out, &markedSource{manySource{n: n, w: tracetest.SharedWrite(0)}, marks, every}); err != nil {
		t.Fatal(err)
	}
	if _, err := marks.Take("late"); err == nil {
		t.Error("a mark is taken after the end")
	}
	files, err := filepath.Glob(name + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v files, %v", files, err)
	}
	for _, paths := range append([][]string{files}, slices.Collect(slices.Chunk(files, 1))...) {
		all, err := tracefile.OpenRecordings(paths...)
		if err != nil {
			t.Fatal(err)
		}
		in, writes, seen := all[0], 0, map[string]bool{}
		for {
			raw, err := in.Next()
			if err == record.ErrEnd {
				break
			}
			var w record.Write
			if err == nil {
				err = record.ParseWrite(raw, &w)
			}
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if i := int(w.Pos0 >> 12); i >= every-1 {
				want = fmt.Sprintf("test %d", (i-every+1)/every)
			}
			got := in.MarkAt(w.T0)
			if writes++; got != want {
				t.Fatalf("%d files: write %d has mark %q, want %q", len(paths), w.Pos0>>12, got, want)
			}
			seen[got] = true
		}
		if writes == 0 || len(paths) > 1 && len(seen) < 3 {
			t.Errorf("%q: %d writes, marks %v: this tests nothing", paths, writes, seen)
		}
		all[0].Close()
	}
}

// A mark stands between the lines of the writes, before the first that ended behind it; the name
// of one is text.
func TestMarkStandsAtItsPlace(t *testing.T) {
	for _, json := range []bool{true, false} {
		var out bytes.Buffer
		s := &Lines{Out: &out, JSON: json}
		s.Row(&export.Row{Comm: "writer"})
		s.Mark(tracefile.Mark{Time: 7, Name: "generic/001\x1b"})
		s.Row(&export.Row{Comm: "writer", Mark: "generic/001"})
		s.Mark(tracefile.Mark{Time: 9})
		if err := s.Flush(&export.Summary{}); err != nil {
			t.Fatal(err)
		}
		want := []string{`"kind":"start"`, `"mark":null`, `{"kind":"mark","time_ns":7,"mark":"generic/001\\x1b"}`, `"mark":"generic/001"`, `{"kind":"mark","time_ns":9,"mark":null}`}
		if !json {
			want = []string{"TIME", " writer ", `-- MARK here: generic/001\x1b`, " writer ", "-- MARK ends here"}
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
		}
		for i := range want {
			if !strings.Contains(lines[i], want[i]) {
				t.Errorf("line %d is %s\nwant %s", i+1, lines[i], want[i])
			}
		}
	}
}
