package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestLoss: with a ring buffer that is too small every write is either seen or counted
// as lost, and the status says so. With the default settings nothing is lost of one, four
// and sixteen writers at full speed.
func TestLoss(t *testing.T) {
	need(t)
	t.Parallel()
	spec := kernelSpec(t, "debian-7.3")
	t.Run("small", func(t *testing.T) {
		r := lossGuest(t, spec, "small")
		for name, count := range map[string]func(*testing.T, string) capture{"drain": r.drained, "live": r.live} {
			c := count(t, name)
			t.Logf("%s: %d seen, %d lost", name, c.seen, c.lost)
			if c.seen+c.lost != 2000 || c.seen == 0 || c.lost == 0 {
				t.Errorf("%s: %d seen and %d lost of 2000 writes", name, c.seen, c.lost)
			}
			if got := r.status(t, name); got != 4 {
				t.Errorf("%s ended with %d, want 4", name, got)
			}
			if errs := r.read(t, name+".err"); !strings.Contains(errs, fmt.Sprintf("%d writes: ring buffer full (try --ring)", c.lost)) {
				t.Errorf("%s does not say what it lost:\n%s", name, errs)
			}
		}
		t.Run("sample", r.sampled)
		t.Run("soak", func(t *testing.T) {
			if r.status(t, "soak") != 0 {
				t.Fatal(r.read(t, "soak.err"))
			}
			for _, text := range soakProblems(t, r.read(t, "soak.jsonl"), 2) {
				t.Error(text)
			}
		})
	})
	t.Run("full", func(t *testing.T) {
		r := lossGuest(t, spec, "full")
		for name, count := range map[string]func(*testing.T, string) capture{
			"drain-16": r.drained, "live-1": r.live, "live-4": r.live, "live-16": r.live,
		} {
			if got := count(t, name); got.seen != fullWrites || got.lost != 0 || r.status(t, name) != 0 {
				t.Errorf("%s: %d seen and %d lost of %d writes, status %d:\n%s", name, got.seen, got.lost, fullWrites,
					r.status(t, name), r.read(t, name+".err"))
			}
		}
	})
}

// fullWrites are more than the ring buffer of 8 MiB that is the default holds at once:
// a write of 512 bytes over a written block takes some 240 bytes of it.
const fullWrites = 48000

// capture is how many writes a tracer saw and lost.
type capture struct{ seen, lost int }

// lossGuest runs a case of the script in a guest with a disk that answers at once.
func lossGuest(t *testing.T, spec, name string) *result {
	t.Helper()
	r := &result{dir: t.TempDir()}
	share := t.TempDir()
	if err := os.CopyFS(share, os.DirFS("testdata/loss")); err != nil {
		t.Fatal(err)
	}
	if name == "small" {
		buildSoak(t, share)
	}
	args := []string{"--null-blk", "512M", "--share", share, "--out", r.dir}
	for _, name := range []string{"dd", "grep"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--bin", file)
	}
	_, stderr, status := guest(t, spec, append(args, "--", "exec", "--", "sh", "/share/loss.sh", name)...)
	if status != 0 {
		t.Fatalf("the guest ended with %d:\n%s", status, stderr)
	}
	return r
}

// drained reads the last line of bench drain.
func (r *result) drained(t *testing.T, name string) (c capture) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.read(t, name+".json")), "\n")
	var end struct {
		At     string
		Writes map[string]int
		Lost   int
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &end); err != nil || end.At != "end" {
		t.Fatalf("%s did not end: %v in %s", name, err, lines)
	}
	for _, n := range end.Writes {
		c.seen += n
	}
	c.lost = end.Lost
	return c
}

// live reads the summary of live, whose lines must be as many as it says to have seen.
func (r *result) live(t *testing.T, name string) (c capture) {
	t.Helper()
	var s summary
	r.json(t, name+".json", &s)
	if s.Issued != s.Seen+s.Lost {
		t.Errorf("%s: issued %d is not seen %d + lost %d", name, s.Issued, s.Seen, s.Lost)
	}
	text := r.read(t, name+".lines")
	if s.Lost > 0 && !strings.Contains(text, `"kind":"loss"`) {
		t.Errorf("%s: %d writes are lost, and no line between the others says so", name, s.Lost)
	}
	if lines := strings.Count(text, `{"time_ns":`); lines != int(s.Seen) {
		t.Errorf("%s: %d lines of %d writes", name, lines, s.Seen)
	}
	return capture{seen: int(s.Seen), lost: int(s.Lost)}
}
