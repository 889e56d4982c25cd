package matrix

import (
	"encoding/json"
	"strings"
	"testing"
)

// benchStep is what the test reads of a step of "bench --json".
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

// TestBench: the tables of the cover letter in short. It looks at the shape only: with
// four jobs and a disk that is slower than any busy machine, patch 4 makes test 2 faster, and the tracer says why.
func TestBench(t *testing.T) {
	need(t)
	const writes, jobs = 20, 4
	iops := make(map[string]map[string]float64) // by kernel and test, with four jobs
	for _, name := range []string{"series-base", "series-patch4"} {
		iops[name] = make(map[string]float64)
		stdout, stderr, status := guest(t, image(t, name), "--null-blk", "256M", "--latency", "50ms", "--",
			"bench", "all", "--dir", "/mnt", "--jobs", "1,4", "--writes", "20", "--trace", "--json")
		if status != 0 {
			t.Fatalf("%s: bench ended with %d:\n%s", name, status, stderr)
		}
		for line := range strings.Lines(stdout) {
			var rep struct {
				Test  string
				Steps []benchStep
			}
			if err := json.Unmarshal([]byte(line), &rep); err != nil || len(rep.Steps) != 2 {
				t.Fatalf("%s: %v in %s", name, err, line)
			}
			for _, s := range rep.Steps {
				if s.Writes != writes*s.Jobs || s.WrongBytes != 0 || s.Traced == nil || s.Traced.Seen != s.Writes || s.Traced.Lost != 0 {
					t.Errorf("%s, %s: %s", name, rep.Test, line)
				}
			}
			last := rep.Steps[1]
			seen := last.Traced
			// The better of the two runs: a busy machine slows down one of them.
			iops[name][rep.Test] = max(last.IOPS, seen.IOPS)
			t.Logf("%s, %s: 4 jobs: %.0f IOPS, traced %.0f, %d shared, %d exclusive, waited %.0f ms in all",
				name, rep.Test, last.IOPS, seen.IOPS, seen.Shared, seen.Exclusive, float64(seen.WaitNs)/1e6)
			if want := name == "series-base"; (seen.Exclusive == writes*jobs) != want || (seen.Shared == writes*jobs) == want {
				t.Errorf("%s, %s: %d shared, %d exclusive", name, rep.Test, seen.Shared, seen.Exclusive)
			}
			if want := name == "series-base"; (seen.WaitNs > 0) != want {
				t.Errorf("%s, %s: waited %d ns for i_rwsem", name, rep.Test, seen.WaitNs)
			}
		}
	}
	for _, test := range []string{"test1", "test2"} {
		base, patched := iops["series-base"][test], iops["series-patch4"][test]
		if base <= 0 || patched < 1.5*base {
			t.Errorf("%s with 4 jobs: %.0f IOPS before the series, %.0f with patches 3 and 4; want 1.5 times as many", test, base, patched)
		}
	}
}
