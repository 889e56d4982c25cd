package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// row compares one benchmark; a mark of 0 ns was not in that run.
type row struct {
	name        string
	before, now mark
	// ratio is how much longer it takes now, both times in units of the reference.
	ratio float64
}

// compare puts two runs side by side: what runs now, then what no longer does.
func compare(before, now *result) []row {
	var rows []row
	unit := now.marks[reference].ns / before.marks[reference].ns
	for _, name := range now.names {
		if name == reference {
			continue
		}
		r := row{name: name, before: before.marks[name], now: now.marks[name]}
		if r.before.ns > 0 {
			r.ratio = r.now.ns / r.before.ns / unit
		}
		rows = append(rows, r)
	}
	for _, name := range before.names {
		if _, ok := now.marks[name]; !ok {
			rows = append(rows, row{name: name, before: before.marks[name]})
		}
	}
	return rows
}

// worse reports whether the benchmark allocates more than before, or is slower than
// most allows.
func (r *row) worse(most float64) bool {
	return r.ratio > 0 && (r.now.allocs > r.before.allocs && r.before.allocs >= 0 || most > 0 && r.ratio > most)
}

// write prints the comparison as a table.
func write(out io.Writer, rows []row, before, now *result) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "benchmark\tbaseline\tnow\tops/s now\tratio\tallocs\t\n")
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", r.name, nanos(r.before.ns), nanos(r.now.ns), rate(r.now.ns), r.verdict(), r.allocs())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	was, is := before.marks[reference].ns, now.marks[reference].ns
	_, err := fmt.Fprintf(out, "The reference took %s when the baseline was stored (%s) and %s now (%s); "+
		"a ratio is of times in units of the reference: above 1 is slower.\n", nanos(was), before.cpu, nanos(is), now.cpu)
	return err
}

func (r *row) verdict() string {
	switch {
	case r.now.ns == 0:
		return "gone"
	case r.before.ns == 0:
		return "new"
	}
	return fmt.Sprintf("%.2f", r.ratio)
}

func (r *row) allocs() string {
	switch {
	case r.now.ns == 0 || r.now.allocs < 0:
		return "-"
	case r.before.ns > 0 && r.before.allocs != r.now.allocs:
		return fmt.Sprintf("%d, was %d", r.now.allocs, r.before.allocs)
	}
	return fmt.Sprint(r.now.allocs)
}

func nanos(ns float64) string {
	if ns == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g ns", ns)
}

// rate is how often a second something can be done that takes ns.
func rate(ns float64) string {
	switch {
	case ns == 0:
		return "-"
	case ns < 1e3:
		return fmt.Sprintf("%.2fM", 1e3/ns)
	}
	return fmt.Sprintf("%.0fk", 1e6/ns)
}
