package matrix

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// predicted is what whatif says of a recording.
type predicted struct {
	Traced    string
	Refused   string
	Decisions struct{ Writes, Retried int }
	Measured  rate
	Now       rate `json:"simulated_now"`
	Then      rate `json:"simulated_then"`
}

type rate struct {
	PerSecond struct{ Mid float64 } `json:"writes_per_second"`
}

// TestTries: what whatif predicts of 6.12 from 6.1, which refuses every first try of the
// writes of testdata/tries.sh, is what 6.12 does, to 15 %. The same recordings, once made,
// are those of TestTries in analyze/whatif, which needs no kernel.
func TestTries(t *testing.T) {
	need(t)
	if os.Getenv("EXT4DIO_FULL") == "" {
		t.Skip("boots two kernels more; run: make test-full")
	}
	dir := t.TempDir()
	for name, kernel := range map[string]string{"old": "debian-6.1", "new": "debian-6.12"} {
		_, stderr, status := guest(t, kernelSpec(t, kernel), "--smp", "1", "--count-instructions", "--null-blk", "512M", "--latency", "5ms",
			"--share", "testdata", "--out", dir, "--bin", "fio", "--", "exec", "--", "sh", "/share/tries.sh", name)
		if status != 0 {
			t.Fatalf("%s: vm ended with %d:\n%s", kernel, status, stderr)
		}
	}
	ask := func(name string, depth int) (p predicted) {
		out, err := exec.Command(program(t), "whatif", "--variant", "linux-6.12", "--json", filepath.Join(dir, fmt.Sprintf("%s-depth-%d.e4d", name, depth))).Output()
		if err == nil {
			err = json.Unmarshal(out, &p)
		}
		if err != nil {
			t.Fatalf("whatif: %v\n%s", err, out)
		}
		return p
	}
	for _, depth := range []int{1, 8} {
		was, is := ask("old", depth), ask("new", depth)
		t.Logf("depth %d: %.0f a second on 6.1, %.0f on 6.12, predicted %.0f", depth, was.Measured.PerSecond.Mid, is.Measured.PerSecond.Mid, was.Then.PerSecond.Mid)
		if was.Refused != "" || was.Decisions.Writes != 200 || was.Decisions.Retried != 200 || is.Decisions.Writes != 200 {
			t.Errorf("depth %d: %+v", depth, was)
		}
		truth := is.Measured.PerSecond.Mid
		if off := was.Then.PerSecond.Mid/truth - 1; math.Abs(off) > 0.15 {
			t.Errorf("depth %d: %.0f are predicted, and %.0f true", depth, was.Then.PerSecond.Mid, truth)
		}
		if off := was.Then.PerSecond.Mid / was.Now.PerSecond.Mid / (truth / was.Measured.PerSecond.Mid); math.Abs(off-1) > 0.15 {
			t.Errorf("depth %d: times off by %.2f", depth, off)
		}
	}
}
