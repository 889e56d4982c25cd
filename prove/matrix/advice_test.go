package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// proof is an entry of the catalogue, and two loads of testdata/advice: one that has its cause,
// and the same writes with a remedy of it.
type proof struct {
	id            string
	before, after string // NAME/FORM
	remedy        string // in words, for docs/advice.md
	least         float64
	short         bool // it is proven each time, and else with EXT4DIO_FULL only
}

// proofs are of all that is advised on 7.3. least is by how much more is written a second with
// the remedy, at least, on a disk of 5 ms by eight writers or fewer; 0: fewer tries are refused;
// none: as many are, so that it is not advised.
var proofs = []proof{
	{"zeroing", "zeroing/before", "zeroing/after", "the file was written beforehand", 4, true},
	{"zeroing", "zeroing/before", "zeroing/aligned", "whole blocks are written", 4, false},
	{"unaligned-unwritten", "unaligned-unwritten/before", "unaligned-unwritten/after", "whole blocks are written", 4, false},
	{"unaligned-unwritten", "unaligned-unwritten/before", "unaligned-unwritten/written", "the file was written beforehand", 4, false},
	{"tail-unwritten", "tail-unwritten/before", "tail-unwritten/after", "the log was written beforehand", 2, false},
	{"tail-unwritten", "tail-unwritten/before", "tail-unwritten/padded", "each write is padded to its block", 2, false},
	{"extending", "extending/before", "extending/after", "the file was written as far beforehand", 2, false},
	{"extending", "extending/before", "extending/isize", "i_size was set as far beforehand", 2, false},
	{"extending", "extending/before", "extending/allocated", "the blocks were allocated as far beforehand", 2, false},
	{"appenders", "appenders/before", "appenders/after", "one writer, eight times as much at once", 4, false},
	{"appenders", "appenders/before", "appenders/places", "each writer has its place", 4, false},
	{"nowait-timestamps", "nowait-timestamps/before", "nowait-timestamps/no-nowait", "no RWF_NOWAIT", 0, false},
	{"nowait-timestamps", "nowait-timestamps/before", "nowait-timestamps/lazytime", "mounted with lazytime (which is not advised)", none, false},
	{"nowait-timestamps", "uring-timestamps/before", "uring-timestamps/async", "io_uring: IOSQE_ASYNC", 0, false},
	{"nowait-timestamps", "uring-timestamps/before", "uring-timestamps/lazytime", "io_uring: mounted with lazytime (which is not advised)", none, false},
	{"nosec", "nosec/before", "nosec/after", "no set-user-ID bit", 4, false},
	{"fallback", "fallback/before", "fallback/after", "a file with extents", 1.2, false},
	{"readers-beside", "readers-beside/before", "readers-beside/after", "the file was written as far beforehand", 1.5, false},
	{"fallocate-beside", "fallocate-beside/before", "fallocate-beside/after", "all was allocated beforehand", 1.5, false},
}

const none = -1

// healthy are loads of which nothing is advised. Overwrites are what nosec is with its remedy.
var healthy = []string{"healthy-overwrites/before", "healthy-appender/before", "healthy-reads/before", "healthy-database/before"}

// made is what a load did, and what is advised of its recording.
type made struct {
	load                   string
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
			TimeLost     uint64 `json:"time_lost_ns"`
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
	all, whole := proofs, healthy
	if !full {
		all = slices.DeleteFunc(slices.Clone(proofs), func(p proof) bool { return !p.short })
		whole = []string{"nosec/after"}
	}
	loads := slices.Clone(whole)
	for _, p := range all {
		loads = append(loads, p.before, p.after)
	}
	if full {
		loads = append(loads, newer...)
	}
	made := adviceGuest(t, "debian-7.3", loads...)
	for _, p := range all {
		p.proven(t, made[p.before], made[p.after])
	}
	for _, load := range whole {
		made[load].healthy(t)
	}
	if full {
		newerKernel(t, made)
	}
}

// newer are loads that 7.3 makes otherwise than 7.2.
var newer = []string{"kernel-patch/before", "healthy-ring/before"}

// newerKernel: what 7.2 makes exclusive without need is what it is advised of. 7.3 needs no
// such advice, and refuses tries of io_uring that 7.2 lets wait.
func newerKernel(t *testing.T, later map[string]*made) {
	t.Helper()
	old := adviceGuest(t, "debian-sid", newer...)
	p := proof{id: "kernel-patch", remedy: "Linux 7.3", least: 4}
	p.proven(t, old[newer[0]], later[newer[0]])
	later[newer[0]].healthy(t)
	old[newer[1]].healthy(t)
}

