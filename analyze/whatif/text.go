package whatif

import (
	"fmt"
	"io"
	"strings"
)

// maxCells is how many rows of the table are written as text.
const maxCells = 16

// WriteText writes the report: the decisions, the calibration, then the prediction. safe
// makes a name of the system fit for a terminal.
func (r *Report) WriteText(w io.Writer, safe func(string) string) error {
	var b strings.Builder
	if r.Sentence != "" {
		fmt.Fprintf(&b, "%s\n\n", r.Sentence)
	}
	for _, m := range r.Marks {
		fmt.Fprintf(&b, "MARKED:  %s\n", safe(m))
	}
	if len(r.Phases) > 1 {
		r.writePhases(&b)
	}
	if len(r.Remedies) > 0 {
		r.writeRemedies(&b)
	}
	r.writeDecisions(&b, safe)
	if r.Measured.PerSecond.Mid > 0 {
		r.writeCalibration(&b)
	}
	if r.Refused != "" {
		fmt.Fprintf(&b, "\nREFUSED: no time is predicted: %s\n", safe(r.Refused))
	} else {
		r.writePrediction(&b, safe)
	}
	if len(r.Assumptions) > 0 {
		fmt.Fprintf(&b, "\nassumed:\n")
		for _, a := range r.Assumptions {
			fmt.Fprintf(&b, "  - %s\n", a)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// then names what is changed.
func (r *Report) then() string {
	if app := r.App.String(); app != "" {
		return app + " under " + r.Variant.String()
	}
	return r.Variant.String()
}

// writeRemedies lists what each change is worth, and what it takes.
func (r *Report) writeRemedies(b *strings.Builder) {
	fmt.Fprintf(b, "%-34s  %9s  %10s  %6s  %9s  %9s  %s\n", "CHANGE", "OTHERWISE", "WRITES/S", "TIMES", "EXCLUSIVE", "WAIT MEAN", "TAKES, AND IS NOT COUNTED")
	fmt.Fprintf(b, "%-34s  %9s  %10.0f  %6s  %7.1f %%  %9s\n", "(as it is)", "", r.Now.PerSecond.Mid, "", 100*r.Now.ExclusiveShare, duration(r.Now.MeanWaitNs))
	for i := range r.Remedies {
		m := &r.Remedies[i]
		if m.Refused != "" {
			fmt.Fprintf(b, "%-34s  %9d  not predicted: %s\n", m.Name(), m.Changed, m.Refused)
			continue
		}
		fmt.Fprintf(b, "%-34s  %9d  %10.0f  %6.2f  %7.1f %%  %9s  %s\n", m.Name(), m.Changed, m.PerSecond.Mid, m.Times, 100*m.Exclusive, duration(m.WaitNs), m.Costs)
	}
	b.WriteByte('\n')
}

// writePhases lists the phases; the answer is about those that are marked.
func (r *Report) writePhases(b *strings.Builder) {
	fmt.Fprintf(b, "  %5s  %9s  %9s  %9s  %7s  %10s  %9s\n", "PHASE", "FROM", "LENGTH", "WRITES", "WRITERS", "WRITES/S", "IN FLIGHT")
	for i := range r.Phases {
		f, mark := &r.Phases[i], ' '
		if f.Answered {
			mark = '>'
		}
		fmt.Fprintf(b, "%c %5d  %9s  %9s  %9d  %7d  %10.0f  %9.1f\n", mark, i+1, duration(float64(f.From)), duration(float64(f.To-f.From)), f.Writes, f.Writers, f.PerSecond, f.Together)
	}
	b.WriteByte('\n')
}

func (r *Report) writeDecisions(b *strings.Builder, safe func(string) string) {
	d := &r.Decisions
	fmt.Fprintf(b, "decisions: %s now, %s then: %d of %d writes would go down otherwise\n\n", safe(r.Traced), r.then(), d.Changed, d.Writes)
	fmt.Fprintf(b, "%9s  %12s  %9s  %-13s  %-13s  %-26s  %s\n", "WRITES", "BYTES", "WAITED", "NOW", "THEN", "REASON NOW", "REASON THEN")
	for i := range d.Cells {
		if i == maxCells {
			fmt.Fprintf(b, "%9s  and %d more kinds\n", "", len(d.Cells)-i)
			break
		}
		c := &d.Cells[i]
		fmt.Fprintf(b, "%9d  %12d  %9s  %-13s  %-13s  %-26s  %s\n", c.Writes, c.Bytes, duration(float64(c.WaitNs)), c.Now, c.Then, safe(c.Reason), safe(c.Why))
	}
	var parts []string
	for i := range originTexts {
		if n := d.Facts[originTexts[i]]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, originTexts[i]))
		}
	}
	fmt.Fprintf(b, "facts:     %s; %d undecided\n", strings.Join(parts, ", "), d.undecided())
}

