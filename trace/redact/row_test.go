package redact

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
)

// TestTasks: no name of a thread is left in a row: not of those who held the lock, not of
// those for whom they waited, and not in what the row was made of either.
func TestTasks(t *testing.T) {
	r := New()
	a := observe.Actor{Op: observe.OpWrite, Comm: "secretd"}
	parts := []observe.Part{{Actor: a, With: []observe.Actor{a}, DrainedFor: []observe.Actor{a}, Behind: []observe.Link{{Actor: a}}, Ns: 5}}
	row := export.Row{Comm: "secretd", WaitNs: export.Some[uint64](5), Waits: []observe.Wait{{Ns: 5, Parts: parts}}}
	r.Tasks(&row)
	p := &row.Waits[0].Parts[0]
	if line := string(row.AppendJSON(nil)) + p.With[0].Comm; strings.Contains(line, "secret") || p.Behind[0].Comm != row.Comm || p.DrainedFor[0].Comm != row.Comm {
		t.Error(line)
	}
	if p := &parts[0]; p.Comm+p.With[0].Comm+p.DrainedFor[0].Comm+p.Behind[0].Comm != strings.Repeat("secretd", 4) {
		t.Errorf("the source is changed: %+v", *p)
	}
}
