package model

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestRows runs the truth tables in testdata/rows. A line of a "rows" block is
//
//	name blocks key=value …
//
// and its answer is the outcome of the blocking write, then of the same write
// under NOWAIT:
//
//	name: mode passes drain force-wait lookups | NOWAIT: outcome lookups
//
// The answers were written down from the kernel sources; they are not computed
// here. "reasons" answers with the reason instead, and "steps" with the procedure.
func TestRows(t *testing.T) {
	rows := 0
	datadriven.Walk(t, "testdata/rows", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var name string
			d.ScanArgs(t, "variant", &name)
			v, err := ParseVariant(name)
			if err != nil {
				return err.Error() + "\n"
			}
			var b strings.Builder
			for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
				if line = strings.TrimSpace(line); line == "" {
					continue
				}
				rows++
				s := parseScene(t, line)
				var dec Decision
				switch d.Cmd {
				case "rows":
					Decide(&dec, s.call(), s, v)
					fmt.Fprintf(&b, "%s: %s", s.name, outcomeText(&dec, s))
					s.flags |= IocbNowait
					Decide(&dec, s.call(), s, v)
					fmt.Fprintf(&b, " | NOWAIT: %s\n", outcomeText(&dec, s))
				case "one":
					Decide(&dec, s.call(), s, v)
					fmt.Fprintf(&b, "%s: %s\n", s.name, outcomeText(&dec, s))
				case "reasons":
					Decide(&dec, s.call(), s, v)
					fmt.Fprintf(&b, "%s: %s\n", s.name, dec.Reason)
				case "steps":
					Decide(&dec, s.call(), s, v)
					for _, st := range dec.Steps() {
						fmt.Fprintf(&b, "%s\n", st)
					}
				default:
					t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
				}
			}
			return b.String()
		})
	})
	if rows < 150 {
		t.Errorf("only %d rows were tested", rows)
	}
}
