package tracers

import (
	"fmt"
	"testing"
)

// Ours trace this process only, or have a filter that it does not pass.
func TestTracers(t *testing.T) {
	c := Choice{Attach: []string{"fentry"}, LeaveOut: []string{"pid", "dev", "ino"}}
	all, err := c.Tracers("ext4dio-trace")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"fentry: --pid PID", "fentry --pid: --pid 2", "fentry --dev: --dev 0:1", "fentry --ino: --ino 1"}
	if len(all) != len(want) {
		t.Fatalf("%d tracers", len(all))
	}
	for i, tr := range all {
		n := len(tr.Args)
		got := fmt.Sprintf("%s: %s %s", tr.Name, tr.Args[n-2], tr.Args[n-1])
		if got != want[i] || tr.LeavesOut != (i > 0) || !tr.Ours || tr.Args[4] != "fentry" {
			t.Errorf("%+v, want %s", tr, want[i])
		}
	}
}
