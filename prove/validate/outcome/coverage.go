package outcome

import (
	"fmt"
	"io"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
)

// maxMissing is how many ways that were not taken the text names.
const maxMissing = 5

// writeCoverage writes how many of the kernel's ways the writes took, and which they did not.
func (o *Outcome) writeCoverage(b *strings.Builder) {
	for i := range o.Coverage {
		r := &o.Coverage[i]
		fmt.Fprintf(b, "coverage: %d of %d ways that a direct write can go (%s), by %d writes that agree\n", r.Taken, r.Reachable, r.Percent(), r.Writes)
		shown, left := 0, 0
		for k := range r.Points {
			switch p := &r.Points[k]; {
			case p.State != coverage.Missing:
			case shown == maxMissing:
				left++
			default:
				shown++
				fmt.Fprintf(b, "  not taken: %s: %s: %s\n", p.Function, p.Condition, p.Way)
			}
		}
		if left > 0 {
			fmt.Fprintf(b, "  and %d more: -o DIR keeps coverage.json, which coverage --html shows\n", left)
		}
		for _, p := range r.Parted() {
			fmt.Fprintf(b, "  %d writes part from the model at %s: %s\n", p.Parted, p.Function, p.Condition)
		}
		b.WriteByte('\n')
	}
}

// writeCoverageJSON writes what coverage and coverage --html read.
func (o *Outcome) writeCoverageJSON(w io.Writer) error {
	return coverage.WriteJSON(w, o.Coverage, nil, nil, nil, nil)
}
