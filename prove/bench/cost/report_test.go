package cost

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

func TestSpreadOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{7}, Spread{7, 7, 7}},
		{[]float64{4, 2}, Spread{2.5, 3, 3.5}},
		{[]float64{5, 1, 4, 2, 3}, Spread{2, 3, 4}},
		{[]float64{-1, -3, -2, -4}, Spread{-3.25, -2.5, -1.75}},
	} {
		before := append([]float64(nil), c.values...)
		if got := SpreadOf(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
		for i := range before {
			if before[i] != c.values[i] {
				t.Errorf("%v was sorted in place", before)
				break
			}
		}
	}
}

// What is untraced is the mean of before and after; both are per call.
func TestTimesAdd(t *testing.T) {
	took := func(s *sample) time.Duration { return s.took }
	var times Times
	times.add(&sample{calls: 2, took: 20}, &sample{calls: 4, took: 100}, &sample{calls: 1, took: 30}, took)
	if times.Off[0] != 20 || times.Added[0] != 5 {
		t.Errorf("%+v, want 20 and 5", times)
	}
}

// oneLoad is a report of one load with the CPU times that each tracer added.
func oneLoad(added map[string][]float64, ours ...string) *Report {
	r := &Report{Kernel: "7.3.4-test (#1 SMP PREEMPT_DYNAMIC Debian 7.3.4-1 (2026-11-15) of a long name)", Rounds: 3}
	for _, name := range []string{"session", "session --pid", "fentry", "kprobes", "fentries"} {
		a, ok := added[name]
		if !ok {
			continue
		}
		off := make([]float64, len(a))
		for i := range off {
			off[i] = 15_000
		}
		t := TracerReport{Name: name, Start: []float64{2.5e8, 2.7e8, 2.6e8}}
		for _, o := range ours {
			t.Ours = t.Ours || o == name
		}
		t.LeavesOut = strings.Contains(name, "--")
		captured := 1000
		switch {
		case t.LeavesOut:
			captured = 0
		case !t.Ours:
			captured, t.Lost = 999, 1
		}
		t.Loads = []LoadReport{{Name: "overwrite", Title: "aligned overwrite, 8 KiB", Direct: true, Issued: 1000, Captured: captured,
			CPU: Times{Off: off, Added: a}, Wall: Times{Off: off, Added: a}}}
		r.Tracers = append(r.Tracers, t)
	}
	return r
}

// Ratios are to the script with the lower median, each in its own round.
func TestRatios(t *testing.T) {
	r := oneLoad(map[string][]float64{
		"session": {10, 20, 30}, "kprobes": {100, 50, 40}, "fentries": {41, 43, 200},
	}, "session")
	cpu := func(l *LoadReport) *Times { return &l.CPU }
	got := r.ratios(0, &r.Tracers[0], cpu)
	want := []float64{10. / 41, 20. / 43, 30. / 200}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v, want %v", got, want)
	}
	// A round in which a script cost nothing has no ratio.
	r.Tracers[2].Loads[0].CPU.Added[1] = -1
	if got := r.ratios(0, &r.Tracers[0], cpu); len(got) != 2 || got[1] != want[2] {
		t.Errorf("%v, want the first and the last of %v", got, want)
	}
}

func TestOursLost(t *testing.T) {
	all := map[string][]float64{"session": {1}, "session --pid": {1}, "kprobes": {2}}
	if oneLoad(all, "session", "session --pid").OursLost() {
		t.Error("only a script lost a write, and a filter left all out")
	}
	missed := oneLoad(all, "session", "session --pid")
	missed.Tracers[0].Loads[0].Captured--
	said := oneLoad(all, "session", "session --pid")
	said.Tracers[0].Lost = 1
	if !missed.OursLost() || !said.OursLost() {
		t.Error("a write is missing")
	}
}

func TestShare(t *testing.T) {
	for want, l := range map[string]LoadReport{
		"all": {Issued: 5, Captured: 5}, "none": {Issued: 5}, "60.0%": {Issued: 5, Captured: 3},
		"99.9%": {Issued: 1_000_000, Captured: 999_999},
	} {
		if got := l.share(); got != want {
			t.Errorf("%+v: %s, want %s", l, got, want)
		}
	}
}

func TestFigures(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0.00", -0.001: "0.00", 1.234: "1.23", 9.996: "10.0", 99.96: "100", 1234.5: "1234", -1.234: "-1.23", -12.34: "-12.3",
	} {
		if got := figures(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

// What is printed, no wider than 80 columns.
func TestText(t *testing.T) {
	full := oneLoad(map[string][]float64{
		"session": {7000, 7100, 7200}, "session --pid": {-10, 10, 20}, "fentry": {4000, 4100, 4200},
		"kprobes": {52000, 66000, 76000}, "fentries": {136000, 144000, 151000},
	}, "session", "session --pid", "fentry")
	full.Tracers[3].Name, full.Tracers[4].Name = "ext4dio", "ext4dio-fentry"
	l := &full.Tracers[0].Loads[0]
	l.Counted = 1000
	l.Programs = []Program{
		{Name: "kr_kiocb_modified", Func: "ext4_generic_write_checks", How: "session", Runs: 2010, Ns: 1591000, Insns: 1465, Machine: 7713},
		{Name: "tp_switch", Func: "sched_switch", How: "raw tracepoint", Runs: 340, Ns: 30000, Insns: 427, Machine: 2050},
		{Name: "kp_copy", Func: "generic_perform_write", How: "multi", Runs: 3, Ns: 300, Insns: 188, Machine: 999},
	}
	reads := oneLoad(map[string][]float64{"session": {80, -120, 150}}, "session")
	reads.Rounds = 1
	reads.Tracers[0].Loads[0].Title, reads.Tracers[0].Loads[0].Direct = "cached read, 4 KiB", false
	for name, r := range map[string]*Report{"full": full, "reads": reads, "empty": {}} {
		var got bytes.Buffer
		if err := r.Text(&got); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(got.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		testkit.Golden(t, name+".golden", got.String())
	}
}
