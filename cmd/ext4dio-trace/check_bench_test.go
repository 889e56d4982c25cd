package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// traceOf is one of the traces of real kernels.
func traceOf(name string) string { return filepath.Join("..", "..", "testdata", "traces", name+".e4d") }

// rawTrace reads the records of a trace. The reader is closed; it knows the names of files.
func rawTrace(t testing.TB, path string) (*tracefile.Reader, [][]byte) {
	t.Helper()
	r, err := tracefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out [][]byte
	for {
		raw, err := r.Next()
		if errors.Is(err, record.ErrEnd) {
			return r, out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, bytes.Clone(raw))
	}
}

// traceFile is a trace with these records, and the number of writes in it.
func traceFile(b testing.TB, info *tracefile.Info, raws [][]byte) (file []byte, writes uint64) {
	b.Helper()
	var buf bytes.Buffer
	w, err := tracefile.NewWriter(&buf, info)
	if err != nil {
		b.Fatal(err)
	}
	for _, raw := range raws {
		if err := w.Append(raw, &record.Losses{}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(&record.Losses{}); err != nil {
		b.Fatal(err)
	}
	_, writes = w.Written()
	return buf.Bytes(), writes
}

// longTrace is a file of so many writes at least.
func longTrace(t testing.TB, writes int) string {
	t.Helper()
	r, raws := rawTrace(t, traceOf("patch4"))
	file, _ := traceFile(t, r.Info(), tracetest.Repeated(raws, writes))
	path := filepath.Join(t.TempDir(), "long.e4d")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// BenchmarkCheck is the price of one write of a file: reading, judging, all sums. With
// GOMAXPROCS=1 it is that of one core. The mixed workload has more steps a write than
// any other: most are unaligned, restarted, or refused.
func BenchmarkCheck(b *testing.B) {
	r, raws := rawTrace(b, traceOf("linux-7.3"))
	for name, raws := range map[string][][]byte{"mixed": tracetest.Repeated(raws, 400_000), "aligned": tracetest.SharedWrites(400_000)} {
		b.Run(name, func(b *testing.B) {
			file, writes := traceFile(b, r.Info(), raws)
			n, from := uint64(0), cpuTime(b)
			for b.Loop() {
				r, err := tracefile.NewReader(bytes.NewReader(file))
				if err != nil {
					b.Fatal(err)
				}
				c, err := recorded.Check(context.Background(), tracefile.NewRecording(r), "auto")
				if err != nil || c.Summary.Totals.Writes != writes {
					b.Fatalf("%d writes of %d, error %v", c.Summary.Totals.Writes, writes, err)
				}
				n += writes
				r.Close()
			}
			reportWrites(b, n)
			b.ReportMetric(float64(n)/(cpuTime(b)-from).Seconds(), "writes/cpu-s")
		})
	}
}

// cpuTime is what this process has used of all cores. Other than the time of the clock,
// it does not grow while others have the core.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// reportWrites turns the time of the loop into that of one write.
func reportWrites(b *testing.B, writes uint64) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(writes), "ns/write")
	b.ReportMetric(float64(writes)/b.Elapsed().Seconds(), "writes/s")
}
