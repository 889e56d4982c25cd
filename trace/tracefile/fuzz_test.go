package tracefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// fixSums makes the checksums of all chunks right, so that what is behind them is
// tried, too.
func fixSums(b []byte) {
	le := binary.LittleEndian
	for len(b) > frameSize {
		n, err := parseFrame(b)
		if err != nil || len(b) < frameSize+n {
			return
		}
		in := b[frameSize : frameSize+n]
		packed := int(le.Uint32(in[28:]))
		if packed > len(b)-frameSize-n {
			packed = len(b) - frameSize - n
		}
		body := b[frameSize+n:][:packed]
		le.PutUint32(in[32:], crc32.Checksum(body, castagnoli))
		le.PutUint32(in[n-4:], crc32.Checksum(in[:n-4], castagnoli))
		b = b[frameSize+n+packed:]
	}
}

// FuzzRead: whatever the bytes, reading ends, with an error or with records, and says
// what is missing.
func FuzzRead(f *testing.F) {
	file, ends := inChunks(f, sample(20), 5)
	f.Add(file, true)
	f.Add(file[:ends[1]], true)
	f.Add(file[:ends[1]-3], false)
	f.Add(written(f, noise(3)), true)
	f.Add(withMarks(f), true)
	f.Fuzz(func(t *testing.T, b []byte, sums bool) {
		if sums {
			b = bytes.Clone(b)
			fixSums(b)
		}
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error %v", err)
			}
			return
		}
		defer r.Close()
		_, missing := readAll(t, r)
		if missing == nil && r.end == nil {
			t.Error("nothing is missing of a trace that was not closed")
		}
		x, err := ReadIndex(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(x.chunks) == 0 {
			t.Errorf("index of %d chunks, error %v", len(x.chunks), err)
		}
	})
}

// FuzzColumns: whatever is in the columns of a chunk, decoding ends.
func FuzzColumns(f *testing.F) {
	for _, recs := range [][][]byte{sample(10), noise(2), {{7, 0, 4, 0}}} {
		e := newEncoder()
		for _, raw := range recs {
			e.add(raw)
		}
		raw, _ := e.appendTo(nil, nil)
		f.Add(raw, e.count, e.writes)
	}
	f.Fuzz(func(t *testing.T, raw []byte, count, writes uint32) {
		if count > maxRecords || writes > count || int(count) > len(raw) {
			return // a header that is refused
		}
		var d decoder
		if err := d.begin(raw, &head{fixedHead: fixedHead{Count: count, Writes: writes}}); err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error %v", err)
			}
			return
		}
		var buf []byte
		for d.left > 0 {
			var err error
			if buf, _, err = d.next(buf); err != nil {
				return
			}
		}
	})
}

// FuzzRoundTrip: any records come back as they were.
func FuzzRoundTrip(f *testing.F) {
	var all []byte
	for _, raw := range append(sample(5), noise(2)...) {
		all = append(all, raw...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		e := newEncoder()
		var recs [][]byte
		for len(b) > 0 && len(recs) < chunkRecords {
			n := len(b)
			if _, size, err := record.KindOf(b); err == nil && size > 0 {
				n = min(n, size)
			}
			recs, b = append(recs, b[:n]), b[n:]
			e.add(recs[len(recs)-1])
		}
		var d decoder
		raw, _ := e.appendTo(nil, nil)
		if err := d.begin(raw, &head{fixedHead: fixedHead{Count: e.count, Writes: e.writes}}); err != nil {
			t.Fatal(err)
		}
		var buf []byte
		for i, want := range recs {
			var err error
			if buf, _, err = d.next(buf); err != nil || !bytes.Equal(buf, want) {
				t.Fatalf("record %d: %v\n%x\nwant\n%x", i, err, buf, want)
			}
		}
	})
}
