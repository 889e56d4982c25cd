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

// TestCost: the measurement of what tracing costs, in short: every write is captured.
// Times it leaves to the longer form. Each start of a tracer takes its time, so there is
// one only; TestLoss has the other way to attach.
func TestCost(t *testing.T) {
	need(t)
	t.Parallel()
	stdout, stderr, status := guest(t, kernelSpec(t, "debian-7.3"), "--smp", "1", "--null-blk", "512M", "--no-kvm", "--count-instructions",
		"--", "bench", "cost", "--dir", "/mnt", "--rounds", "1", "--for", "20ms", "--attach", "fentry", "--json")
	if status != 0 {
		t.Fatalf("bench cost ended with %d:\n%s", status, stderr)
	}
	var rep costReport
	if err := json.Unmarshal([]byte(stdout), &rep); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if len(rep.Tracers) != 1 || len(rep.Tracers[0].Loads) != 4 {
		t.Fatalf("want one tracer and four loads: %s", stdout)
	}
	tr := rep.Tracers[0]
	if tr.Lost != 0 || len(tr.Start) != 1 || tr.Start[0] <= 0 {
		t.Errorf("%d lost, started after %v", tr.Lost, tr.Start)
	}
	for _, l := range tr.Loads {
		if l.Issued == 0 || l.Captured != l.Issued {
			t.Errorf("%s: %d of %d writes captured", l.Name, l.Captured, l.Issued)
		}
		if len(l.CPU.Off) != 1 || l.CPU.Off[0] <= 0 || len(l.CPU.Added) != 1 {
			t.Fatalf("%s: %+v", l.Name, l.CPU)
		}
		t.Logf("%-9s %6.0f ns a call, %+5.0f traced", l.Name, l.CPU.Off[0], l.CPU.Added[0])
	}
}
