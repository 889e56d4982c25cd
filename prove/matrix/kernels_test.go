package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// kernel is one line of the matrix.
type kernel struct {
	name    string // as kernelSpec takes it
	variant string // that must be found from evidence
	wrong   string // another that must be seen to be wrong, "" not to try
	load    string // fio, a third of it where another flavour of the same kernel has it whole, or workload where fio cannot run
}

// fioWrites is how many writes the load of fio makes.
var fioWrites = map[string]uint64{"fio": 100_000, "fio-third": 33_000}

var kernels = []kernel{
	{"debian-6.1", "linux-6.1", "linux-6.12", "fio"},
	{"debian-6.12", "linux-6.12", "", "fio"},
	{"debian-sid", "", "", "fio"},
	{"debian-7.3", "linux-7.3", "linux-7.2", "fio"},
	{"debian-7.3-cloud", "linux-7.3", "", "fio-third"},
	{"debian-7.3-rt", "linux-7.3", "", "fio-third"},
	{"series-base", "base", "", "workload"},
	{"series-patch3", "patch3", "", "workload"},
	{"series-patch4", "patch4", "", "workload"},
	{"series-patch5", "linux-7.3", "linux-7.2", "workload"},
	{"series-v2", "series-v2", "", "workload"},
	{"env-nokprobes", "linux-7.3", "", "workload"},
	{"env-noinline", "linux-7.3", "", "workload"},
}

// debianSpecs are Debian's kernels as vm --kernel takes them. The other kernels are files.
var debianSpecs = map[string]string{
	"debian-6.1":       "debian:bookworm",
	"debian-6.12":      "debian:trixie",
	"debian-sid":       "debian:sid",
	"debian-7.3":       "debian:trixie-backports",
	"debian-7.3-cloud": "debian:trixie-backports/cloud-amd64",
	"debian-7.3-rt":    "debian:trixie-backports/rt-amd64",
}

// program is the built binary; "make build" leaves it there.
func program(t *testing.T) string {
	t.Helper()
	p, err := filepath.Abs("../../bin/ext4dio-trace")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p); err != nil {
		t.Fatalf("%v; build it first: make build", err)
	}
	return p
}

// need skips with a reason, and fails instead where virtual machines are required.
func need(t *testing.T) {
	t.Helper()
	if os.Getenv("EXT4DIO_REQUIRE") == "vm" {
		return
	}
	if os.Getenv("EXT4DIO_TEST_VM") == "" {
		t.Skip("boots kernels for minutes; run: make test-vm")
	}
}

// kernelSpec is what vm --kernel takes for the kernel of a name: one of debianSpecs, or
// the file of a small one. Those are test data that not everybody has, so that even the
// required run goes on without them, and says so.
func kernelSpec(t *testing.T, name string) string {
	t.Helper()
	if spec, ok := debianSpecs[name]; ok {
		return spec
	}
	if strings.HasPrefix(name, "debian-") { // none is a file
		t.Fatalf("no kernel of Debian is called %s", name)
	}
	dir := os.Getenv("EXT4DIO_KERNELS")
	p := filepath.Join(dir, name+".bzImage")
	if _, err := os.Stat(p); dir == "" || err != nil {
		t.Skipf("no kernel %s: set EXT4DIO_KERNELS to the folder of the small kernels", name)
	}
	return p
}

// guest boots a kernel and runs a command in it; the status is the command's.
func guest(t *testing.T, spec string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t), append([]string{"vm", "--kernel", spec, "--timeout", "15m"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("run %v: %v", cmd.Args, err)
	}
	p := cmd.ProcessState // what it has waited for is in its times: the guest
	t.Logf("a guest took %.0f s of CPU time", (p.UserTime() + p.SystemTime()).Seconds())
	return out.String(), errs.String(), p.ExitCode()
}

func TestKernels(t *testing.T) {
	need(t)
	t.Parallel()
	for _, k := range kernels {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			spec := kernelSpec(t, k.name)
			start := time.Now()
			r := run(t, k, spec)
			r.doctor(t)
			r.validated(t)
			r.loaded(t)
			r.tried(t)
			r.fragments(t)
			r.killed(t)
			r.wrongVariant(t)
			r.emitted(t)
			t.Logf("%s: %s in %.0fs", k.name, r.release, time.Since(start).Seconds())
		})
	}
	t.Run("wrong", wrongKernels)
	t.Run("unfit", unfitKernels)
}

