package tracefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/record"
)

// A file that is cut off anywhere gives the records of its whole chunks, and says what
// is missing.
func TestTruncated(t *testing.T) {
	recs := sample(40)
	const each = 10
	file, ends := inChunks(t, recs, each)
	path := filepath.Join(t.TempDir(), "t.e4d")
	for cut := range len(file) {
		want := 0
		for i, end := range ends {
			if cut >= end {
				want = min((i+1)*each, len(recs))
			}
		}
		for name, open := range map[string]func() (*Reader, error){
			"pipe": func() (*Reader, error) { return NewReader(io.MultiReader(bytes.NewReader(file[:cut]))) },
			"file": func() (*Reader, error) { return Open(path) },
		} {
			if name == "file" && cut%7 != 0 {
				continue // it takes long
			}
			if err := os.WriteFile(path, file[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := open()
			if err != nil {
				if !errors.Is(err, ErrFormat) || want > 0 {
					t.Fatalf("%s cut at %d: %v", name, cut, err)
				}
				continue
			}
			got, missing := readAll(t, r)
			if len(got) != want || missing == nil || missing.Closed || missing.Chunks != 0 || missing.Offset > int64(cut) {
				t.Fatalf("%s cut at %d: %d records, want %d; missing %+v", name, cut, len(got), want, missing)
			}
			if left := int64(cut) - missing.Offset; name == "file" && missing.Left != left || name == "pipe" && missing.Left != -1 {
				t.Fatalf("%s cut at %d: %d bytes left, want %d", name, cut, missing.Left, left)
			}
			r.Close()
		}
	}
}

// Whatever byte is another one, no wrong record comes, and that something is missing is
// said.
func TestFlipped(t *testing.T) {
	recs := sample(40)
	file, _ := inChunks(t, recs, 10)
	for at := range file {
		for _, bits := range []byte{1 << (at % 8), 0xff} {
			b := bytes.Clone(file)
			b[at] ^= bits
			r, err := NewReader(bytes.NewReader(b))
			if err != nil {
				if !errors.Is(err, ErrFormat) {
					t.Fatalf("byte %d: %v", at, err)
				}
				continue
			}
			got, missing := readAll(t, r)
			if missing == nil {
				t.Fatalf("byte %d: nothing is missing", at)
			}
			if !isSubsequence(got, recs) {
				t.Fatalf("byte %d: wrong records", at)
			}
			if n := len(recs) - len(got); missing.Closed && n != int(missing.Records) {
				t.Fatalf("byte %d: %d records are missing, and it says %+v", at, n, missing)
			}
			r.Close()
		}
	}
}

// isSubsequence reports whether part holds nothing but records of all, in their order.
func isSubsequence(part, all [][]byte) bool {
	i := 0
	for _, raw := range part {
		for i < len(all) && !bytes.Equal(all[i], raw) {
			i++
		}
		if i == len(all) {
			return false
		}
		i++
	}
	return true
}

// A chunk that is damaged is left out, and the others are read. Its writes count as
// lost.
func TestDamagedChunk(t *testing.T) {
	recs := sample(40)
	file, ends := inChunks(t, recs, 10)
	file[ends[1]-5]++
	r, err := openBytes(t, file)
	if err != nil {
		t.Fatal(err)
	}
	got, m := readAll(t, r)
	if len(got) != len(recs)-10 || m == nil || m.Chunks != 1 || m.Records != 10 || !m.Closed || m.Left != 0 {
		t.Errorf("%d records of %d, missing %+v", len(got), len(recs), m)
	}
	if l, _ := r.Losses(); l.Lost() != m.Writes || m.Writes < 8 {
		t.Errorf("%d writes lost, missing %+v", l.Lost(), m)
	}
}

// Chunks that are not there, come twice, or belong to another file.
func TestOutOfOrder(t *testing.T) {
	recs := sample(40)
	file, ends := inChunks(t, recs, 10)
	for name, c := range map[string]struct {
		file   []byte
		want   int
		chunks uint64
		closed bool
	}{
		// Between two ends there are a chunk of names and one of records.
		"hole":  {append(bytes.Clone(file[:ends[0]]), file[ends[1]:]...), len(recs) - 10, 2, true},
		"twice": {append(bytes.Clone(file[:ends[1]]), file[ends[0]:]...), 20, 0, false},
		"two":   {append(bytes.Clone(file), file...), len(recs), 0, false},
		"zeros": {append(bytes.Clone(file[:ends[1]]), make([]byte, 100000)...), 20, 0, false},
	} {
		r, err := openBytes(t, c.file)
		if err != nil {
			t.Fatal(err)
		}
		got, m := readAll(t, r)
		if len(got) != c.want || m == nil || m.Chunks != c.chunks || m.Closed != c.closed {
			t.Errorf("%s: %d records, want %d, missing %+v", name, len(got), c.want, m)
		}
	}
}

// craft makes a file with one chunk of these unpacked bytes behind its description.
func craft(t testing.TB, raw []byte, h head, change func(frame []byte)) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err != nil {
		t.Fatal(err)
	}
	w.raw = raw
	at := buf.Len()
	if err := w.chunk(&h); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		frame := buf.Bytes()[at:]
		change(frame)
		n := binary.LittleEndian.Uint32(frame[4:])
		in := frame[frameSize : frameSize+n]
		binary.LittleEndian.PutUint32(in[n-4:], crc32.Checksum(in[:n-4], castagnoli))
	}
	return buf.Bytes()
}