// adviceGuest makes loads in a kernel, each once, by a clock that counts instructions: it does
// not matter what else this machine does.
func adviceGuest(t *testing.T, kernel string, loads ...string) map[string]*made {
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
	loads = slices.Compact(slices.Sorted(slices.Values(loads)))
	args := []string{"--smp", "1", "--count-instructions", "--null-blk", "512M", "--latency", "5ms", "--share", share, "--out", r.dir, "--", "exec", "--", "sh", "/share/advice.sh"}
	if _, stderr, status := guest(t, kernelSpec(t, kernel), append(args, loads...)...); status != 0 {
		t.Fatalf("vm ended with %d:\n%s", status, stderr)
	}
	all := map[string]*made{}
	for _, load := range loads {
		all[load] = r.made(t, load)
	}
	return all
}

// made reads what a load did.
func (r *result) made(t *testing.T, load string) *made {
	t.Helper()
	name := strings.ReplaceAll(load, "/", "-")
	if got := r.status(t, name); got != 0 {
		t.Fatalf("%s ended with %d:\n%s", name, got, r.read(t, name+".err"))
	}
	m := &made{load: load}
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
	if s := &m.traced.Summary; m.Writes == 0 || s.Seen < uint64(m.Writes+m.Refused) || s.Lost > 0 || s.Verdicts["agree"] != s.Seen {
		t.Errorf("%s: %d writes were made, %d refused: seen were %+v", name, m.Writes, m.Refused, s)
	}
	return m
}

// rate is how much was written, MB a second.
func (m *made) rate() float64 { return float64(m.Bytes) / 1e6 / m.Seconds }

// again is how many tries were made besides the writes.
func (m *made) again() uint64 { return m.traced.Summary.Seen - uint64(m.Writes) }

// lost is the time that an entry says was lost, 0 when it is not advised.
func (m *made) lost(id string) uint64 {
	for _, a := range m.traced.Summary.Advice {
		if a.ID == id {
			return a.TimeLost
		}
	}
	return 0
}

// proven checks an entry, and prints its line of the table in docs/advice.md.
func (p *proof) proven(t *testing.T, before, after *made) {
	t.Helper()
	t.Logf("| %s | %s | %s | %s |", p.id, before.row(), p.remedy, after.row())
	if all := before.traced.Summary.Advice; len(all) == 0 || all[0].ID != p.id {
		t.Errorf("%s: advised first is not %s: %+v", before.load, p.id, all)
	}
	if p.least == none {
		if after.again() < before.again()/2 {
			t.Errorf("%s: %s: %d tries again, before %d: it is a remedy that is to be advised", before.load, p.remedy, after.again(), before.again())
		}
		return
	}
	if was, is := before.lost(p.id), after.lost(p.id); is > was/2 {
		t.Errorf("%s: with the remedy (%s) it loses %d ns, before %d: %+v", before.load, p.remedy, is, was, after.traced.Summary.Advice)
	}
	if more := after.rate() / before.rate(); more < p.least {
		t.Errorf("%s: with the remedy (%s) %.1f times as much is written, want %.1f", before.load, p.remedy, more, p.least)
	}
	if p.least == 0 && after.again() >= before.again() {
		t.Errorf("%s: %d tries again, with the remedy (%s) %d", before.load, before.again(), p.remedy, after.again())
	}
}

// row is a load in the table: how much, and what of it was exclusive, waited, and was refused.
func (m *made) row() string {
	s := &m.traced.Summary
	text := fmt.Sprintf("%.2f MB/s, %.0f %% exclusive, %.1f s waited", m.rate(), 100*float64(s.Exclusive)/float64(m.Writes), float64(s.WaitNs)/1e9)
	if n := m.again(); n > 0 {
		text += fmt.Sprintf(", %d of %d tries refused", n, s.Seen)
	}
	return text
}

// healthy checks that nothing is advised of a load.
func (m *made) healthy(t *testing.T) {
	t.Helper()
	t.Logf("| %s | %s |", m.load, m.row())
	if all := m.traced.Summary.Advice; len(all) > 0 || all == nil {
		t.Errorf("%s: advised is %+v", m.load, all)
	}
}