// result is what the guest left in /out.
type result struct {
	kernel  kernel
	dir     string
	release string
}

func run(t *testing.T, k kernel, spec string) *result {
	t.Helper()
	r := &result{kernel: k, dir: t.TempDir()}
	share, bins := r.shareTests(t)
	args := []string{"--out", r.dir, "--share", share, "--bin", "cat", "--bin", "grep", "--bin", "dd", "--bin", "rm"}
	if fioWrites[k.load] > 0 {
		args = append(args, "--bin", "fio")
	}
	args = append(args, bins...)
	args = append(args, "--", "exec", "--", "sh", "/share/guest.sh", k.wrong, k.load)
	_, stderr, status := guest(t, spec, args...)
	if status != 0 && status != 1 {
		t.Fatalf("vm ended with %d:\n%s", status, stderr)
	}
	return r
}

func (r *result) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		t.Fatalf("the guest left no %s: %v", name, err)
	}
	return string(b)
}

// status returns the exit status of a step.
func (r *result) status(t *testing.T, step string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(r.read(t, step+".rc")))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r *result) json(t *testing.T, name string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.read(t, name)), into); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, r.read(t, name))
	}
}

// doctor: every probe that a verdict needs is attached, and where the entry
// function of direct writes is a symbol of its own, it is used.
func (r *result) doctor(t *testing.T) {
	t.Helper()
	if got := r.status(t, "doctor"); got != 0 {
		t.Errorf("doctor ends with %d: %s", got, r.read(t, "doctor.err"))
	}
	var d struct {
		Facts struct {
			Release string
			Funcs   map[string]struct{ Symbol bool }
		}
		Plan struct {
			Probes []struct {
				Name, Func, How string
				Required        bool
			}
		}
	}
	r.json(t, "doctor.json", &d)
	r.release = d.Facts.Release
	entry := ""
	for _, p := range d.Plan.Probes {
		if p.Required && p.How == "" {
			t.Errorf("required probe %s is not attached", p.Name)
		}
		if p.Name == "write" {
			entry = p.Func
		}
	}
	want := "ext4_file_write_iter"
	if r.kernel.name == "env-noinline" {
		want = "ext4_dio_write_iter"
	}
	if entry != want {
		t.Errorf("the entry of a write is probed at %q, want %s", entry, want)
	}
}

// validated: all hand-specified writes are as the scenarios say, at least 40 of them.
func (r *result) validated(t *testing.T) {
	t.Helper()
	var rep struct {
		Variant string
		Configs []struct {
			Scenarios struct{ Passed, Failed, Skipped int }
		}
	}
	r.json(t, "validate.json", &rep)
	if len(rep.Configs) != 1 {
		t.Fatalf("validate reported %d directories", len(rep.Configs))
	}
	v := rep.Configs[0].Scenarios
	if v.Failed > 0 || r.status(t, "validate") != 0 {
		t.Errorf("validate: %d passed, %d failed, status %d:\n%s", v.Passed, v.Failed, r.status(t, "validate"), r.read(t, "validate.err"))
	}
	if v.Passed+v.Failed < 150 {
		t.Errorf("validate checked %d writes, want at least 150", v.Passed+v.Failed)
	}
	if w := r.kernel.variant; w != "" && rep.Variant != w && rep.Variant != w+"+patch2" {
		t.Errorf("validate found variant %s, want %s", rep.Variant, w)
	}
	t.Logf("validate: %d passed, %d skipped", v.Passed, v.Skipped)
}

// summary is what live --summary writes.
type summary struct {
	Issued, Seen, Lost, Incomplete uint64
	Written                        map[string]uint64 // by caller: writes with a positive result
	Verdicts                       map[string]uint64
	Variant                        string
	Losses                         string
	Undecided                      map[string]uint64
	InPart                         uint64 `json:"in_part"`
	Coverage                       []covered
}

// covered is what live --coverage counted of one variant.
type covered struct {
	Writes uint64
	Taken  int
}

