package matrix

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// TestBudget: the parts of the time of a write add up to its latency, and they are measured:
// on a disk of 5 ms the part of the device is 5 ms, and hardly anything is left over. That
// disk has a timer of its own: dm-delay takes 4 or 8 ms where the kernel has 250 ticks. The
// loads are ours by every submission path, and writes of O_DSYNC that are queued.
func TestBudget(t *testing.T) {
	need(t)
	t.Parallel()
	on := map[string][]string{"debian-7.3": {"slow"}, "debian-6.1": {"quick"}}
	if os.Getenv("EXT4DIO_FULL") != "" {
		on = nil
	}
	for _, kernel := range []string{"debian-6.1", "debian-6.12", "debian-sid", "debian-7.3"} {
		for disk, args := range map[string][]string{"slow": {"--null-blk", "512M", "--latency", "5ms"}, "quick": {"--null-blk", "512M"}} {
			if on != nil && !slices.Contains(on[kernel], disk) {
				continue
			}
			t.Run(kernel+"-"+disk, func(t *testing.T) {
				r := &result{dir: t.TempDir()}
				fio, err := exec.LookPath("fio")
				if err != nil {
					t.Fatal(err)
				}
				args := append(slices.Clone(args), "--share", "testdata/budget", "--out", r.dir, "--bin", fio, "--", "exec", "--", "sh", "/share/budget.sh")
				if _, stderr, status := guest(t, kernelSpec(t, kernel), args...); status != 0 {
					t.Fatalf("the guest ended with %d:\n%s", status, stderr)
				}
				t.Run("mixed", func(t *testing.T) { budgetsAddUp(t, r.budgets(t, "mixed"), disk == "slow") })
				t.Run("dsync", func(t *testing.T) { flushesAreTold(t, r.budgets(t, "dsync"), disk == "slow") })
			})
		}
	}
}

// budgeted is what the test reads of a line of JSON.
type budgeted struct {
	Ret       *int64         `json:"ret"`
	LatencyNs *uint64        `json:"latency_ns"`
	Caller    string         `json:"caller"`
	Flags     []string       `json:"flags"`
	Unaligned *bool          `json:"unaligned"`
	Extending *bool          `json:"extending"`
	Lock      *string        `json:"lock"`
	Budget    map[string]any `json:"budget"`
}

// ns is a part; ok is false when it is not known.
func (b *budgeted) ns(part string) (ns float64, ok bool) {
	ns, ok = b.Budget[part+"_ns"].(float64)
	return ns, ok
}

// budgets is a recording as view --json shows it, of which nothing may be lost.
func (r *result) budgets(t *testing.T, name string) []budgeted {
	t.Helper()
	if got := r.status(t, name); got != 0 {
		t.Fatalf("record ended with %d:\n%s", got, r.read(t, name+".err"))
	}
	out, err := exec.Command(program(t), "view", "--json", filepath.Join(r.dir, name+".e4d")).Output()
	if err != nil {
		t.Fatal(err)
	}
	return writes[budgeted](t, string(out))
}

func is[T comparable](v *T, want T) bool { return v != nil && *v == want }

// partsOf are the names of the parts.
func partsOf(b map[string]any) (out []string) {
	for name := range b {
		if strings.HasSuffix(name, "_ns") && name != "submitted_ns" {
			out = append(out, strings.TrimSuffix(name, "_ns"))
		}
	}
	return out
}

// addsUp reports whether the parts are all known, and make the latency within 2 %.
func (b *budgeted) addsUp() bool {
	sum := 0.0
	for _, part := range partsOf(b.Budget) {
		ns, ok := b.ns(part)
		if !ok || ns < 0 {
			return false
		}
		sum += ns
	}
	return b.LatencyNs != nil && len(partsOf(b.Budget)) == record.NumBudgetParts && sum >= 0.98*float64(*b.LatencyNs) && sum <= 1.02*float64(*b.LatencyNs)
}

// hasCourse reports whether it is told of each instant in which part the write was.
func (b *budgeted) hasCourse() bool {
	at := 0.0
	spans, _ := b.Budget["spans"].([]any)
	for _, s := range spans {
		span := s.(map[string]any)
		if span["at_ns"] != at {
			return false
		}
		at += span["ns"].(float64)
	}
	return at == float64(*b.LatencyNs)
}

func budgetsAddUp(t *testing.T, all []budgeted, slow bool) {
	var added, small, counted, courses int
	var overwrites []float64
	callers, why := map[string]int{}, map[string]int{}
	for i := range all {
		w := &all[i]
		if w.addsUp() {
			added++
			callers[w.Caller]++
			if w.hasCourse() {
				courses++
			}
		} else {
			text, _ := w.Budget["incomplete"].(string)
			why[text]++
		}
		device, _ := w.ns("device")
		if device == 0 || w.LatencyNs == nil {
			continue // refused, or buffered
		}
		counted++
		if rest, ok := w.ns("rest"); ok && rest < 0.1*float64(*w.LatencyNs) {
			small++
		}
		if is(w.Lock, "shared") && is(w.Unaligned, false) && is(w.Extending, false) {
			overwrites = append(overwrites, device)
		}
	}
	t.Logf("%d of %d writes add up, of %v; not: %v; the course of %d; rest below a tenth: %d of %d", added, len(all), callers, why, courses, small, counted)
	if courses*100 < added*99 {
		t.Errorf("when a write was in which part is told of %d of %d, want 99 %%", courses, added)
	}
	// The kernel skips a program that is preempted on the same CPU; more often where guests
	// share a CPU. Such a budget says what it has not seen, and the others are exact.
	if len(all) < 200 || added*100 < len(all)*97 || why[""] > 0 {
		t.Errorf("%d of %d writes add up, want 97 %%", added, len(all))
	}
	for _, caller := range []string{"sync", "libaio", "io_uring"} {
		if callers[caller] == 0 {
			t.Errorf("no write by %s", caller)
		}
	}
	if !slow {
		return
	}
	if small*100 < counted*90 {
		t.Errorf("the rest is below a tenth of %d of %d writes, want 90 %%", small, counted)
	}
	slices.Sort(overwrites)
	if len(overwrites) == 0 {
		t.Fatal("no aligned overwrite")
	}
	// An emulated disk is late when the machine under it has no time; it is never early.
	least, median := overwrites[0], overwrites[len(overwrites)/2]
	t.Logf("device of %d aligned overwrites: least %.2f ms, median %.2f ms", len(overwrites), least/1e6, median/1e6)
	if least < 4.9e6 || least > 5.5e6 {
		t.Errorf("the shortest device part of an aligned overwrite is %.2f ms of a disk of 5", least/1e6)
	}
}

// flushesAreTold: O_DSYNC by a queue of libaio. The flush is a part of the write, and a slow
// disk is slow at it, too.
func flushesAreTold(t *testing.T, all []budgeted, slow bool) {
	var added, flushed int
	for i := range all {
		w := &all[i]
		if w.addsUp() {
			added++
		}
		if sync, ok := w.ns("sync"); ok && (sync > 4e6 || !slow && sync > 0) {
			flushed++
		}
	}
	t.Logf("%d of %d writes add up, %d have a flush", added, len(all), flushed)
	if len(all) < 100 || added*100 < len(all)*97 || flushed*100 < len(all)*95 {
		t.Errorf("of %d writes %d add up and %d have a flush", len(all), added, flushed)
	}
}
