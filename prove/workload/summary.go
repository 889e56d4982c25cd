package workload

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Summary counts what a workload did.
type Summary struct {
	Name    string
	Seed    uint64
	Elapsed time.Duration
	Issued  int   // writes submitted, whatever became of them
	Bytes   int64 // written
	Kinds   map[Kind]int
	Engines map[EngineName]int
	Errors  map[unix.Errno]int
	// Expected counts the writes with RWF_NOWAIT that ended in EAGAIN or were
	// short. They are in Errors or Short as well.
	Expected int
	Short    int // writes that ended before all their bytes were written
	// Skipped says which submission paths this kernel does not offer.
	Skipped map[EngineName]error
}

func newSummary(p *Plan) *Summary {
	return &Summary{
		Name: p.Name, Seed: p.Seed,
		Kinds: map[Kind]int{}, Engines: map[EngineName]int{},
		Errors: map[unix.Errno]int{}, Skipped: map[EngineName]error{},
	}
}

func (s *Summary) count(o Op, r Result) {
	s.Issued++
	s.Kinds[o.Kind]++
	s.Engines[o.Engine]++
	s.Bytes += int64(r.N)
	nowait := o.Flags&unix.RWF_NOWAIT != 0
	var e unix.Errno
	switch {
	case errors.As(r.Err, &e):
		s.Errors[e]++
		if e == unix.EAGAIN && nowait {
			s.Expected++
		}
	case r.N != o.Len():
		s.Short++
		if nowait {
			s.Expected++
		}
	}
}

func (s *Summary) add(o *Summary) {
	s.Issued += o.Issued
	s.Bytes += o.Bytes
	s.Expected += o.Expected
	s.Short += o.Short
	for k, n := range o.Kinds {
		s.Kinds[k] += n
	}
	for k, n := range o.Engines {
		s.Engines[k] += n
	}
	for k, n := range o.Errors {
		s.Errors[k] += n
	}
}

// Failed is the number of writes that failed or were short without RWF_NOWAIT
// being the reason.
func (s *Summary) Failed() int {
	n := s.Short - s.Expected
	for _, c := range s.Errors {
		n += c
	}
	return n
}

// String is one line.
func (s *Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "workload %s: %d writes, %d KiB in %s (seed %d)", s.Name, s.Issued, s.Bytes>>10,
		s.Elapsed.Round(time.Millisecond), s.Seed)
	fmt.Fprintf(&b, "; %s; %s", counts(s.Kinds), counts(s.Engines))
	var errs []string
	for _, e := range slices.Sorted(maps.Keys(s.Errors)) {
		name := unix.ErrnoName(e)
		if name == "" {
			name = fmt.Sprintf("errno %d", int(e))
		}
		if e == unix.EAGAIN && s.Expected >= s.Errors[e] {
			name += " (expected)"
		}
		errs = append(errs, fmt.Sprintf("%d %s", s.Errors[e], name))
	}
	if len(errs) == 0 {
		errs = []string{"none"}
	}
	fmt.Fprintf(&b, "; errors: %s", strings.Join(errs, ", "))
	if s.Short > 0 {
		fmt.Fprintf(&b, "; %d short", s.Short)
	}
	for _, e := range slices.Sorted(maps.Keys(s.Skipped)) {
		fmt.Fprintf(&b, "; no %s: %v", e, s.Skipped[e])
	}
	return b.String()
}

// counts lists a map with the largest count first.
func counts[K ~string](m map[K]int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		return cmp.Or(m[b]-m[a], strings.Compare(string(a), string(b)))
	})
	var out []string
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%d %s", m[k], string(k)))
	}
	return strings.Join(out, ", ")
}