// loaded: at full speed nothing is lost, all of it is judged, none disagrees, and
// fio's own count is what was seen.
func (r *result) loaded(t *testing.T) {
	t.Helper()
	var s summary
	r.json(t, "load.json", &s)
	if got := r.status(t, "load"); got != 0 {
		t.Errorf("live ends with %d:\n%s\n%s", got, r.read(t, "load.err"), head(r.read(t, "load.txt"), 20))
	}
	if s.Issued != s.Seen+s.Lost {
		t.Errorf("issued %d is not seen %d + lost %d", s.Issued, s.Seen, s.Lost)
	}
	if s.Lost > 0 || s.Incomplete > 0 {
		t.Errorf("%d lost, %d incomplete: %s", s.Lost, s.Incomplete, s.Losses)
	}
	if n := s.Verdicts["differs"] + s.Verdicts["unsafe"] + s.Verdicts["slower"]; n > 0 {
		t.Errorf("%d writes disagree: %v\n%s", n, s.Verdicts, head(r.read(t, "load.txt"), 20))
	}
	if n := s.Verdicts["undecided"]; n*1000 >= s.Seen {
		t.Errorf("%d of %d writes are undecided: %v", n, s.Seen, s.Undecided)
	}
	// base and linux-7.2 differ only in what a buffered fallback does, and none
	// of these writes falls back.
	if w := r.kernel.variant; w != "" && !strings.HasPrefix(s.Variant, w) {
		t.Errorf("variant %s was found, want %s", s.Variant, w)
	}
	if fioWrites[r.kernel.load] > 0 {
		r.fio(t, &s)
	}
	t.Logf("load: %d seen, %d lost, verdicts %v, variant %s", s.Seen, s.Lost, s.Verdicts, s.Variant)
}

// fragments: writes with very many mappings are judged as every other, with nothing of
// them left out.
func (r *result) fragments(t *testing.T) {
	t.Helper()
	var s summary
	r.json(t, "fragments.json", &s)
	if got := r.status(t, "fragments"); got != 0 || s.Seen != 5 || s.Verdicts["agree"] != 5 || s.Incomplete+s.InPart > 0 {
		t.Errorf("writes over fragments: status %d, %d seen, %d incomplete, %d in part, verdicts %v\n%s\n%s", got, s.Seen, s.Incomplete, s.InPart,
			s.Verdicts, r.read(t, "fragments.err"), r.read(t, "fragments.txt"))
	}
	if r.kernel.wrong != "linux-7.2" {
		return // their branches are counted on some kernels
	}
	if c := s.Coverage; len(c) != 1 || c[0].Writes != s.Seen || c[0].Taken < 10 {
		t.Errorf("coverage of %d writes over fragments: %+v", s.Seen, c)
	}
}

// fio compares the writes that fio counted with those that were seen to succeed.
func (r *result) fio(t *testing.T, s *summary) {
	t.Helper()
	callers := map[string][]string{
		"psync":    {"sync"},
		"libaio":   {"libaio"},
		"io_uring": {"io_uring", "io-wq"},
	}
	total := uint64(0)
	for engine, names := range callers {
		issued := uint64(0)
		for _, jobs := range []int{1, 8, 32} {
			var f struct {
				Jobs []struct {
					Write struct {
						Total uint64 `json:"total_ios"`
					}
				}
			}
			r.json(t, fmt.Sprintf("fio-%s-%d.json", engine, jobs), &f)
			for _, j := range f.Jobs {
				issued += j.Write.Total
			}
		}
		seen := uint64(0)
		for _, n := range names {
			seen += s.Written[n]
		}
		if issued != seen {
			t.Errorf("fio wrote %d times by %s, %d of them were seen", issued, engine, seen)
		}
		total += issued
	}
	if want := fioWrites[r.kernel.load]; total < want {
		t.Errorf("fio wrote %d times, want %d", total, want)
	}
}

// killed: after kill -9 nothing stays attached.
func (r *result) killed(t *testing.T) {
	t.Helper()
	if r.read(t, "kill.before") == "" && r.kernel.name != "env-nokprobes" {
		t.Error("nothing was attached before the kill")
	}
	if after := r.read(t, "kill.after"); after != "" {
		t.Errorf("still attached after kill -9, looked at %s times:\n%s", strings.TrimSpace(r.read(t, "kill.looks")), after)
	}
}