// Headers and columns that no Writer makes are refused, with checksums that are right.
func TestAbsurd(t *testing.T) {
	le := binary.LittleEndian
	set := func(off int, v uint32) func([]byte) {
		return func(frame []byte) { le.PutUint32(frame[frameSize+off:], v) }
	}
	enc := newEncoder()
	for _, raw := range sample(5) {
		enc.add(raw)
	}
	good, _ := enc.appendTo(nil, nil)
	whole := head{fixedHead: fixedHead{Kind: KindRecords, Count: enc.count, Writes: enc.writes}}
	columns := func(change func(*encoder)) []byte {
		e := newEncoder()
		for _, raw := range sample(5) {
			e.add(raw)
		}
		change(e)
		raw, _ := e.appendTo(nil, nil)
		return raw
	}
	for name, file := range map[string][]byte{
		"count":          craft(t, good, whole, set(16, 1<<31)),
		"writes":         craft(t, good, whole, set(20, 1<<31)),
		"one more":       craft(t, good, whole, set(16, enc.count+1)),
		"other writes":   craft(t, good, whole, set(20, enc.writes-1)),
		"unpacked":       craft(t, good, whole, set(24, 1<<31)),
		"other unpacked": craft(t, good, whole, set(24, 7)),
		"packed":         craft(t, good, whole, set(28, 1<<31)),
		"some packed":    craft(t, good, whole, set(28, 1<<20)),
		"counters":       craft(t, good, whole, set(36, 1<<31)),
		"one counter":    craft(t, good, whole, set(36, 1)),
		"no columns":     craft(t, nil, whole, nil),
		"a million":      craft(t, binary.AppendUvarint(nil, 1<<20), whole, nil),
		"long column":    craft(t, append(binary.AppendUvarint(nil, numColumns), bytes.Repeat([]byte{0xff, 0xff, 0xff, 0x7f}, numColumns)...), whole, nil),
		"no shapes":      craft(t, columns(func(e *encoder) { e.cols[colShapes] = nil }), whole, nil),
		"no threads":     craft(t, columns(func(e *encoder) { e.cols[colThreads] = nil }), whole, nil),
		"no files":       craft(t, columns(func(e *encoder) { e.cols[colFiles] = nil }), whole, nil),
		"other shape":    craft(t, columns(func(e *encoder) { e.cols[colShape][2] = 99 }), whole, nil),
		"step times":     craft(t, columns(func(e *encoder) { e.cols[colStepT] = e.cols[colStepT][:1] }), whole, nil),
		"low times":      craft(t, columns(func(e *encoder) { e.cols[colGapLow] = e.cols[colGapLow][:1] }), whole, nil),
		"kind":           craft(t, columns(func(e *encoder) { e.cols[colKind][0] = 200 }), whole, nil),
		"odd":            craft(t, columns(func(e *encoder) { e.cols[colOdd][0] = 100 }), whole, nil),
		"odd place": craft(t, columns(func(e *encoder) {
			e.cols[colOdd][0], e.cols[colOddAt] = 1, append(column{255}, e.cols[colOddAt]...)
		}), whole, nil),
		"odd number": craft(t, columns(func(e *encoder) {
			e.cols[colOdd][0], e.cols[colOddAt], e.cols[colOddKnown] = 1, append(column{1}, e.cols[colOddAt]...), append(column{90}, e.cols[colOddKnown]...)
		}), whole, nil),
		"steps of a shape": craft(t, columns(func(e *encoder) { e.cols[colShapes][32-record.FirstHead+record.AtNSteps] = 41 }), whole, nil),
		"other":            craft(t, columns(func(e *encoder) { e.cols[colKind][0] = 0 }), head{fixedHead: fixedHead{Kind: KindRecords, Count: enc.count, Writes: enc.writes - 1}}, nil),
		"name":             craft(t, []byte{1, 2, 200}, head{fixedHead: fixedHead{Kind: KindNames}}, nil),
		"end":              craft(t, []byte("{"), head{fixedHead: fixedHead{Kind: KindEnd}}, nil),
	} {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, missing := readAll(t, r)
		if missing == nil || missing.Closed || missing.Error() == "" {
			t.Errorf("%s: nothing is missing", name)
		}
		if len(got) > int(enc.count) {
			t.Errorf("%s: %d records", name, len(got))
		}
		r.Close()
	}
}

