package tracefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// What is read is what was written, byte by byte and in its order.
func TestRoundTrip(t *testing.T) {
	odd := sample(1)[0]
	odd = append(odd[:len(odd):len(odd)], 0) // longer than it says
	for name, recs := range map[string][][]byte{
		"none": nil, "one": sample(1), "mixed": sample(10000), "noise": noise(500), "broken": {{1, 0, 8, 0, 0, 0, 0, 0}, odd, {2, 0, 3, 0, 0, 0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			file := written(t, recs)
			r, err := NewReader(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got, missing := readAll(t, r)
			if missing != nil || len(got) != len(recs) {
				t.Fatalf("%d records of %d, missing %v", len(got), len(recs), missing)
			}
			for i := range recs {
				if !bytes.Equal(got[i], recs[i]) {
					t.Fatalf("record %d:\n%x\nwant\n%x", i, got[i], recs[i])
				}
			}
			if l, _ := r.Losses(); l.LostRing != 7 || l.Lost() != 7 {
				t.Errorf("losses: %+v", l)
			}
			if e := r.end; e == nil || e.Records != uint64(len(recs)) {
				t.Errorf("end: %+v", e)
			}
		})
	}
}

// A record of a kind that is not known is left out, and counted.
func TestUnknownKind(t *testing.T) {
	recs := sample(10)
	later := []byte{9, 0, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8}
	r, err := NewReader(bytes.NewReader(written(t, append([][]byte{later}, append(recs, later)...))))
	if err != nil {
		t.Fatal(err)
	}
	if got, missing := readAll(t, r); len(got) != len(recs) || missing != nil || r.unknown != 2 {
		t.Errorf("%d records, %d unknown, missing %v", len(got), r.unknown, missing)
	}
}

// So is a chunk.
func TestUnknownChunk(t *testing.T) {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err != nil {
		t.Fatal(err)
	}
	w.raw = append(w.raw[:0], "something new"...)
	err = errors.Join(w.chunk(&head{fixedHead: fixedHead{Kind: 77, Count: 3}}), w.Append(sample(1)[0], &record.Losses{}), w.Close(&record.Losses{}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if got, missing := readAll(t, r); len(got) != 1 || missing != nil || r.unknown != 3 {
		t.Errorf("%d records, %d unknown, missing %v", len(got), r.unknown, missing)
	}
}

// Losses come at their place: with the chunk in which they were counted.
func TestLossesInPlace(t *testing.T) {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err != nil {
		t.Fatal(err)
	}
	recs := sample(4)
	for i, r := range recs {
		l := record.Losses{Counters: record.Counters{LostRing: uint64(i) * 10}, MissedInner: uint64(i)}
		if err := errors.Join(w.Append(r, &l), w.Flush(&l)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(&record.Losses{Counters: record.Counters{LostRing: 100}}); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range recs {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if l, _ := r.Losses(); l.LostRing != uint64(i)*10 || l.MissedInner != uint64(i) {
			t.Errorf("losses at record %d: %+v", i, l)
		}
	}
	if _, err := r.Next(); !errors.Is(err, record.ErrEnd) {
		t.Error(err)
	}
	if l, _ := r.Losses(); l.LostRing != 100 { // without any record
		t.Errorf("losses at the end: %+v", l)
	}
}

// openBytes opens a file with these bytes.
func openBytes(t testing.TB, b []byte) (*Reader, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.e4d")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err == nil {
		t.Cleanup(func() { r.Close() })
	}
	return r, err
}

// Names are known from the start where the file can be looked through, else from the
// chunk before the records on.
func TestNames(t *testing.T) {
	file, _ := inChunks(t, sample(20), 8)
	r, err := openBytes(t, file)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Path(nameOf(8<<20, 16)); got != "/some/file" {
		t.Errorf("path %q before the first record", got)
	}
	pipe, err := NewReader(io.MultiReader(bytes.NewReader(file)))
	if err != nil {
		t.Fatal(err)
	}
	if got := pipe.Path(nameOf(8<<20, 0)); got != "" {
		t.Errorf("a pipe knows %q in advance", got)
	}
	if _, err := pipe.Next(); err != nil || pipe.Path(nameOf(8<<20, 0)) != "/some/file" || pipe.Path(nameOf(8<<20, 16)) != "" {
		t.Errorf("with the first record: %q, %q, error %v", pipe.Path(nameOf(8<<20, 0)), pipe.Path(nameOf(8<<20, 16)), err)
	}
}

// A file that is still being written is read as far as it is there at each moment.
func TestGrowing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, &Info{})
	if err != nil {
		t.Fatal(err)
	}
	recs := sample(4)
	var r *Reader
	for i, raw := range recs {
		w.Name(nameOf(1, uint64(i)), "/name")
		if err := errors.Join(w.Append(raw, &record.Losses{}), w.Flush(&record.Losses{})); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if r, err = Open(path); err != nil {
				t.Fatal(err)
			}
			defer r.Close()
		}
		if got, err := r.Next(); err != nil || !bytes.Equal(got, raw) || r.Path(nameOf(1, uint64(i))) != "/name" {
			t.Errorf("record %d: %v, name %q", i, err, r.Path(nameOf(1, uint64(i))))
		}
	}
	if _, err := r.Next(); !errors.Is(err, record.ErrEnd) || r.Missing() == nil {
		t.Errorf("at its end for now: %v, missing %v", err, r.Missing())
	}
}

// Parts of one recording are one stream; in each, what was seen is what became of it,
// although the counters run ahead of the records.
func TestParts(t *testing.T) {
	recs := sample(30)
	dir := t.TempDir()
	var paths []string
	create := func() *os.File {
		paths = append(paths, filepath.Join(dir, string(rune('a'+len(paths)))))
		f, err := os.Create(paths[len(paths)-1])
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	info := &Info{ID: "x"}
	w, err := NewWriter(create(), info)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range recs {
		l := record.Losses{Counters: record.Counters{Seen: uint64(i) * 2, LostRing: uint64(i / 10)}} // stale or ahead
		if i == 10 || i == 20 {
			if w, err = w.Next(create(), info, &l); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Append(r, &l); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(&record.Losses{Counters: record.Counters{Seen: 32, LostRing: 2}}); err != nil {
		t.Fatal(err)
	}
	all, err := OpenRecordings(paths[2], paths[0], paths[1])
	if err != nil || len(all) != 1 {
		t.Fatalf("%d recordings, error %v", len(all), err)
	}
	for i, want := range recs {
		if got, err := all[0].Next(); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	if _, err := all[0].Next(); !errors.Is(err, record.ErrEnd) || all[0].Missing() != nil {
		t.Errorf("at the end: %v, missing %v", err, all[0].Missing())
	}
	if l, _ := all[0].Losses(); l.Seen != 32 || l.LostRing != 2 {
		t.Errorf("losses of all: %+v", l)
	}
	for i, p := range all[0].Parts()[:2] {
		l, _ := p.Losses()
		if writes := p.Index().Writes; l.Seen != writes+l.LostRing || l.LostRing != 1 || !p.end.Continued {
			t.Errorf("part %d has %d writes and says %+v", i, writes, l)
		}
	}
	if err := all[0].Close(); err != nil {
		t.Error(err)
	}
	gap, err := OpenRecordings(paths[2], paths[0])
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = gap[0].Next()
	}
	if m := gap[0].Missing(); m == nil || !strings.Contains(m.Error(), "part 1 of the recording") {
		t.Errorf("without part 1: %v", m)
	}
	if _, err := OpenRecordings(paths[0], paths[0]); err == nil {
		t.Error("one part is taken twice")
	}
}

// Records of several recordings come in the order of their times.
func TestMerge(t *testing.T) {
	one := func(boot string, wall int, times ...uint64) *Recording {
		var buf bytes.Buffer
		info := &Info{BootID: boot, Monotonic: 1000}
		info.Began = info.Began.AddDate(wall, 0, 0)
		w, err := NewWriter(&buf, info)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range times {
			rec := record.Write{T0: at, Ino: at}
			if err := w.Append(rec.Append(nil), &record.Losses{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(&record.Losses{}); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(&buf)
		if err != nil {
			t.Fatal(err)
		}
		return NewRecording(r)
	}
	for name, c := range map[string]struct {
		in   []*Recording
		want []uint64
	}{
		"one boot":  {[]*Recording{one("x", 1, 1001, 1005, 1004, 1010), one("x", 5, 1002, 1003, 1020), one("x", 1)}, []uint64{1001, 1002, 1003, 1005, 1004, 1010, 1020}},
		"two boots": {[]*Recording{one("x", 2, 1001, 1005), one("y", 1, 1002, 1030)}, []uint64{1002, 1030, 1001, 1005}},
		"none":      {nil, nil},
	} {
		m, err := Merge(c.in...)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			raw, from, err := m.Next()
			if err != nil {
				t.Fatalf("%s: record %d: %v", name, i, err)
			}
			if id, _ := record.FileOf(raw); id.Ino != want || from >= len(c.in) {
				t.Errorf("%s: record %d is that of %d, want %d", name, i, id.Ino, want)
			}
		}
		if _, _, err := m.Next(); !errors.Is(err, record.ErrEnd) {
			t.Errorf("%s: error %v at the end", name, err)
		}
	}
}

// fullDisk takes so many bytes and no more.
type fullDisk struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(len(b), d.room-d.Len())
	d.Buffer.Write(b[:n])
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// When no more can be written, nothing is, and what is whole can be read.
func TestFullDisk(t *testing.T) {
	recs := sample(3000)
	for _, room := range []int{10, 1000, 5000, 20000} {
		d := &fullDisk{room: room}
		w, err := NewWriter(d, &Info{})
		for i := 0; i < len(recs) && err == nil; i++ {
			err = w.Append(recs[i], &record.Losses{})
			if i%100 == 99 && err == nil {
				err = w.Flush(&record.Losses{})
			}
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("room for %d bytes: error %v", room, err)
		}
		if w == nil {
			continue // not even the beginning
		}
		if err := w.Flush(&record.Losses{}); !errors.Is(err, errFull) {
			t.Errorf("it goes on: %v", err)
		}
		r, err := NewReader(bytes.NewReader(d.Bytes()[:w.Whole()]))
		if err != nil {
			t.Fatal(err)
		}
		got, missing := readAll(t, r)
		if n, _ := w.Written(); uint64(len(got)) != n || missing == nil || missing.Closed || missing.Offset != w.Whole() {
			t.Errorf("room for %d bytes: %d records read, missing %v", room, len(got), missing)
		}
	}
}

// The specification knows all columns and this version.
func TestFormatDocument(t *testing.T) {
	b, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	runs := shapeRuns
	for _, want := range []string{
		fmt.Sprintf("(`.e4d`), version %d\n", version), fmt.Sprintf("number of columns (uvarint, at least %d)", numColumns),
		fmt.Sprintf("| %d, %d | result | completion |", colDoneKnown, colDoneRet), fmt.Sprintf("| %d–%d | more of the head |", colWord, allColumns-1),
		fmt.Sprintf("bytes %d-%d, %d-%d and %d-%d of\nthe record", runs[0].from, runs[0].to-1, runs[1].from, runs[1].to-1, runs[2].from, runs[2].to-1),
		fmt.Sprintf("less than %d bytes,\nmore than %d, or", record.FirstHead, record.FirstHead+maxWords*wordSize), fmt.Sprintf("`0x%X`", skippable), fmt.Sprintf("`%#x`", chunkMagic),
		fmt.Sprintf("at most %d |", maxRecords), fmt.Sprintf("more than %d shapes", maxShapes), fmt.Sprintf("at most %d |", maxHead), fmt.Sprintf("The first\n%d of each field", maxOdd),
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("FORMAT.md does not say %q", want)
		}
	}
	if got := len(new(record.Losses).All()); got != strings.Count(section(string(b), "are left away: ", ". New ones"), ",")+1 {
		t.Errorf("FORMAT.md has not all %d counters", got)
	}
}

// section is what lies between two words of a text.
func section(text, from, to string) string {
	_, after, _ := strings.Cut(text, from)
	part, _, _ := strings.Cut(after, to)
	return part
}