// wrongVariant: a kernel that is judged as another one disagrees.
func (r *result) wrongVariant(t *testing.T) {
	t.Helper()
	if r.kernel.wrong == "" {
		return
	}
	var s summary
	r.json(t, "wrong.json", &s)
	if n := s.Verdicts["differs"] + s.Verdicts["unsafe"] + s.Verdicts["slower"]; n == 0 || r.status(t, "wrong") != 1 {
		t.Errorf("judged as %s: verdicts %v, status %d, want disagreements and 1", r.kernel.wrong, s.Verdicts, r.status(t, "wrong"))
	}
}

func head(s string, n int) string {
	lines := strings.SplitAfterN(s, "\n", n+1)
	if len(lines) > n {
		lines = lines[:n]
	}
	return strings.Join(lines, "")
}

// wrongKernels: the deliberately wrong kernels are found out.
func wrongKernels(t *testing.T) {
	for name, verdict := range map[string]string{
		"wrong-tail-unchecked":   "unsafe",
		"wrong-always-exclusive": "slower",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, dir := kernelSpec(t, name), t.TempDir()
			_, stderr, _ := guest(t, spec, "--share", "testdata", "--out", dir, "--", "exec", "--", "sh", "/share/wrong.sh")
			r := &result{dir: dir}
			for _, load := range []string{"mixed", "fragments"} {
				var s summary
				r.json(t, load+".json", &s)
				if status := r.status(t, load); status != 1 || s.Verdicts[verdict] == 0 || s.Incomplete > 0 {
					t.Errorf("%s: status %d, verdicts %v, %d incomplete, want 1, some %s and none:\n%s", load, status, s.Verdicts, s.Incomplete, verdict, stderr)
				}
				t.Logf("%s: verdicts %v", load, s.Verdicts)
			}
		})
	}
}

// unfitKernels: where tracing is impossible, one line says what is missing.
func unfitKernels(t *testing.T) {
	t.Run("env-nobtf", func(t *testing.T) {
		t.Parallel()
		_, stderr, status := guest(t, kernelSpec(t, "env-nobtf"), "--", "live")
		if status != 3 || !strings.Contains(stderr, "no BTF") || !strings.Contains(stderr, "hint:") {
			t.Errorf("status %d, want 3, and:\n%s", status, stderr)
		}
	})
	t.Run("no-such-kernel", func(t *testing.T) {
		t.Parallel()
		for _, file := range []string{"testdata/guest.sh", "testdata/none"} {
			_, stderr, status := guest(t, file, "--", "live")
			if status != exit.NoKernel || strings.Count(stderr, "\n") > 2 {
				t.Errorf("%s: status %d, want %d and one line:\n%s", file, status, exit.NoKernel, stderr)
			}
		}
	})
	// A bisection and CI tell a kernel that goes down from one that cannot be tested. The first
	// process of a PID namespace is not the guest's init, which would end it all before.
	t.Run("panic", func(t *testing.T) {
		t.Parallel()
		spec := kernelSpec(t, "debian-7.3")
		stdout, stderr, status := guest(t, spec, "--bin", "unshare", "--", "exec", "--", "sh", "-c",
			"unshare -pf --mount-proc ext4dio-trace --version; echo c >/proc/sysrq-trigger")
		if !strings.HasPrefix(stdout, "ext4dio-trace ") {
			t.Errorf("as the first process of a namespace: %q", stdout)
		}
		if status != exit.Panicked || !strings.Contains(stderr, "the guest's kernel panicked: sysrq triggered crash") {
			t.Errorf("status %d, want %d:\n%s", status, exit.Panicked, stderr)
		}
		_, stderr, status = guest(t, spec, "--append", "rdinit=/none init=/none", "--", "live")
		if status != exit.NotBooted || !strings.Contains(stderr, "the guest's kernel panicked: ") {
			t.Errorf("while booting: status %d, want %d:\n%s", status, exit.NotBooted, stderr)
		}
	})
}
