package probes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// symbols is a kallsyms with one function of each kind that must be there.
func symbols(without string, more ...string) string {
	var b strings.Builder
	for i, g := range sleepFuncs {
		if g.key[0] == without {
			continue
		}
		mod := ""
		if strings.Contains(g.key[0], "ext4") {
			mod = "\t[ext4]"
		}
		fmt.Fprintf(&b, "ffffffff8%07x T %s%s\n", 0x1000*(i+1), g.key[0], mod)
	}
	fmt.Fprintln(&b, "ffffffff80100000 T last_function")
	for _, line := range more {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

func scan(t *testing.T, text string) *Facts {
	t.Helper()
	f := &Facts{Funcs: map[string]Func{}, Addresses: map[string]uint64{}}
	if err := f.scanKallsyms(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return f
}

// find is the search of bpf/sleep.h.
func find(spans []span, ip uint64) frame {
	table := padSpans(spans)
	at := 0
	for half := maxSpans / 2; half > 0; half /= 2 {
		if table[at+half].Start < ip {
			at += half
		}
	}
	if s := table[at]; s.Start < ip && ip-s.Start <= uint64(s.Len) {
		return s.Frame
	}
	return 0
}

// A function reaches to the next symbol of the kernel, or of its module in
// whatever order that lists them; cold parts and clones belong to it.
func TestSpans(t *testing.T) {
	f := scan(t, symbols("",
		"ffffffffc0002000 t ext4_bread.cold\t[ext4]",
		"ffffffffc0001000 t ext4_read_bh_lock\t[ext4]",
		"ffffffffc0001400 t something\t[other]",
		"ffffffffc0001800 t ext4_other\t[ext4]",
		"ffffffffc0002100 t __ext4_sb_bread_gfp.isra.0\t[ext4]",
		"ffffffffc0002200 d ext4_data\t[ext4]",
		"ffffffffc0003000 t ext4_getblk_last\t[ext4]",
		"ffffffffc0004000 t do_get_write_access\t[jbd2]",
		"ffffffffc0005000 t submit_bio\t[bpf]"))
	if f.SleepCauses != "" {
		t.Fatalf("no spans: %s", f.SleepCauses)
	}
	meta := frame(record.SleepMetadata)
	for ip, want := range map[uint64]frame{
		0xffffffff80001000: 0, // the caller of the function before
		0xffffffff80001001: frameWrite,
		0xffffffff80002001: frameIomap,
		0xffffffff80003000: frameIomap, // a call was its last instruction
		0xffffffff80003001: frameSched,
		0xffffffffc0001001: meta,
		0xffffffffc0001800: meta,
		0xffffffffc0001801: 0,
		0xffffffffc0002050: meta,
		0xffffffffc0002150: meta,
		0xffffffffc0002250: 0,
		0xffffffffc0004010: 0, // where it ends is not known
		0xffffffffc0005010: 0,
		0:                  0,
		^uint64(0):         0,
	} {
		if got := find(f.spans, ip); got != want {
			t.Errorf("%#x: frame %d, want %d", ip, got, want)
		}
	}
}

// Without one kind of functions a cause could pass for another, so none is told;
// nor is it when the kernel hides its addresses. The plan says so.
func TestNoSpans(t *testing.T) {
	for _, g := range sleepFuncs {
		f := scan(t, symbols(g.key[0]))
		if len(f.spans) > 0 || !strings.Contains(f.SleepCauses, g.key[0]) {
			t.Errorf("without %s: %d spans, %q", g.key[0], len(f.spans), f.SleepCauses)
		}
		if got := sleepTells(f); !strings.Contains(got, g.key[0]) {
			t.Errorf("without %s: %s", g.key[0], got)
		}
	}
	hidden := strings.ReplaceAll(symbols(""), "ffffffff8", "000000000")
	for i := range sleepFuncs {
		hidden = strings.ReplaceAll(hidden, fmt.Sprintf("%07x", 0x1000*(i+1)), "0000000")
	}
	if f := scan(t, hidden); len(f.spans) > 0 || f.SleepCauses == "" {
		t.Errorf("hidden: %d spans, %q", len(f.spans), f.SleepCauses)
	}
	if table := padSpans(nil); table[0].Start != ^uint64(0) || find(nil, 1) != 0 {
		t.Error("an empty table holds something")
	}
}

// Each function tells one thing, and all of them fit.
func TestSleepFuncs(t *testing.T) {
	seen, n := map[string]bool{}, 0
	for _, g := range sleepFuncs {
		if len(g.key) == 0 {
			t.Errorf("frame %d has no key", g.frame)
		}
		for _, name := range append(append([]string(nil), g.key...), g.more...) {
			if seen[name] {
				t.Errorf("%s is listed twice", name)
			}
			seen[name] = true
			n++
		}
	}
	if n*2 > maxSpans {
		t.Errorf("%d functions, which may have cold parts, in %d spans", n, maxSpans)
	}
}

// The plan names what is missing at the probe that it is missing from.
func TestPlanOfSleeps(t *testing.T) {
	f := facts(t, "debian-7.3")
	for _, why := range []string{"", "no address of submit_bio"} {
		f.SleepCauses = why
		p, err := MakePlan(f, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Probes {
			if pp := &p.Probes[i]; pp.Func == "sched_switch" && pp.Tells != sleepTells(f) {
				t.Errorf("%q: %s", why, pp.Tells)
			}
		}
	}
}
