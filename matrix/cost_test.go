package matrix

import (
	"encoding/json"
	"testing"
)

// costReport is what the test reads of "bench cost --json".
type costReport struct {
	Tracers []struct {
		Name  string
		Start []float64 `json:"start_ns"`
		Lost  int
		Loads []costLoad
	}
}

// costLoad is what the test reads of one load.
type costLoad struct {
	Name             string
	Issued, Captured int
	CPU              struct {
		Off   []float64 `json:"off_ns"`
		Added []float64 `json:"added_ns"`
	}
}

// TestCost: the measurement of what tracing costs, in short. Every write is captured,
// none that a filter leaves out. Times it leaves to the longer form, but for one: what a
// filter leaves out costs less than what is captured.
func TestCost(t *testing.T) {
	need(t)
	t.Parallel()
	stdout, stderr, status := guest(t, "debian:trixie-backports", "--smp", "1", "--null-blk", "512M", "--no-kvm", "--count-instructions",
		"--", "bench", "cost", "--dir", "/mnt", "--rounds", "1", "--for", "20ms", "--attach", "fentry", "--leave-out", "pid", "--json")
	if status != 0 {
		t.Fatalf("bench cost ended with %d:\n%s", status, stderr)
	}
	var rep costReport
	if err := json.Unmarshal([]byte(stdout), &rep); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	// Each start of a tracer takes its time; TestLoss has the other way to attach.
	if len(rep.Tracers) != 2 {
		t.Fatalf("%d tracers, want fentry with a filter and without", len(rep.Tracers))
	}
	for i, tr := range rep.Tracers {
		filtered := i == 1
		if len(tr.Loads) != 4 || tr.Lost != 0 || len(tr.Start) != 1 || tr.Start[0] <= 0 {
			t.Errorf("%s: %d loads, %d lost, started after %v", tr.Name, len(tr.Loads), tr.Lost, tr.Start)
		}
		for k, l := range tr.Loads {
			want := l.Issued
			if filtered {
				want = 0
			}
			if l.Issued == 0 || l.Captured != want {
				t.Errorf("%s, %s: %d of %d writes captured, want %d", tr.Name, l.Name, l.Captured, l.Issued, want)
			}
			if len(l.CPU.Off) != 1 || l.CPU.Off[0] <= 0 {
				t.Errorf("%s, %s: untraced calls take %v ns", tr.Name, l.Name, l.CPU.Off)
				continue
			}
			t.Logf("%-13s %-9s %6.0f ns a call, %+5.0f traced", tr.Name, l.Name, l.CPU.Off[0], l.CPU.Added[0])
			if filtered && l.CPU.Added[0] >= rep.Tracers[0].Loads[k].CPU.Added[0] {
				t.Errorf("%s, %s: leaving a write out costs %.0f ns, capturing it %.0f", tr.Name, l.Name,
					l.CPU.Added[0], rep.Tracers[0].Loads[k].CPU.Added[0])
			}
		}
	}
}