func (r *Report) writeCalibration(b *strings.Builder) {
	fmt.Fprintf(b, "\ncalibration: the traced kernel, simulated, is %.1f %% off in throughput and its mean wait by %.1f %% of the latency\n\n", 100*r.Off, 100*r.WaitsOff)
	head(b)
	line(b, "measured", &r.Measured)
	line(b, "simulated now", &r.Now)
	if r.Refused == "" {
		line(b, "simulated then", &r.Then)
	}
}

func head(b *strings.Builder) {
	fmt.Fprintf(b, "%-15s  %10s  %21s  %9s  %9s  %9s  %9s  %9s\n", "", "WRITES/S", "RANGE", "EXCLUSIVE", "WAIT MEAN", "P50", "P99", "IN FLIGHT")
}

func line(b *strings.Builder, name string, s *Summary) {
	seeds := ""
	if s.PerSecond.High > s.PerSecond.Low {
		seeds = fmt.Sprintf("%.0f to %.0f", s.PerSecond.Low, s.PerSecond.High)
	}
	fmt.Fprintf(b, "%-15s  %10.0f  %21s  %7.1f %%  %9s  %9s  %9s  %9d\n", name, s.PerSecond.Mid, seeds, 100*s.ExclusiveShare,
		duration(s.MeanWaitNs), duration(float64(s.WaitP50Ns)), duration(float64(s.WaitP99Ns)), s.Depth)
}

func (r *Report) writePrediction(b *strings.Builder, safe func(string) string) {
	write := func(title string, all []Gain, name func(*Gain) string) {
		fmt.Fprintf(b, "\n%10s  %10s  %8s  %19s  %s\n", "NOW/S", "THEN/S", "TIMES", "WAIT P99", title)
		for i := range all {
			g := &all[i]
			waits := ""
			if g.Path != "" || g.Ino != 0 {
				waits = duration(float64(g.NowP99)) + " to " + duration(float64(g.ThenP99))
			}
			fmt.Fprintf(b, "%10.0f  %10.0f  %8.2f  %19s  %s\n", g.Now, g.Then, g.Then/max(g.Now, 1e-9), waits, safe(name(g)))
		}
	}
	write("FILE", r.Files, func(g *Gain) string {
		if g.Path != "" {
			return g.Path
		}
		return fmt.Sprintf("inode %d", g.Ino)
	})
	write("PROCESS", r.Writers, func(g *Gain) string { return fmt.Sprintf("%s (pid %d)", g.Comm, g.Pid) })
	if len(r.Sweep) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%5s  %10s  %10s  %6s\n", "JOBS", "NOW/S", "THEN/S", "TIMES")
	for _, s := range r.Sweep {
		fmt.Fprintf(b, "%5d  %10.0f  %10.0f  %6.2f\n", s.Jobs, s.Now.Mid, s.Then.Mid, s.Then.Mid/max(s.Now.Mid, 1e-9))
	}
}
