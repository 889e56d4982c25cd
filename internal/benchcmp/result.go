package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"

	bench "golang.org/x/tools/benchmark/parse"
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
	pkg := ""
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "pkg: "):
			pkg = strings.TrimPrefix(strings.TrimPrefix(line, "pkg: "), module)
		case strings.HasPrefix(line, "cpu: "):
			r.cpu = strings.TrimPrefix(line, "cpu: ")
		case strings.HasPrefix(line, "Benchmark"):
			r.add(pkg, line)
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

// add takes a line that tells of one benchmark.
func (r *result) add(pkg, line string) {
	b, err := bench.ParseLine(line)
	if err != nil || b.Measured == 0 {
		return
	}
	m := mark{ns: b.NsPerOp, allocs: -1}
	if b.Measured&bench.AllocsPerOp != 0 {
		m.allocs = int64(b.AllocsPerOp)
	}
	name := pkg + "." + procs.ReplaceAllString(strings.TrimPrefix(b.Name, "Benchmark"), "")
	old, ok := r.marks[name]
	if !ok {
		r.names = append(r.names, name)
	} else if old.ns <= m.ns {
		return
	}
	r.marks[name] = m
}

// write prints r in the form that parse and other tools read.
func (r *result) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "cpu: %s\n", r.cpu)
	last := ""
	for _, name := range r.names {
		dot := strings.Index(name, ".")
		if pkg := name[:dot]; pkg != last {
			fmt.Fprintf(&b, "pkg: %s%s\n", module, pkg)
			last = pkg
		}
		m := r.marks[name]
		fmt.Fprintf(&b, "Benchmark%s 1 %.4g ns/op", name[dot+1:], m.ns)
		if m.allocs >= 0 {
			fmt.Fprintf(&b, " %d allocs/op", m.allocs)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
