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

// TestHolders: nearly all of the time that direct writes waited is put down to the right
// operation of the right thread, where a program knows what it did.
func TestHolders(t *testing.T) {
	need(t)
	t.Parallel()
	kernels := []string{"debian-6.1", "debian-7.3"}
	if os.Getenv("EXT4DIO_FULL") != "" {
		kernels = append(kernels, "debian-6.12", "debian-sid", "debian-7.3-rt")
	}
	for _, name := range kernels {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holdersGuest(t, name).holders(t)
		})
	}
}

func holdersGuest(t *testing.T, name string) *result {
	t.Helper()
	spec := kernelSpec(t, name)
	r := &result{kernel: kernel{name: name}, dir: t.TempDir()}
	share := t.TempDir()
	script, err := os.ReadFile("testdata/holders/holders.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(share, "holders.sh"), script, 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(share, "holders"), "./testdata/holders")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, stderr, status := guest(t, spec, "--latency", "5ms", "--share", share, "--out", r.dir, "--bin", "mkfs.ext4", "--", "exec", "--", "sh", "/share/holders.sh")
	if status != 0 {
		t.Fatalf("vm ended with %d:\n%s", status, stderr)
	}
	return r
}

func (r *result) holders(t *testing.T) {
	all := r.attribution(t, "all")
	for _, name := range []string{"readers", "ranges", "inflight", "buffered", "loop", "queue", "swapon", "rename"} {
		r.attributed(t, name, all[name])
	}
	if a := all["queue"]; a != nil && (a.share(a.Queued) < 0.02 || a.Behind["direct-read"] == 0) {
		t.Errorf("queue: %.1f %% of the time was waited behind others in the queue, who waited for %v", 100*a.share(a.Queued), a.Behind)
	}
	// On 6.1 io-wq makes these writes one after the other, and fallocate comes before them.
	if a := all["inflight"]; a != nil && r.kernel.name != "debian-6.1" && (a.Drained < 16 || a.Drained > 32) {
		t.Errorf("inflight: fallocate waited for %d writes, at most", a.Drained)
	}
	r.attributed(t, "left-out", r.attribution(t, "left-out")["left-out"])
	r.leftOutByTime(t)
	// What is compared above comes from the records of holders.
	if a := r.attribution(t, "off")["readers"]; a == nil || a.Waits < 50 || a.share(a.Unknown) < 0.5 {
		t.Errorf("without those who held the lock: %+v", a)
	}
}

// leftOutByTime: which writes --min-latency leaves out is up to the machine. They are named all
// the same, as direct writes that are not recorded.
func (r *result) leftOutByTime(t *testing.T) {
	done, rows := r.recorded(t, "fast")
	left := 0
	for i := range rows {
		for k := range rows[i].Waits {
			left += recordedOrNot(rows[i].Waits[k].Holders)
		}
	}
	a := attribute(rows, done)["fast"]
	if a == nil || a.Seen == a.Writes || left < 10 || a.share(a.Right) < 0.9 || a.share(a.Wrong) > 0.01 {
		t.Errorf("fast: %d times a write that is not recorded: %+v", left, a)
		return
	}
	a.Seen = a.Writes
	r.attributed(t, "fast", a)
}

// recordedOrNot calls direct writes the same that are recorded and that are not, and counts these.
func recordedOrNot(holders []holderOf) (not int) {
	for i := range holders {
		h := &holders[i]
		if h.Op != nil && *h.Op == "direct-write" {
			*h.Op = "write"
			not++
		}
		not += recordedOrNot(h.Behind)
	}
	return not
}

// attribution compares a recording with what was done.
func (r *result) attribution(t *testing.T, name string) map[string]*attribution {
	t.Helper()
	done, rows := r.recorded(t, name)
	return attribute(rows, done)
}

// recorded is what was done, and a recording of that.
func (r *result) recorded(t *testing.T, name string) ([]truth, []waitedRow) {
	t.Helper()
	if got := r.status(t, name); got != 0 {
		t.Errorf("%s: record ended with %d:\n%s", name, got, r.read(t, name+".err"))
	}
	var done []truth
	for line := range strings.Lines(r.read(t, name+".jsonl")) {
		var d truth
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		done = append(done, d)
	}
	out, err := exec.Command(program(t), "view", "--json", filepath.Join(r.dir, name+".e4d")).Output()
	if err != nil {
		t.Errorf("%s: view: %v", name, err)
	}
	return done, writes[waitedRow](t, string(out))
}

// attributed checks a scenario, and prints its line of the table in docs/holders.md.
func (r *result) attributed(t *testing.T, name string, a *attribution) {
	t.Helper()
	if a == nil {
		t.Errorf("%s: nothing was done", name)
		return
	}
	t.Logf("| %s | %s | %d | %d | %.1f | %.1f | %.1f | %.1f |", name, r.kernel.name, a.Waits, a.Waited/1e6,
		100*a.share(a.Right), 100*a.share(a.Woken), 100*a.share(a.Unknown), 100*a.share(a.Wrong))
	if a.Seen != a.Writes {
		t.Errorf("%s: %d writes were made, %d were seen", name, a.Writes, a.Seen)
	}
	if a.Waits < 50 {
		t.Errorf("%s: %d waits are not enough", name, a.Waits)
	}
	least := 0.9 // a machine with other work wakes those who wait late, and nobody has the lock then
	if os.Getenv("EXT4DIO_FULL") != "" {
		least = 0.95
	}
	if name == "swapon" || name == "rename" { // without a probe: one that gets the lock in the midst of a wait, and without a queue, is not seen
		least = 0.8
	}
	if a.share(a.Right) < least || a.share(a.Wrong) > 0.01 {
		t.Errorf("%s: %.1f %% of %d ms waited are right, %.1f %% wrong:\n%s", name, 100*a.share(a.Right), a.Waited/1e6, 100*a.share(a.Wrong),
			strings.Join(slices.Clip(a.Faults), "\n"))
	}
}
