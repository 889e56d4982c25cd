package bench

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// csv writes a line for each step of each kernel. A field is empty where nothing
// was measured.
func (c Comparison) csv(b *strings.Builder) error {
	w := csv.NewWriter(b)
	_ = w.Write(strings.Fields("test jobs name kernel writes wall_ns iops speedup wrong_bytes traced_iops exclusive_share wait_ns_per_write lost unproven"))
	for _, t := range c.tests() {
		for _, n := range c.jobs(t.Name) {
			for _, x := range c {
				if s := x.reports[t.Name].step(n); s != nil {
					_ = w.Write(c.record(t.Name, x, s))
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
