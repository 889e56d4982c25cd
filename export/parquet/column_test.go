package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

// unhybrid is the reverse of appendHybrid, as the format describes it.
func unhybrid(t *testing.T, b []byte, width, n int) []int64 {
	t.Helper()
	var out []int64
	for len(b) > 0 {
		head, k := binary.Uvarint(b)
		b = b[k:]
		if head&1 == 0 {
			v := int64(0)
			for i := range (width + 7) / 8 {
				v |= int64(b[i]) << (8 * i)
			}
			b = b[(width+7)/8:]
			out = append(out, slices.Repeat([]int64{v}, int(head>>1))...)
			continue
		}
		groups := int(head >> 1)
		if groups == 0 || len(b) < groups*width {
			t.Fatalf("%d groups of %d bits in %d bytes", groups, width, len(b))
		}
		for i := range groups * 8 {
			v := int64(0)
			for bit := range width {
				at := i*width + bit
				v |= int64(b[at/8]>>(at%8)&1) << bit
			}
			out = append(out, v)
		}
		b = b[groups*width:]
	}
	if len(out) < n || len(out) >= n+8 {
		t.Fatalf("%d values, not %d", len(out), n)
	}
	return out[:n]
}

func TestHybrid(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 3000 {
		width := 1 + rng.IntN(17)
		values := make([]int64, 0, 200)
		for len(values) < rng.IntN(200) {
			v := rng.Int64N(1 << width)
			for range 1 + rng.IntN(1+round%20) {
				values = append(values, v)
			}
		}
		if got := unhybrid(t, appendHybrid(nil, values, width), width, len(values)); !slices.Equal(got, values) {
			t.Fatalf("%d bits: %v became %v", width, values, got)
		}
	}
}

// TestGroups: more rows than one group holds, with more names than fit in a byte.
func TestGroups(t *testing.T) {
	var file bytes.Buffer
	w := New(&file, nil)
	rows := exporttest.Rows()
	const n = 2*groupRows + 17
	for i := range n {
		r := &rows[i%len(rows)]
		r.Path, r.TimeNs, r.Ino = fmt.Sprint("/mnt/", i%5000), uint64(i), uint64(i)<<20
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := pq.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || len(f.RowGroups()) != 3 {
		t.Fatalf("%v", err)
	}
	got := readRows(t, file.Bytes(), func(i int, row reflect.Value) {
		r := &rows[i%len(rows)]
		field := func(name string) reflect.Value { return row.FieldByName("F_" + name) }
		if field("time_ns").Int() != int64(i) || field("ino").Int() != int64(i)<<20 || field("path").Elem().String() != fmt.Sprint("/mnt/", i%5000) ||
			field("lookups").Len() != len(r.Lookups) || field("facts").FieldByName("F_checks").Len() != len(r.Facts.Checks) || field("len").Int() != r.Len {
			t.Fatalf("row %d: %+v", i, row)
		}
	})
	if got != n {
		t.Errorf("%d rows", got)
	}
}
