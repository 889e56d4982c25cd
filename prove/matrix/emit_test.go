package matrix

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// emitPrograms are those that the tests of fstests' form and their stand-in call.
var emitPrograms = []string{"bash", "xfs_io", "mkfs.ext4", "mount", "umount", "od", "stat", "cat", "grep", "touch", "chmod", "chattr", "mkdir", "rm", "cp"}

func binsOf(programs []string) (args []string) {
	for _, name := range programs {
		args = append(args, "--bin", name)
	}
	return args
}

// alignedTrace is a recording of linux-7.3 without an unaligned write.
const alignedTrace = "testdata/emit/aligned.e4d"

// emits is the kernel of TestKernels on which tests for what is missing are run.
const emits = "debian-7.3"

// shareTests is what the guest sees at /share, and the programs that it needs for that: on one kernel with
// tests for what alignedTrace did not take, of those that are about partial blocks, and one for
// writes on which a wrong kernel and the model disagreed.
func (r *result) shareTests(t *testing.T) (dir string, bins []string) {
	t.Helper()
	if r.kernel.name != emits {
		return "testdata", nil
	}
	dir = filepath.Join(t.TempDir(), "share")
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "made")
	host(t, "coverage", "--missing", "--emit", made, alignedTrace)
	scripts, err := filepath.Glob(filepath.Join(made, "???.sh"))
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if test := filepath.Join(made, "tests/ext4", strings.TrimSuffix(filepath.Base(script), ".sh")); !ofZeroing(string(text)) {
			for _, path := range []string{script, test, test + ".out"} {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "emit"), os.DirFS(made)); err != nil {
		t.Fatal(err)
	}
	host(t, "export", "../../testdata/traces/wrong-tail-unchecked.e4d", "--format", "fstests", "--only", "unsafe",
		"-o", filepath.Join(dir, "emit/disagreement/tests/ext4"))
	return dir, binsOf(emitPrograms)
}

// ofZeroing reports whether a text names a way of the partial blocks at head and tail, or of zeroing.
func ofZeroing(text string) bool {
	return slices.ContainsFunc([]string{"the partial block at", "a partial block has to be zeroed", "zeroes: the", "zeroes: behind", "because: zeroing"},
		func(way string) bool { return strings.Contains(text, way) })
}

// host runs the program here.
func host(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program(t), args...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return string(out)
}

// emitted: the ways of partial blocks, which the recording did not take, are taken by the scripts, and by the
// same tests in fstests' form, each of which prints what it should.
func (r *result) emitted(t *testing.T) {
	t.Helper()
	if r.kernel.name != emits {
		return
	}
	before := missingWays(t, alignedTrace)
	if n := len(slices.DeleteFunc(slices.Clone(before), func(way string) bool { return !ofZeroing(way) })); n != 11 {
		t.Errorf("%d ways of partial blocks are missing in a recording without an unaligned write:\n%s", n, strings.Join(before, "\n"))
	}
	for _, kind := range []string{"scripts", "fstests"} {
		if r.status(t, "emit-"+kind) != 0 {
			t.Errorf("record of %s:\n%s", kind, r.read(t, "emit-"+kind+".txt"))
		}
		for _, way := range missingWays(t, alignedTrace, filepath.Join(r.dir, "emit-"+kind+".e4d")) {
			if ofZeroing(way) {
				t.Errorf("%s do not take %s", kind, way)
			}
		}
	}
	t.Logf("scripts and tests: %s", r.read(t, "emit-took.txt"))
	allOK(t, r.read(t, "emit-fstests.txt"), 3)
	allOK(t, r.read(t, "emit-disagreement.txt"), 1)
}

// allOK wants so many tests, each of which was ok.
func allOK(t *testing.T, text string, want int) {
	t.Helper()
	ok := strings.Count(text, ": ok\n")
	if ok < want || strings.Contains(text, "FAILED") || strings.Contains(text, "not run") {
		t.Errorf("%d tests are ok, want %d:\n%s", ok, want, text)
	}
}

// missingWays are the ways that recordings did not take.
func missingWays(t *testing.T, files ...string) (out []string) {
	t.Helper()
	var all struct {
		Variants []struct {
			Disagree uint64
			Points   []struct{ Function, Condition, Way, State string }
		}
	}
	if err := json.Unmarshal([]byte(host(t, append([]string{"coverage", "--json"}, files...)...)), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Variants) != 1 || all.Variants[0].Disagree > 0 {
		t.Fatalf("%v are of one kernel, as the model has it: %+v", files, all)
	}
	for _, p := range all.Variants[0].Points {
		if p.State == "missing" {
			out = append(out, p.Function+": "+p.Condition+": "+p.Way)
		}
	}
	return out
}

// TestEmit: on each kernel, of a recording of aligned writes, all tests that are written take all that they say.
func TestEmit(t *testing.T) {
	need(t)
	if os.Getenv("EXT4DIO_FULL") == "" {
		t.Skip("takes five minutes; TestKernels has the short form; run: make test-full")
	}
	t.Parallel()
	for _, name := range []string{"debian-6.1", "debian-6.12", "debian-sid", "debian-7.3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &result{dir: t.TempDir()}
			args := append([]string{"--out", r.dir, "--share", "testdata"}, binsOf(emitPrograms)...)
			if _, stderr, status := guest(t, kernelSpec(t, name), append(args, "--", "exec", "--", "sh", "/share/emit/guest.sh", "here")...); status != 0 {
				t.Fatalf("vm ended with %d:\n%s", status, stderr)
			}
			aligned := filepath.Join(r.dir, "emit-aligned.e4d")
			index := r.read(t, "emit-index.txt")
			tests, others, _ := strings.Cut(index, "NO SCRIPT")
			for _, kind := range []string{"scripts", "fstests"} {
				left := missingWays(t, aligned, filepath.Join(r.dir, "emit-"+kind+".e4d"))
				for _, way := range left {
					if strings.Contains(tests, ": "+way+"\n") {
						t.Errorf("%s do not take %s", kind, way)
					}
				}
				t.Logf("%s: %d ways were missing, %d are after the %s; by no script %d", name, len(missingWays(t, aligned)), len(left), kind, strings.Count(others, "\n         "))
			}
			allOK(t, r.read(t, "emit-fstests.txt"), strings.Count(tests, "\n9"))
		})
	}
}
