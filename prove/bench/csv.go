package bench

import (
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// csv writes a line for each step of each kernel. A field is empty where nothing
// was measured.
func (c Comparison) csv(b *strings.Builder) error {
	w := csv.NewWriter(b)
	_ = w.Write(strings.Fields("test jobs name kernel writes wall_ns iops speedup wrong_bytes traced_iops exclusive_share wait_ns_per_write lost unproven runs iops_low iops_high speedup_low speedup_high differs"))
	for _, t := range c.tests() {
		for _, n := range c.jobs(t.Name) {
			for i := range c {
				if s := c[i].reports[t.Name].step(n); s != nil {
					_ = w.Write(append(c.record(t.Name, c[i], s), c.uncertain(t.Name, &c[i], n)...))
				}
			}
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// record is the line of one step; its speedup is over the first column.
func (c Comparison) record(test string, x Column, s *Step) []string {
	decimal := func(f float64, ok bool) string {
		if !ok {
			return ""
		}
		return strconv.FormatFloat(f, 'f', 4, 64)
	}
	_, wrong, _ := read([]Step{*s})
	out := []string{
		test, fmt.Sprint(s.Jobs), safe(x.Name), safe(x.reports[test].Kernel), fmt.Sprint(s.Writes), fmt.Sprint(s.WallNs),
		strconv.FormatFloat(s.IOPS, 'f', 1, 64), decimal(ratio(c[0].reports[test].step(s.Jobs), s)), fmt.Sprint(wrong),
	}
	if s.Traced == nil {
		return append(out, "", "", "", "", "")
	}
	wait := ""
	if d, ok := s.Traced.Wait(); ok {
		wait = fmt.Sprint(d.Nanoseconds())
	}
	return append(out, strconv.FormatFloat(s.Traced.IOPS, 'f', 1, 64), decimal(s.Traced.ExclusiveShare()), wait,
		fmt.Sprint(s.Traced.Lost), fmt.Sprint(s.Traced.Unproven))
}

// uncertain are the fields about several runs of a step: how many, the interval of the IOPS
// and of the speedup over the first column, and whether a difference from that is shown.
func (c Comparison) uncertain(test string, x *Column, jobs int) []string {
	out := []string{fmt.Sprint(len(steps(x.runs[test], jobs))), "", "", "", "", ""}
	if s := x.spread(test, jobs); s.Known() {
		low, high := s.Interval(level)
		out[1], out[2] = strconv.FormatFloat(math.Exp(low), 'f', 1, 64), strconv.FormatFloat(math.Exp(high), 'f', 1, 64)
	}
	if v := c.verdicts(x)[test][jobs]; v != nil && x.Name != c[0].Name {
		out[3], out[4] = strconv.FormatFloat(v.low, 'f', 4, 64), strconv.FormatFloat(v.high, 'f', 4, 64)
		out[5] = strconv.FormatBool(v.differs())
	}
	return out
}
