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

// proof is an entry of the catalogue with a program that makes its cause, and makes the same
// writes with a remedy of it: testdata/advice has both.
type proof struct {
	load, id     string
	after        string // form of the load
	remedy       string // in words, for docs/advice.md
	least        float64
	short        bool // it is proven each time, and else with EXT4DIO_FULL only
	before, then *made
}

// proofs are all that the catalogue says. least is by how much more is written a second with
// the remedy, at least: a disk of 5 ms, eight writers or fewer.
var proofs = []proof{
	{load: "zeroing", after: "after", remedy: "the file was written beforehand", least: 3, short: true},
	{load: "unaligned-unwritten", after: "after", remedy: "whole blocks are written", least: 3},
	{load: "tail-unwritten", after: "after", remedy: "the log was written beforehand", least: 2},
	{load: "extending", after: "after", remedy: "the file was written as far beforehand", least: 1.5},
	{load: "appenders", after: "after", remedy: "one writer, eight times as much at once", least: 3, short: true},
	{load: "nowait-timestamps", after: "no-nowait", remedy: "no RWF_NOWAIT"},
	{load: "nowait-timestamps", after: "lazytime", remedy: "mounted with lazytime"},
	{load: "uring-timestamps", id: "nowait-timestamps", after: "async", remedy: "IOSQE_ASYNC"},
	{load: "uring-timestamps", id: "nowait-timestamps", after: "lazytime", remedy: "mounted with lazytime"},
	{load: "nosec", after: "after", remedy: "no set-user-ID bit", least: 3, short: true},
	{load: "fallback", after: "after", remedy: "a file with extents"},
	{load: "readers-beside", after: "after", remedy: "the file was written as far beforehand", least: 1.5},
	{load: "fallocate-beside", after: "after", remedy: "all was allocated beforehand", least: 1.5},
}

// made is what a load did, and what is advised of its recording.
type made struct {
	Writes, Bytes, Refused int64
	Seconds                float64
	traced                 advisedTrace
}

// advisedTrace is what check --json says of a recording, as far as it is looked at.
type advisedTrace struct {
	Summary struct {
		Seen, Shared, Exclusive, Lost uint64
		WaitNs                        uint64 `json:"wait_ns"`
		Verdicts                      map[string]uint64
		Advice                        []struct {
			ID, Sentence string
			Share        float64
		}
	}
}

// TestAdvice: the first that is advised of a recording of a known cause names it. With the
// remedy it is advised no more, and more is written a second, or less refused. Who loses no
// time is advised nothing.
func TestAdvice(t *testing.T) {
	need(t)
	t.Parallel()
	full := os.Getenv("EXT4DIO_FULL") != ""
	names := []string{"healthy-overwrites"}
	if full {
		names = append(names, "healthy-appender", "healthy-reads", "healthy-database", "kernel-patch")
	}
	for _, p := range proofs {
		if full || p.short {
			names = append(names, p.load)
		}
	}
	r := adviceGuest(t, "debian-7.3", names...)
	for i := range proofs {
		if p := &proofs[i]; full || p.short {
			p.before, p.then = r.made(t, p.load, "before"), r.made(t, p.load, p.after)
			p.proven(t)
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "healthy-") {
			r.healthy(t, name)
		}
	}
	if !full {
		return
	}
	old := adviceGuest(t, "debian-sid", "kernel-patch", "healthy-ring")
	old.healthy(t, "healthy-ring")
	p := proof{load: "kernel-patch", remedy: "Linux 7.3", least: 3}
	p.before, p.then = old.made(t, p.load, "before"), r.made(t, p.load, "before")
	p.proven(t)
}

