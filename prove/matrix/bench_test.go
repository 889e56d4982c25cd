package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// benchWrites is what each of benchJobs writers makes in TestBench.
const benchWrites, benchJobs = 16, 16

// benchReport is what the test reads of a line of "bench --json".
type benchReport struct {
	Test, Dir string
	Steps     []benchStep
}

// benchStep is what the test reads of a step.
type benchStep struct {
	Jobs       int
	Writes     int
	IOPS       float64
	WrongBytes int `json:"wrong_bytes"`
	Traced     *struct {
		IOPS                          float64
		Seen, Shared, Exclusive, Lost int
		WaitNs                        int64 `json:"wait_ns"`
	}
}

// TestBench: the tables of the cover letter in short, on a disk on which each request
// takes 5 ms, by a clock that does not depend on what else this machine does. Before the
// series both tests are flat; patch 3 makes the first scale, and patch 4 both. The tracer
// says why. Once bench makes the file system itself.
func TestBench(t *testing.T) {
	need(t)
	t.Parallel()
	base := benchGuest(t, "series-base", "--dir", "/mnt")
	patch3 := benchGuest(t, "series-patch3", "--dir", "/mnt")
	patch4 := benchGuest(t, "series-patch4", "--device", "/dev/nullb0", "--destroy-data", "--yes")
	for _, c := range []struct {
		kernel    string
		got       []benchReport
		exclusive [2]bool
		least     [2]float64 // times as many IOPS as before the series; 0: as few
	}{
		{"series-base", base, [2]bool{true, true}, [2]float64{0, 0}},
		{"series-patch3", patch3, [2]bool{false, true}, [2]float64{1.9, 0}},
		{"series-patch4", patch4, [2]bool{false, false}, [2]float64{1.9, 6.8}},
	} {
		for i := range c.got {
			c.got[i].check(t, c.kernel, c.exclusive[i])
			b, p := base[i].Steps[0].IOPS, c.got[i].Steps[0].IOPS
			if least := c.least[i]; b <= 0 || least > 0 && p < least*b || least == 0 && p > 1.2*b {
				t.Errorf("%s, %s with %d jobs: %.0f IOPS, %.0f before the series", c.kernel, c.got[i].Test, benchJobs, p, b)
			}
		}
	}
	if dir := patch4[0].Dir; dir != "/dev/nullb0" {
		t.Errorf("bench ran on %s, not on the disk", dir)
	}
}

// benchGuest runs both tests.
func benchGuest(t *testing.T, kernel string, where ...string) []benchReport {
	t.Helper()
	args := []string{"--smp", "1", "--count-instructions", "--null-blk", "512M", "--latency", "5ms"}
	for _, name := range []string{"mkfs.ext4", "e2fsck"} {
		for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
			if _, err := os.Stat(dir + name); err == nil {
				args = append(args, "--bin", dir+name)
				break
			}
		}
	}
	args = append(args, "--", "bench", "all", "--jobs", fmt.Sprint(benchJobs), "--writes", fmt.Sprint(benchWrites), "--trace", "--json")
	stdout, stderr, status := guest(t, kernelSpec(t, kernel), append(args, where...)...)
	if status != 0 {
		t.Fatalf("%s: bench ended with %d:\n%s", kernel, status, stderr)
	}
	var all []benchReport
	for line := range strings.Lines(stdout) {
		var rep benchReport
		if err := json.Unmarshal([]byte(line), &rep); err != nil || len(rep.Steps) != 1 {
			t.Fatalf("%s: %v in %s", kernel, err, line)
		}
		all = append(all, rep)
	}
	if len(all) != 2 || all[0].Test != "test1" || all[1].Test != "test2" {
		t.Fatalf("%s: not the two tests:\n%s", kernel, stdout)
	}
	return all
}

// check looks at the bytes, at what was seen, and at how i_rwsem was held.
func (r *benchReport) check(t *testing.T, kernel string, exclusive bool) {
	t.Helper()
	const writes = benchWrites * benchJobs
	s := r.Steps[0]
	if s.Jobs != benchJobs || s.Writes != writes || s.WrongBytes != 0 || s.Traced == nil || s.Traced.Seen != writes || s.Traced.Lost != 0 {
		t.Fatalf("%s: %+v, traced %+v", kernel, *r, s.Traced)
	}
	seen := s.Traced
	t.Logf("%s, %s: %d jobs: %.0f IOPS, traced %.0f, %d shared, %d exclusive, waited %.0f ms in all",
		kernel, r.Test, s.Jobs, s.IOPS, seen.IOPS, seen.Shared, seen.Exclusive, float64(seen.WaitNs)/1e6)
	if (seen.Exclusive == writes) != exclusive || (seen.Shared == writes) == exclusive {
		t.Errorf("%s, %s: %d shared, %d exclusive", kernel, r.Test, seen.Shared, seen.Exclusive)
	}
	if (seen.WaitNs > 0) != exclusive {
		t.Errorf("%s, %s: waited %d ns for i_rwsem", kernel, r.Test, seen.WaitNs)
	}
}
