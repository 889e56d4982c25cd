package decode_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
)

// TestRules runs testdata/rules: what each rule takes for a breach, and what not.
//
//	broken [unprobed=STAGE] [entry-alignment]    a record in words, and its rules
//	document                                     the table of rules
func TestRules(t *testing.T) {
	datadriven.Walk(t, "testdata/rules", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "document" {
				var b strings.Builder
				if err := rules.Write(&b); err != nil {
					t.Fatal(err)
				}
				return b.String()
			}
			c := rules.Conditions{EntryAlignment: d.HasArg("entry-alignment")}
			if d.HasArg("unprobed") {
				var name string
				d.ScanArgs(t, "unprobed", &name)
				c.Unprobed = stageByName[name]
			}
			var out string
			ob := observe.NewObserver(func(o *observe.Observation) {
				if out = strings.Join(rules.Broken(o, c).IDs(), " "); out == "" {
					out = "none"
				}
			})
			feed(t, ob, parseScript(t, d.Input).raw()...)
			ob.Flush()
			return out + "\n"
		})
	})
}
