package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// reference is the benchmark that every time is divided by.
const reference = "internal/benchcmp.Reference"

const module = "github.com/ext4dio/ext4dio-trace/"

// result is one run, in the order in which it was printed.
type result struct {
	cpu   string
	names []string
	marks map[string]mark
}

// mark is the fastest count of one benchmark.
type mark struct {
	ns     float64 // per operation
	allocs int64   // per operation; -1 when not measured
}

// procs is what go test adds to a name when GOMAXPROCS is not 1.
var procs = regexp.MustCompile(`-\d+$`)

// parse reads what go test prints. Lines that are no results are skipped. A run
// without the reference is an error.
func parse(in io.Reader) (*result, error) {
	r := &result{marks: map[string]mark{}}
	lines := benchfmt.NewReader(in, "benchmarks")
	for lines.Scan() {
		if b, ok := lines.Result().(*benchfmt.Result); ok {
			r.add(b)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read benchmarks: %w", err)
	}
	if r.marks[reference].ns <= 0 {
		return nil, fmt.Errorf("no benchmark %s in the run", reference)
	}
	return r, nil
}

// add takes one count of one benchmark.
func (r *result) add(b *benchfmt.Result) {
	seconds, ok := b.Value("sec/op")
	if !ok {
		return
	}
	m := mark{ns: seconds * 1e9, allocs: -1}
	if n, ok := b.Value("allocs/op"); ok {
		m.allocs = int64(n)
	}
	r.cpu = b.GetConfig("cpu")
	name := strings.TrimPrefix(b.GetConfig("pkg"), module) + "." + procs.ReplaceAllString(b.Name.String(), "")
	old, ok := r.marks[name]
	if !ok {
		r.names = append(r.names, name)
	} else if old.ns <= m.ns {
		return
	}
	r.marks[name] = m
}
