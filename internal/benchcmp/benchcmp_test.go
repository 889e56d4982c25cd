package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const stored = `goos: linux
cpu: One
pkg: github.com/ext4dio/ext4dio-trace/internal/benchcmp
BenchmarkReference 	 100	 1000 ns/op	 0 B/op	 0 allocs/op
pkg: github.com/ext4dio/ext4dio-trace/decode
BenchmarkJudge/aligned-2 	 100	 300 ns/op	 0 B/op	 0 allocs/op
BenchmarkJudge/gone 	 100	 300 ns/op
PASS
`

func compareText(t *testing.T, now string, args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "baseline.txt")
	if err := run([]string{"-baseline", file, "-update"}, strings.NewReader(stored), nil); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := run(append(args, "-baseline", file), strings.NewReader(now), &out)
	return out.String(), err
}

// A machine of half the speed gives the same ratios; the fastest of the counts is taken.
func TestRatios(t *testing.T) {
	out, err := compareText(t, `cpu: Two
pkg: github.com/ext4dio/ext4dio-trace/internal/benchcmp
BenchmarkReference-8 100 2400 ns/op
BenchmarkReference-8 100 2000 ns/op
pkg: github.com/ext4dio/ext4dio-trace/decode
BenchmarkJudge/aligned-8 100 660 ns/op 0 B/op 0 allocs/op
BenchmarkJudge/aligned-8 100 900 ns/op 0 B/op 0 allocs/op
BenchmarkJudge/fresh-8 100 2500 ns/op 16 B/op 1 allocs/op
`, "-max", "1.2")
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"decode.Judge/aligned    300 ns   660 ns      1.52M   1.10       0",
		"decode.Judge/fresh         -  2500 ns       400k    new       1",
		"decode.Judge/gone    300 ns        -          -   gone       -",
		"took 1000 ns when the baseline was stored (One) and 2000 ns now (Two)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// What is slower than allowed fails, and what allocates fails whatever is allowed.
func TestWorse(t *testing.T) {
	const head = "pkg: github.com/ext4dio/ext4dio-trace/internal/benchcmp\nBenchmarkReference 1 1000 ns/op\n" +
		"pkg: github.com/ext4dio/ext4dio-trace/decode\n"
	for _, c := range []struct {
		line string
		args []string
		want error
	}{
		{"BenchmarkJudge/aligned 1 900 ns/op 0 B/op 0 allocs/op", nil, nil},
		{"BenchmarkJudge/aligned 1 900 ns/op 0 B/op 0 allocs/op", []string{"-max", "2"}, errWorse},
		{"BenchmarkJudge/aligned 1 300 ns/op 8 B/op 1 allocs/op", nil, errWorse},
	} {
		if _, err := compareText(t, head+c.line+"\n", c.args...); !errors.Is(err, c.want) {
			t.Errorf("%s %v: %v, want %v", c.line, c.args, err, c.want)
		}
	}
	if _, err := compareText(t, "BenchmarkJudge/aligned 1 900 ns/op\n"); err == nil || !strings.Contains(err.Error(), reference) {
		t.Errorf("without the reference: %v", err)
	}
}

// The stored baseline can be read.
func TestBaseline(t *testing.T) {
	f, err := os.Open("testdata/baseline.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := parse(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.names) < 10 {
		t.Errorf("only %d benchmarks", len(r.names))
	}
}

// BenchmarkReference is the fixed loop that the others are measured against: whole
// numbers, branches that cannot be foreseen, and a table that the first cache does not
// hold, as in judging.
func BenchmarkReference(b *testing.B) {
	var table [1 << 14]uint64
	x := uint64(1)
	b.ReportAllocs()
	for b.Loop() {
		for range 100 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			at := &table[x%uint64(len(table))]
			if *at&1 == 0 {
				*at += x
			} else {
				*at ^= x
			}
		}
	}
}
