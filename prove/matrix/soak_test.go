package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// soaked is what testdata/soak says of a round.
type soaked struct {
	At          string
	Left        struct{ Programs, Maps, Links, Kprobes, Functions int }
	Memory      struct{ Percpu, Vmalloc int }
	Early, Late struct{ RSS, FDs int }
	Status      int
	Writes      uint64
	Lines       uint64
	Lost        uint64
}

// TestSoak: 32 writers for 30 minutes, and a tracer that is started and stopped 100 times
// beside them. TestLoss has a short form.
func TestSoak(t *testing.T) {
	need(t)
	if os.Getenv("EXT4DIO_FULL") == "" {
		t.Skip("takes half an hour and more; run: make test-soak")
	}
	t.Parallel()
	rounds, long := 100, "30m"
	if s := os.Getenv("EXT4DIO_SOAK"); s != "" { // such as 10,2m
		if _, err := fmt.Sscanf(s, "%d,%s", &rounds, &long); err != nil {
			t.Fatalf("EXT4DIO_SOAK=%s: %v", s, err)
		}
	}
	share := t.TempDir()
	buildSoak(t, share)
	cmd := exec.CommandContext(t.Context(), program(t), "vm", "--kernel", kernelSpec(t, "debian-7.3"), "--timeout", "6h", "--null-blk", "512M",
		"--share", share, "--", "exec", "--", "/share/soak", "ext4dio-trace", "/mnt", "32", fmt.Sprint(rounds), long)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v:\n%s", err, errs.String())
	}
	t.Logf("%s", out)
	for _, text := range soakProblems(t, string(out), rounds) {
		t.Error(text)
	}
}

// buildSoak builds the program of the soak in a folder.
func buildSoak(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "soak")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "./testdata/soak").CombinedOutput(); err != nil {
		t.Fatalf("build soak: %v\n%s", err, out)
	}
}

// soakProblems says what is not as it should be after so many rounds: something of a tracer is
// left in the kernel, its memory or its files grow, or its lines are not what it counted.
func soakProblems(t *testing.T, text string, rounds int) (problems []string) {
	t.Helper()
	var all []soaked
	for line := range strings.Lines(text) {
		var s soaked
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, s)
	}
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if len(all) != rounds+2 || all[0].At != "before" || all[len(all)-1].At != "end" {
		say("%d lines of %d rounds", len(all), rounds)
		return problems
	}
	first, some := all[1], all[1:len(all)-1]
	for i, s := range all {
		if s.Left != all[0].Left {
			say("after round %d there is left in the kernel %+v, before all %+v", i, s.Left, all[0].Left)
		}
	}
	for i, s := range some {
		if s.Writes == 0 || s.Lines != s.Writes || s.Status != 0 && s.Status != 4 || s.Lost > 0 && s.Status != 4 {
			say("round %d: %d writes, %d lines, %d lost, status %d", i+1, s.Writes, s.Lines, s.Lost, s.Status)
		}
		if s.Late.FDs != s.Early.FDs || s.Late.FDs != first.Late.FDs {
			say("round %d: %d files are open, then %d; in the first round %d", i+1, s.Early.FDs, s.Late.FDs, first.Late.FDs)
		}
		if s.Late.RSS > s.Early.RSS+8<<10 {
			say("round %d: %d KiB are resident, then %d", i+1, s.Early.RSS, s.Late.RSS)
		}
	}
	// The kernel frees late, so that the least of each half counts.
	half := len(some) / 2
	least := func(some []soaked) (percpu, vmalloc int) {
		for i, s := range some {
			if i == 0 || s.Memory.Percpu < percpu {
				percpu = s.Memory.Percpu
			}
			if i == 0 || s.Memory.Vmalloc < vmalloc {
				vmalloc = s.Memory.Vmalloc
			}
		}
		return percpu, vmalloc
	}
	if half > 0 {
		cpu1, vm1 := least(some[:half])
		cpu2, vm2 := least(some[half:])
		if cpu2 > cpu1+64 || vm2 > vm1+4<<10 {
			say("the kernel's memory grows: per CPU %d to %d KiB, vmalloc %d to %d KiB", cpu1, cpu2, vm1, vm2)
		}
	}
	return problems
}

// TestSoakProblems: each kind of leak is noticed.
func TestSoakProblems(t *testing.T) {
	const before = `{"At":"before","Left":{"Links":1},"Memory":{"Percpu":552,"Vmalloc":8832}}` + "\n"
	const end = `{"At":"end","Left":{"Links":1},"Memory":{"Percpu":576,"Vmalloc":9000}}` + "\n"
	const round = `{"At":"round","Left":{"Links":1},"Memory":{"Percpu":576,"Vmalloc":9900},"Early":{"RSS":39000,"FDs":91},"Late":{"RSS":40000,"FDs":91},"Writes":9,"Lines":9}` + "\n"
	good := before + strings.Repeat(round, 4) + end
	if got := soakProblems(t, good, 4); len(got) > 0 {
		t.Errorf("nothing is wrong, and it says %q", got)
	}
	for _, c := range []struct{ old, new string }{
		{`"Links":1},"Memory":{"Percpu":576,"Vmalloc":9900}`, `"Links":2},"Memory":{"Percpu":576,"Vmalloc":9900}`},
		{`"Links":1},"Memory":{"Percpu":576,"Vmalloc":9900}`, `"Links":1,"Functions":1},"Memory":{"Percpu":576,"Vmalloc":9900}`},
		{`"FDs":91},"Late"`, `"FDs":90},"Late"`},
		{`"RSS":40000`, `"RSS":60000`},
		{`"Lines":9`, `"Lines":8`},
		{`"Lines":9`, `"Lines":9,"Status":1`},
		{`"Lines":9`, `"Lines":9,"Lost":3`},
		{`"Writes":9,"Lines":9`, `"Writes":0,"Lines":0`},
		{`"Percpu":576,"Vmalloc":9900}`, `"Percpu":976,"Vmalloc":9900}`},
		{`"Percpu":576,"Vmalloc":9900}`, `"Percpu":576,"Vmalloc":19900}`},
	} {
		bad := strings.Replace(round, c.old, c.new, 1)
		if bad == round {
			t.Fatalf("%s is not in it", c.old)
		}
		if got := soakProblems(t, before+round+round+bad+bad+end, 4); len(got) == 0 {
			t.Errorf("%s instead of %s is not noticed", c.new, c.old)
		}
	}
	if got := soakProblems(t, before+round+end, 2); len(got) == 0 {
		t.Error("a round that is missing is not noticed")
	}
}
