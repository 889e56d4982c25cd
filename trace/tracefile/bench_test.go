package tracefile

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// mixed are the records of the mixed workload on Linux 7.3, n or some more, and the
// number of writes among them.
func mixed(b *testing.B, n int) (recs [][]byte, writes int) {
	b.Helper()
	r, err := Open("../../testdata/traces/linux-7.3.e4d")
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	once, _ := readAll(b, r)
	recs = tracetest.Repeated(once, n)
	for _, raw := range recs {
		if isWrite(raw) {
			writes++
		}
	}
	return recs, writes
}

// reportWrites turns the time of the loop into that of one write.
func reportWrites(b *testing.B, writes int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(writes), "ns/write")
}

// BenchmarkRead is the price of reading, to be seen beside that of judging.
func BenchmarkRead(b *testing.B) {
	recs, writes := mixed(b, 100_000)
	file := written(b, recs)
	n := 0
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(file))
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, record.ErrEnd) || r.Missing() != nil {
			b.Fatal(err, r.Missing())
		}
		n += writes
		r.Close()
	}
	reportWrites(b, n)
}

// BenchmarkWrite is the price of recording.
func BenchmarkWrite(b *testing.B) {
	recs, writes := mixed(b, 100_000)
	n := 0
	for b.Loop() {
		w, err := NewWriter(io.Discard, &Info{})
		for i := 0; i < len(recs) && err == nil; i++ {
			err = w.Append(recs[i], &record.Losses{})
		}
		if err = errors.Join(err, w.Close(&record.Losses{})); err != nil {
			b.Fatal(err)
		}
		n += writes
	}
	reportWrites(b, n)
}
