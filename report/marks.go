package report

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/export"
)

// Mark is what came of the writes of one mark.
type Mark struct {
	Name                            string
	Writes, Shared, Exclusive, None uint64
	Ways, NewWays                   int // of coverage: taken, and by no earlier mark
	Disagree, Open                  uint64
}

// Share is the exclusive share of the writes that got to iomap_dio_rw.
func (m Mark) Share() string {
	all := m.Shared + m.Exclusive
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(m.Exclusive)/float64(all))
}

// shownMarks are the marks, fit for a terminal.
func (p *Report) shownMarks() (out []Mark) {
	for _, m := range p.Marks {
		m.Name = export.SafeMark(m.Name)
		out = append(out, m)
	}
	return out
}