// Files that do not even begin.
func TestNoTrace(t *testing.T) {
	good := written(t, nil)
	later := bytes.Clone(good)
	in := later[frameSize : frameSize+minHead]
	in[4] = version + 1
	binary.LittleEndian.PutUint32(in[minHead-4:], crc32.Checksum(in[:minHead-4], castagnoli))
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty": {nil, ErrFormat}, "text": {[]byte("#!/bin/sh\nexit 0\n# and so on"), ErrFormat}, "zeros": {make([]byte, 1000), ErrFormat},
		"later version": {later, ErrVersion}, "no description": {good[len(good)/2:], ErrFormat},
	} {
		_, err := NewReader(bytes.NewReader(c.file))
		if !errors.Is(err, c.want) || !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder is a trace")
	}
}

// A frame that unpacks to a thousand times its size takes no such memory.
func TestBomb(t *testing.T) {
	for _, sized := range []bool{true, false} {
		var packed bytes.Buffer
		zip, err := zstd.NewWriter(&packed, zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			t.Fatal(err)
		}
		zero := make([]byte, 1<<20)
		if sized {
			packed.Write(zip.EncodeAll(make([]byte, 64<<20), nil))
		} else {
			for range 1024 {
				if _, err := zip.Write(zero); err != nil {
					t.Fatal(err)
				}
			}
			if err := zip.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var file bytes.Buffer
		if _, err := NewWriter(&file, &Info{}); err != nil {
			t.Fatal(err)
		}
		h := head{fixedHead: fixedHead{Kind: KindRecords, Version: version, Seq: 1, Count: 1, Raw: maxRaw, Packed: uint32(packed.Len()), Sum: crc32.Checksum(packed.Bytes(), castagnoli)}}
		file.Write(h.append(nil))
		file.Write(packed.Bytes())
		r, err := NewReader(&file)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, missing := readAll(t, r)
		runtime.ReadMemStats(&after)
		if len(got) > 0 || missing == nil {
			t.Errorf("%d records, missing %v", len(got), missing)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8*maxRaw {
			t.Errorf("%d bytes of memory", n)
		}
		r.Close()
	}
}

// Many names do not fill the memory, and the first of them stay.
func TestManyNames(t *testing.T) {
	var raw []byte
	id := func(i int) record.NameID {
		return record.NameID{FileID: record.FileID{Dev: 1, Ino: uint64(i), Generation: 7}, Name: 1 << 31}
	}
	n := 0
	for ; len(raw) < maxRaw-100; n++ {
		raw = appendName(raw, id(n), "x")
	}
	var got names
	if err := got.read(KindFiles, raw); err != nil || len(got.paths) > maxNames/64 || len(got.paths) < maxNames/128 {
		t.Errorf("%d names of %d, error %v", len(got.paths), n, err)
	}
	if got.paths[id(0)] != "x" || got.paths[id(n-1)] != "" {
		t.Errorf("the first is called %q, the last %q", got.paths[id(0)], got.paths[id(n-1)])
	}
}

// failing breaks off.
type failing struct{ io.Reader }

var errDisk = fmt.Errorf("input/output error")

func (f failing) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if err == io.EOF {
		err = errDisk
	}
	return n, err
}

// An error of reading is no end of the trace.
func TestReadError(t *testing.T) {
	file, ends := inChunks(t, sample(20), 10)
	r, err := NewReader(failing{bytes.NewReader(file[:ends[0]+100])})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, errDisk) || errors.Is(err, record.ErrEnd) {
		t.Errorf("error %v", err)
	}
}
