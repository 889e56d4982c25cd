package cost

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/table"
)

// Text writes a table for each load, one of the starts, and those of the programs where
// they were counted. No line is wider than 80 columns with names of up to 14.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	if len(r.Tracers) > 0 {
		for i := range r.Tracers[0].Loads {
			r.load(&b, i)
		}
		r.starts(&b)
		for i := range r.Tracers {
			for k := range r.Tracers[i].Loads {
				programs(&b, &r.Tracers[i], &r.Tracers[i].Loads[k])
			}
		}
	}
	r.legend(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// others tells whether there is anything to compare ours with.
func (r *Report) others() bool {
	return slices.ContainsFunc(r.Tracers, func(t TracerReport) bool { return !t.Ours })
}

// load writes the table of load i: for each tracer a line for the CPU time of the calling
// task and one for all the time.
func (r *Report) load(b *strings.Builder, i int) {
	l := &r.Tracers[0].Loads[i]
	fmt.Fprintf(b, "%s\nuntraced: %s µs of CPU time, %s µs in all\n\n", l.Title,
		figures(SpreadOf(l.CPU.Off).Median/1000), figures(SpreadOf(l.Wall.Off).Median/1000))
	head := []string{"<tracer", "<time", "added µs", "quartiles", "%"}
	if r.others() {
		head = append(head, "ratio", "quartiles")
	}
	if l.Direct {
		head = append(head, "captured")
	}
	var rows [][]string
	for k := range r.Tracers {
		t := &r.Tracers[k]
		cpu := append([]string{t.Name, "CPU"}, r.cells(i, t, func(l *LoadReport) *Times { return &l.CPU })...)
		if l.Direct {
			cpu = append(cpu, t.Loads[i].share())
		}
		rows = append(rows, cpu, append([]string{"", "all"}, r.cells(i, t, func(l *LoadReport) *Times { return &l.Wall })...))
	}
	(&table.Table{Head: head, Rows: rows}).Text(b)
	b.WriteString("\n")
}

// cells are the columns of one kind of time.
func (r *Report) cells(i int, t *TracerReport, of func(*LoadReport) *Times) []string {
	times := of(&t.Loads[i])
	off, added := SpreadOf(times.Off), SpreadOf(times.Added)
	part := "-"
	if off.Median > 0 {
		part = fmt.Sprintf("%.1f", 100*added.Median/off.Median)
	}
	cells := []string{figures(added.Median / 1000), span(added, 1000), part}
	if !r.others() {
		return cells
	}
	ratios := r.ratios(i, t, of)
	if !t.Ours || len(ratios) == 0 {
		return append(cells, "-", "-")
	}
	s := SpreadOf(ratios)
	return append(cells, figures(s.Median), span(s, 1))
}

// starts writes when each tracer was ready, and what it says to have lost.
func (r *Report) starts(b *strings.Builder) {
	out := table.Table{Head: []string{"<tracer", "ready after s", "quartiles", "lost"}}
	for _, t := range r.Tracers {
		s := SpreadOf(t.Start)
		out.Rows = append(out.Rows, []string{t.Name, figures(s.Median / 1e9), span(s, 1e9), fmt.Sprint(t.Lost)})
	}
	out.Text(b)
}

// programs writes which program ran how often for a call, and for how long.
func programs(b *strings.Builder, t *TracerReport, l *LoadReport) {
	if l.Counted == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s: programs attached by %s\n\n", l.Title, t.Name)
	out := table.Table{Head: []string{"<program", "<at", "runs", "ns", "in all", "insns", "bytes"}}
	n := float64(l.Counted)
	var runs, ns float64
	for _, p := range l.Programs {
		if float64(p.Runs)/n < 0.005 {
			continue
		}
		runs, ns = runs+float64(p.Runs)/n, ns+float64(p.Ns)/n
		out.Rows = append(out.Rows, []string{p.Name, p.Func, fmt.Sprintf("%.2f", float64(p.Runs)/n), fmt.Sprintf("%.0f", float64(p.Ns)/float64(p.Runs)),
			fmt.Sprintf("%.0f", float64(p.Ns)/n), fmt.Sprint(p.Insns), fmt.Sprint(p.Machine)})
	}
	out.Rows = append(out.Rows, []string{"all", "", fmt.Sprintf("%.2f", runs), "", fmt.Sprintf("%.0f", ns), "", ""})
	out.Text(b)
}

// legend says what the columns hold.
func (r *Report) legend(b *strings.Builder) {
	b.WriteString("\nCPU: CPU time of the writing task; all: with its waits for a CPU that the tracer\n" +
		"uses. added: to a call, median of the rounds; %: of the untraced time.\n")
	if r.others() {
		b.WriteString("ratio: of added to that of the better bpftrace script, in the same round.\n")
	}
	b.WriteString("ready: its first write was seen, or attached where its filter leaves all out.\n")
	if slices.ContainsFunc(r.Tracers, func(t TracerReport) bool {
		return slices.ContainsFunc(t.Loads, func(l LoadReport) bool { return l.Counted > 0 })
	}) {
		b.WriteString("runs, in all: for a call; ns: of a run, as the kernel counts; insns: length of\n" +
			"the program in BPF instructions; bytes: of its machine code.\n")
	}
	if r.Kernel != "" {
		rounds := "rounds"
		if r.Rounds == 1 {
			rounds = "round"
		}
		release, _, _ := strings.Cut(r.Kernel, " ")
		fmt.Fprintf(b, "%d %s on %s\n", r.Rounds, rounds, release)
	}
}

// share is how much was captured, in words that never round up to all.
func (l *LoadReport) share() string {
	switch {
	case l.Captured == l.Issued:
		return "all"
	case l.Captured == 0:
		return "none"
	}
	return fmt.Sprintf("%.1f%%", min(99.9, 100*float64(l.Captured)/float64(l.Issued)))
}

// figures writes a number with three figures, and no more than two decimals.
func figures(x float64) string {
	switch {
	case x > -9.995 && x < 9.995:
		return strings.Replace(fmt.Sprintf("%.2f", x), "-0.00", "0.00", 1)
	case x > -99.95 && x < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// span writes quartiles in a unit.
func span(s Spread, unit float64) string { return figures(s.Low/unit) + ".." + figures(s.High/unit) }
