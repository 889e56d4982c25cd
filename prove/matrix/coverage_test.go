package matrix

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// coverageOf is what coverage --json says of files.
func coverageOf(t *testing.T, args ...string) *waysTaken {
	t.Helper()
	out, err := exec.Command(program(t), append([]string{"coverage", "--json"}, args...)...).Output()
	if err != nil {
		t.Fatalf("coverage %q: %v", args, err)
	}
	var c struct{ Variants []waysTaken }
	if err := json.Unmarshal(out, &c); err != nil || len(c.Variants) != 1 {
		t.Fatalf("coverage %q: %d variants, %v", args, len(c.Variants), err)
	}
	return &c.Variants[0]
}

// TestCoverage makes the first table of docs/coverage.md: what a workload takes of the branches of 7.3, what
// a job of fio takes, and what validate takes with its defaults. EXT4DIO_FULL=1 runs it: validate
// alone takes two minutes, and TestValidate asks for its 95 % in any case.
func TestCoverage(t *testing.T) {
	need(t)
	if os.Getenv("EXT4DIO_FULL") == "" {
		t.Skip("makes a table of documentation; run: make test-full")
	}
	t.Parallel()
	spec, dir := kernelSpec(t, "debian-7.3"), t.TempDir()
	share, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if _, stderr, status := guest(t, spec, "--out", dir, "--share", share, "--bin", "fio", "--", "exec", "--", "sh", "/share/coverage.sh"); status != 0 {
		t.Fatalf("the guest ended with %d:\n%s", status, stderr)
	}
	out, stderr, status := guest(t, spec, "--", "validate", "--device", "/dev/sda", "--destroy-data", "--yes", "--json")
	validated := filepath.Join(dir, "validate.json")
	if err := os.WriteFile(validated, []byte(out), 0o644); err != nil || status != 0 {
		t.Fatalf("validate ended with %d, %v:\n%s", status, err, stderr)
	}
	all, mixed, fio := coverageOf(t, validated), coverageOf(t, filepath.Join(dir, "mixed.e4d")), coverageOf(t, filepath.Join(dir, "fio.e4d"))
	for _, c := range []*waysTaken{all, mixed, fio} {
		t.Logf("%d of %d", c.Taken, c.Reachable)
	}
	if all.Share < 0.95 || mixed.Share > all.Share-0.1 || fio.Share > mixed.Share-0.2 {
		t.Errorf("validate took %.2f, workload mixed %.2f, fio %.2f", all.Share, mixed.Share, fio.Share)
	}
}

// TestCoverageWrong: the same validation of a wrong kernel and of the right one. Where the ways part
// is where the fault is; that of a kernel that lacks a patch is what the patch changed.
func TestCoverageWrong(t *testing.T) {
	need(t)
	if os.Getenv("EXT4DIO_FULL") == "" {
		t.Skip("TestValidateWrong has the short form; run: make test-full")
	}
	t.Parallel()
	run := func(t *testing.T, name string) string {
		dir := t.TempDir()
		_, stderr, status := guest(t, kernelSpec(t, name), "--out", dir, "--", "validate", "--device", "/dev/sda", "--destroy-data", "--yes",
			"--config", "4k", "--writes", "200", "--seed", "7", "--variant", "linux-7.3", "-o", "/out/r")
		if status > 1 {
			t.Fatalf("%s: validate ended with %d:\n%s", name, status, stderr)
		}
		return filepath.Join(dir, "r/coverage.json")
	}
	right := run(t, "series-patch5")
	for name, parted := range map[string][]string{
		"wrong-tail-unchecked":   {"the partial block at the tail is written"},
		"wrong-nowait-allocates": {"NOWAIT may not allocate, or look up"},
		"wrong-always-exclusive": {"the partial block at the head is written", "the partial block at the tail is written", "the rest of a partial block has to be zeroed"},
		"series-patch4":          {"time stamps and privileges are updated"},
	} {
		out, err := exec.Command(program(t), "coverage", "--json", "--against", right, run(t, name)).Output()
		var c struct {
			Against []struct {
				Parted, Lost []struct{ Function, Condition, Way string }
			}
		}
		if err := json.Unmarshal(out, &c); err != nil || len(c.Against) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		if err != nil {
			t.Errorf("%s: coverage: %v", name, err)
		}
		d := &c.Against[0]
		if len(d.Parted) == 0 {
			t.Errorf("%s: no way parts", name)
		}
		for _, p := range d.Parted {
			if !strings.Contains(strings.Join(parted, "; "), p.Condition) {
				t.Errorf("%s: the ways part at %s: %s", name, p.Function, p.Condition)
			}
		}
		t.Logf("%s: parted %v, lost %v", name, d.Parted, d.Lost)
	}
}
