package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

// TestStatistics: what the file says of its column chunks is what parquet-go finds in them.
func TestStatistics(t *testing.T) {
	var file bytes.Buffer
	w := New(&file, nil)
	rows := append(exporttest.Rows(), sampleRows()...)
	const n = groupRows + 1000
	for i := range n {
		r := &rows[i%len(rows)]
		r.TimeNs, r.Pos = uint64(i), int64(i)<<12
		if r.Path = fmt.Sprint("/mnt/", i); i > groupRows {
			r.Path = strings.Repeat("x", maxStatText+1)
		}
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := pq.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(f.Metadata().ColumnOrders), len(w.shred.columns); got != want {
		t.Errorf("orders of %d columns, not %d", got, want)
	}
	withNulls, without := 0, 0
	for g, group := range f.RowGroups() {
		for i, c := range group.ColumnChunks() {
			meta := &f.Metadata().RowGroups[g].Columns[i].MetaData
			compareStatistics(t, strings.Join(meta.PathInSchema, "."), c, &meta.Statistics)
			if meta.Statistics.NullCount > 0 {
				withNulls++
			}
			if meta.Statistics.MinValue == nil {
				without++
			}
		}
	}
	if withNulls < 10 || without < 1 {
		t.Errorf("%d column chunks with nulls, %d without a least value", withNulls, without)
	}
}

func compareStatistics(t *testing.T, name string, c pq.ColumnChunk, got *format.Statistics) {
	t.Helper()
	var least, most pq.Value
	nulls, values, long := int64(0), 0, false
	for _, v := range valuesOf(t, c) {
		if v.IsNull() {
			nulls++
			continue
		}
		if values++; values == 1 {
			least, most = v, v
		}
		if c.Type().Compare(v, least) < 0 {
			least = v
		}
		if c.Type().Compare(v, most) > 0 {
			most = v
		}
	}
	long = len(least.Bytes()) > maxStatText || len(most.Bytes()) > maxStatText
	if got.NullCount != nulls {
		t.Errorf("%s: %d nulls, not %d", name, got.NullCount, nulls)
	}
	if values == 0 || long {
		if got.MinValue != nil || got.MaxValue != nil {
			t.Errorf("%s: from %q to %q, of %d values", name, got.MinValue, got.MaxValue, values)
		}
		return
	}
	if !bytes.Equal(got.MinValue, least.Bytes()) || !bytes.Equal(got.MaxValue, most.Bytes()) {
		t.Errorf("%s: from %x to %x, not from %v to %v", name, got.MinValue, got.MaxValue, least, most)
	}
}

// valuesOf are all values of a column chunk, nulls among them.
func valuesOf(t *testing.T, c pq.ColumnChunk) []pq.Value {
	t.Helper()
	var out []pq.Value
	pages := c.Pages()
	defer pages.Close()
	for {
		p, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		part := make([]pq.Value, p.NumValues())
		n, err := p.Values().ReadValues(part)
		if err != nil && !errors.Is(err, io.EOF) || n != len(part) {
			t.Fatal(n, err)
		}
		out = append(out, part...)
	}
}
