package tracefile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// oldTraces are files of before heads had a length, and the records in them: the first
// eight bytes of the SHA-256 of both.
var oldTraces = map[string][2]string{
	"base":                   {"77e1c6fb058ba2d4", "b0186200a3b23e06"},
	"linux-6.1":              {"66b1e146636a35be", "bbe0365fb3fe97eb"},
	"linux-6.12":             {"7c21d7326f9909c8", "405f5e808a40ca7a"},
	"linux-7.2":              {"6848b2c75075b49d", "50b61e7b340b8f5c"},
	"linux-7.3":              {"c5403e174d9498db", "aab4c8c518972f96"},
	"patch3":                 {"b93226ec78c0ad38", "53aa9e5d8fde8831"},
	"patch4":                 {"dd4aeecf069f6fd5", "ee280606820d0827"},
	"series-v2":              {"61ca118286bc8972", "20ba24325759c57c"},
	"wrong-always-exclusive": {"7f98fa791b770175", "d12ccf94f43c1dae"},
	"wrong-tail-unchecked":   {"d83d632a608972ec", "496e6eb5275e46b6"},
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return fmt.Sprintf("%x", s[:8])
}

// Traces of before heads had a length give the records that they always gave, also
// after they were written anew.
func TestOldTraces(t *testing.T) {
	for name, want := range oldTraces {
		file, err := os.ReadFile(filepath.Join("../../testdata/traces", name+".e4d"))
		if err != nil {
			t.Fatal(err)
		}
		if got := sum(file); got != want[0] {
			t.Errorf("%s: the file is another one, %s", name, got)
		}
		recs := recordsOf(t, file, 0)
		x, err := ReadIndex(bytes.NewReader(file), int64(len(file)))
		if err != nil || !x.Closed {
			t.Errorf("%s: closed %v, error %v", name, x.Closed, err)
		}
		for _, c := range x.chunks {
			if c.First > c.Last || c.From > c.To || c.Kind == KindRecords && c.Count > 0 && (c.First == 0 || c.From == 0) {
				t.Errorf("%s: times of a chunk: %+v", name, c)
			}
		}
		for again := range 2 {
			if got := sum(bytes.Join(recs, nil)); got != want[1] {
				t.Errorf("%s: other records, %s, written anew %d times", name, got, again)
			}
			recs = recordsOf(t, written(t, recs), 0)
		}
		for i, raw := range recs {
			var w record.Write
			if record.HeadOf(raw) == 0 {
				continue
			}
			if err := record.ParseWrite(raw, &w); err != nil || w.Head != record.FirstHead || !w.Has(record.AtNrSegs) {
				t.Fatalf("%s: record %d: head of %d bytes, error %v", name, i, w.Head, err)
			}
		}
	}
}

// recordsOf reads a whole trace, with so many longer heads.
func recordsOf(t *testing.T, file []byte, longer uint64) [][]byte {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	recs, missing := readAll(t, r)
	if missing != nil || NewRecording(r).Longer() != longer {
		t.Fatalf("%d longer heads, want %d; missing %v", r.dec.longer, longer, missing)
	}
	return recs
}

// headed are the records of sample with heads of these lengths, one after the other,
// and what is behind the first bytes of each head is another value.
func headed(n int, heads ...int) (recs [][]byte, longer uint64) {
	for i, raw := range sample(n) {
		if head := heads[i%len(heads)]; record.HeadOf(raw) > 0 {
			more := bytes.Repeat([]byte{byte(i), 0, 0, 0, 0x80, 1}, 1+head/6)
			raw = append(append(bytes.Clone(raw[:min(head, record.FirstHead)]), more[:max(head-record.FirstHead, 0)]...), raw[record.HeadOf(raw):]...)
			binary.LittleEndian.PutUint16(raw[record.AtSize:], uint16(len(raw)))
			binary.LittleEndian.PutUint16(raw[record.AtHead:], uint16(head))
			if head > record.HeadSize {
				longer++
			}
		}
		recs = append(recs, raw)
	}
	return recs, longer
}

// A version whose head has more fields than this one is simulated: its records come
// through a trace as they are, what is known of them is read, and that more is there is
// counted. The same for lengths that the columns are not made for.
func TestHeads(t *testing.T) {
	for _, heads := range [][]int{
		{record.FirstHead}, {record.HeadSize + 8}, {record.FirstHead, record.HeadSize + 4, record.HeadSize + 64}, {record.FirstHead + maxWords*wordSize},
		{record.AtHead + 2, record.FirstHead, record.HeadSize + 1, record.HeadSize + 8, record.FirstHead + (maxWords+1)*wordSize},
	} {
		recs, longer := headed(10000, heads...)
		plain := sample(10000)
		file := written(t, recs)
		for i, raw := range recordsOf(t, file, longer) {
			if !bytes.Equal(raw, recs[i]) {
				t.Fatalf("heads %d: record %d:\n%x\nwant\n%x", heads, i, raw, recs[i])
			}
			var got, want record.Write
			if record.ParseWrite(plain[i], &want) != nil {
				continue
			}
			if err := record.ParseWrite(raw, &got); err != nil || got.Surplus() != max(int(got.Head)-record.HeadSize, 0) {
				t.Fatalf("heads %d: record %d: surplus %d, error %v", heads, i, got.Surplus(), err)
			}
			want.Head, want.Size = got.Head, got.Size
			for _, f := range record.Fields[record.Write]() {
				if f.At >= record.FirstHead { // of what is behind the first bytes
					reflect.ValueOf(&got).Elem().FieldByName(f.Go).SetZero()
				}
			}
			if got != want {
				t.Fatalf("heads %d: record %d is\n%+v\nwant\n%+v", heads, i, got, want)
			}
		}
		// Columns, and not the records as they are.
		if n, most := len(file), 20*len(recs)*len(heads); n > most {
			t.Errorf("heads %d: a file of %d bytes, at most %d", heads, n, most)
		}
	}
}

// The columns that every version has give a write of the first version: one that knows
// no others reads it.
func TestHeadsOfColumns(t *testing.T) {
	recs, _ := headed(100, record.HeadSize+24)
	e := newEncoder()
	for _, raw := range recs {
		e.add(raw)
	}
	if e.words < 6 || len(e.cols[colOther]) > 0 {
		t.Fatalf("%d words, %d bytes of other records", e.words, len(e.cols[colOther]))
	}
	for at := 0; at < len(e.cols[colShapes]); {
		shape := e.cols[colShapes][at:]
		size, steps := int(binary.LittleEndian.Uint16(shape[record.AtSize:])), int(shape[8+4+record.AtNSteps-record.AtLostBefore])
		if size != record.FirstHead+steps*record.StepSize {
			t.Errorf("a shape of %d steps has %d bytes", steps, size)
		}
		var bad bool
		c := cursor{shape[32+steps*record.AtStepTUs:], &bad}
		for range 4 * steps {
			c.number()
		}
		at = len(e.cols[colShapes]) - len(c.b)
	}
	// Without its words, a chunk is damaged.
	e.words = 0
	raw, _ := e.appendTo(nil, nil)
	var d decoder
	err := d.begin(raw, &head{fixedHead: fixedHead{Count: e.count, Writes: e.writes}})
	if err == nil {
		_, _, err = d.next(nil)
	}
	if err == nil {
		t.Error("words that are not there are read")
	}
}
