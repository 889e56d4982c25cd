package probes

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
)

// The kernel, asked symbol by symbol, tells what its list tells. matrix runs this in
// virtual machines; elsewhere it is done where it is allowed.
func TestSymbolsBothWays(t *testing.T) {
	asked := &Facts{Funcs: map[string]Func{}, Addresses: map[string]uint64{}, types: btf.NewCache()}
	if !mayTrace() {
		t.Skip("needs CAP_BPF with CAP_PERFMON")
	}
	if !asked.findsByName() {
		t.Skip("this kernel does not have its symbols sorted by name (before 6.2), or no BTF")
	}
	listed := &Facts{Funcs: map[string]Func{}, Addresses: map[string]uint64{}}
	if err := listed.readKallsyms(); err != nil {
		t.Fatal(err)
	}
	all, err := askSymbols()
	if err != nil {
		t.Fatal(err)
	}
	if !asked.takeSymbols(all) {
		t.Fatal("something that matters was not found")
	}
	if asked.Ext4 != listed.Ext4 || asked.SleepCauses != listed.SleepCauses {
		t.Errorf("ext4 %q, causes %q; the list: %q, %q", asked.Ext4, asked.SleepCauses, listed.Ext4, listed.SleepCauses)
	}
	differ(t, "function", asked.Funcs, listed.Funcs)
	differ(t, "address", asked.Addresses, listed.Addresses)
	differ(t, "span", byStart(asked.spans), byStart(listed.spans))
	if !t.Failed() {
		t.Logf("both ways: %d functions, %d addresses, %d spans", len(listed.Funcs), len(listed.Addresses), len(listed.spans))
	}
}

// Size and module are read out of the kernel's words.
func TestParseSymbol(t *testing.T) {
	for text, want := range map[string]found{
		"ext4_bread+0x0/0x1a0 [ext4]":    {size: 0x1a0, module: "ext4"},
		"submit_bio.part.0+0x0/0x20":     {size: 0x20},
		"ext4_iomap_ops+0x0/0x20 [ext4]": {size: 0x20, module: "ext4"},
		"0xffffffff81000000":             {},
		"ext4_bread+0x0/0x1a0 [ext4":     {size: 0x1a0, module: "ext4"}, // cut
		"":                               {},
	} {
		if size, module := parseSymbol(text); size != want.size || module != want.module {
			t.Errorf("%q: %#x of module %q, want %#x of %q", text, size, module, want.size, want.module)
		}
	}
}

// answers is what a kernel answers that has one function of each kind, and the
// required ones.
func answers(without string) []found {
	var names []string
	for _, p := range table {
		if !p.is(tracepoint) {
			names = append(names, p.funcs[0])
		}
	}
	for _, g := range sleepFuncs {
		names = append(names, g.key[0])
	}
	slices.Sort(names)
	var all []found
	for i, n := range slices.Compact(names) {
		if n == without {
			continue
		}
		s := found{name: n, addr: uint64(i+1) << 12, size: 64}
		if strings.Contains(n, "ext4") {
			s.module = "ext4"
		}
		all = append(all, s)
	}
	return all
}

// What was found is taken as from the list; when something that matters is missing,
// nothing is, because the list may have it by another name.
func TestTakeSymbols(t *testing.T) {
	fresh := func() *Facts { return &Facts{Funcs: map[string]Func{}, Addresses: map[string]uint64{}} }
	f := fresh()
	if !f.takeSymbols(append(answers(""), found{name: "ext4_map_blocks.cold", addr: 1, size: 8, module: "ext4"}, found{name: "io_complete_rw", addr: 2})) {
		t.Fatal("not taken")
	}
	want := Func{Symbol: true, Suffix: true, Module: true, addr: f.Funcs["ext4_map_blocks"].addr}
	if f.Funcs["ext4_map_blocks"] != want || want.addr == 0 || f.Ext4 != "module" || f.Addresses["io_complete_rw"] != 2 || len(f.spans) < len(sleepFuncs) {
		t.Errorf("%+v", f)
	}
	// ext4_dio_write_iter may be inlined: ext4_file_write_iter is probed instead.
	for _, name := range []string{"ext4_map_blocks", "iomap_dio_zero", "submit_bio", "__schedule", "jbd2__journal_start"} {
		if f := fresh(); f.takeSymbols(answers(name)) || len(f.Funcs) > 0 || len(f.spans) > 0 || f.Ext4 != "" {
			t.Errorf("taken without %s: %+v", name, f)
		}
	}
	all := answers("")
	for i := range all {
		if all[i].name == "submit_bio" {
			all[i].size = 0
		}
	}
	if fresh().takeSymbols(all) {
		t.Error("taken although it is not known where submit_bio ends")
	}
}

// Every question fits.
func TestForms(t *testing.T) {
	names := slices.Concat(wantedFuncs, wantedSymbols)
	for _, g := range sleepFuncs {
		names = slices.Concat(names, g.key, g.more)
	}
	var all []found
	for _, n := range names {
		all = append(all, found{name: n, module: "ext4"})
	}
	for _, n := range forms(names, all) {
		if len(n+cold) >= len(symbol{}.Name) {
			t.Errorf("%s is too long", n)
		}
	}
	want := []string{"a.part.0", "a.cold", "ext4:b.constprop.0", "ext4:b.part.0", "ext4:b.cold", "c.isra.0", "c.constprop.0", "c.part.0"}
	if got := forms([]string{"a", "b", "c", "io_complete_rw"}, []found{{name: "a"}, {name: "b", module: "ext4"}}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func byStart(spans []span) map[uint64]span {
	m := map[uint64]span{}
	for _, s := range spans {
		m[s.Start] = s
	}
	return m
}

func differ[K interface{ ~string | ~uint64 }, V comparable](t *testing.T, what string, asked, listed map[K]V) {
	t.Helper()
	both := maps.Clone(asked)
	maps.Copy(both, listed)
	for _, k := range slices.Sorted(maps.Keys(both)) {
		a, inAsked := asked[k]
		l, inList := listed[k]
		if a != l || inAsked != inList {
			t.Errorf("%s %v: asked %+v %v, the list says %+v %v", what, k, a, inAsked, l, inList)
		}
	}
}