// adviceGuest makes loads in a kernel, all their forms, by a clock that counts instructions:
// it does not matter what else this machine does.
func adviceGuest(t *testing.T, kernel string, names ...string) *result {
	t.Helper()
	r := &result{dir: t.TempDir()}
	share := t.TempDir()
	script, err := os.ReadFile("testdata/advice/advice.sh")
	if err == nil {
		err = os.WriteFile(filepath.Join(share, "advice.sh"), script, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(share, "cause"), "./testdata/advice")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	args := []string{"--smp", "1", "--count-instructions", "--null-blk", "512M", "--latency", "5ms", "--share", share, "--out", r.dir, "--", "exec", "--", "sh", "/share/advice.sh"}
	if _, stderr, status := guest(t, kernelSpec(t, kernel), append(args, names...)...); status != 0 {
		t.Fatalf("vm ended with %d:\n%s", status, stderr)
	}
	return r
}

// made reads what a load did.
func (r *result) made(t *testing.T, load, form string) *made {
	t.Helper()
	name := load + "-" + form
	if got := r.status(t, name); got != 0 {
		t.Fatalf("%s ended with %d:\n%s", name, got, r.read(t, name+".err"))
	}
	m := &made{}
	for line := range strings.Lines(r.read(t, name+".err")) {
		if strings.HasPrefix(line, "{") {
			if err := json.Unmarshal([]byte(line), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), program(t), "check", "--json", filepath.Join(r.dir, name+".e4d")).Output()
	if err != nil {
		t.Fatalf("%s: check: %v", name, err)
	}
	var all struct{ Traces []advisedTrace }
	if err := json.Unmarshal(out, &all); err != nil || len(all.Traces) != 1 {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	m.traced = all.Traces[0]
	if s := &m.traced.Summary; m.Writes == 0 || s.Seen != uint64(m.Writes+m.Refused) && m.Refused > 0 || s.Lost > 0 || s.Verdicts["agree"] != s.Seen {
		t.Errorf("%s: %d writes were made, %d refused: seen were %+v", name, m.Writes, m.Refused, s)
	}
	return m
}

// rate is how much was written, MB a second.
func (m *made) rate() float64 { return float64(m.Bytes) / 1e6 / m.Seconds }

// again is how many tries were made besides the writes.
func (m *made) again() uint64 { return m.traced.Summary.Seen - uint64(m.Writes) }

// has tells whether an entry is advised.
func (m *made) has(id string) bool {
	for _, a := range m.traced.Summary.Advice {
		if a.ID == id {
			return true
		}
	}
	return false
}

// proven checks an entry, and prints its line of the table in docs/advice.md.
func (p *proof) proven(t *testing.T) {
	t.Helper()
	id := p.id
	if id == "" {
		id = p.load
	}
	before, then := &p.before.traced.Summary, &p.then.traced.Summary
	t.Logf("| %s | %s | %s | %s |", id, p.before.row(), p.remedy, p.then.row())
	if len(before.Advice) == 0 || before.Advice[0].ID != id {
		t.Errorf("%s: what is advised first is not that: %+v", p.load, before.Advice)
	}
	if p.then.has(id) && then.Advice[0].Share > before.Advice[0].Share/2 {
		t.Errorf("%s: with the remedy (%s) it is advised as before: %+v", p.load, p.remedy, then.Advice)
	}
	if more := p.then.rate() / p.before.rate(); more < p.least {
		t.Errorf("%s: with the remedy (%s) %.1f times as much is written, want %.1f", p.load, p.remedy, more, p.least)
	}
	if p.least == 0 && p.then.again() >= p.before.again() && p.before.again() > 0 {
		t.Errorf("%s: %d tries again, with the remedy (%s) %d", p.load, p.before.again(), p.remedy, p.then.again())
	}
}

// row is a load in the table: how much, what of it was exclusive, refused, and waited.
func (m *made) row() string {
	s := &m.traced.Summary
	text := fmt.Sprintf("%.2f MB/s, %.0f %% exclusive, waited %.1f s", m.rate(), 100*float64(s.Exclusive)/float64(m.Writes), float64(s.WaitNs)/1e9)
	if n := m.again(); n > 0 {
		text += fmt.Sprintf(", %d of %d tries refused", n, s.Seen)
	}
	return text
}

// healthy checks that nothing is advised of a load.
func (r *result) healthy(t *testing.T, load string) {
	t.Helper()
	m := r.made(t, load, "before")
	t.Logf("| %s | %s |", load, m.row())
	if all := m.traced.Summary.Advice; len(all) > 0 || all == nil {
		t.Errorf("%s: advised is %+v", load, all)
	}
}
