package probes

import (
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/ext4dio/ext4dio-trace/record"
)

// One program, attached once, is at the functions of all holders where a program can be at
// several; the cookies say which is which. Each program of a plan is attached.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		attach string
		shared []string // in the order in which they are attached
		links  int      // of each
	}{
		{HowSession, []string{"ks_hold"}, 1},
		{HowMulti, []string{"kr_hold", "kp_hold"}, 1},
		{HowKprobe, []string{"kr_hold", "kp_hold"}, 10},
		{HowFentry, nil, 0},
	} {
		p, err := MakePlan(facts(t, "debian-7.3"), Options{Attach: tt.attach})
		if err != nil {
			t.Fatal(err)
		}
		want, got, functions := map[string]int{}, map[string]int{}, map[string][]string{}
		for i := range p.Probes {
			for _, name := range p.Probes[i].Programs {
				want[name]++
			}
		}
		var order []string
		for _, a := range p.places() {
			if strings.HasSuffix(a.name, "_"+sharedHold) && !slices.Contains(order, a.name) {
				order = append(order, a.name)
			}
			got[a.name]++
			functions[a.name] = append(functions[a.name], a.funcs()...)
		}
		if !slices.Equal(order, tt.shared) {
			t.Errorf("%s: shared are %v, want %v", tt.attach, order, tt.shared)
		}
		for name, n := range want {
			if len(functions[name]) != n {
				t.Errorf("%s: %s is at %v, want %d functions", tt.attach, name, functions[name], n)
			}
			if slices.Contains(tt.shared, name) && got[name] != tt.links {
				t.Errorf("%s: %d links of %s, want %d", tt.attach, got[name], name, tt.links)
			}
		}
	}
}

// The functions of a link are named all by their addresses or all by their symbols, each
// with its own cookie.
func TestMultiOptions(t *testing.T) {
	f := facts(t, "debian-7.3")
	p, err := MakePlan(f, Options{Attach: HowSession})
	if err != nil {
		t.Fatal(err)
	}
	places := p.places()
	hold := places[slices.IndexFunc(places, func(a attached) bool { return a.name == "ks_hold" })]
	o := hold.multi(f)
	if !o.Session || len(o.Symbols) != 10 || o.Addresses != nil || len(slices.Compact(slices.Sorted(slices.Values(o.Cookies)))) != 10 {
		t.Errorf("without addresses: %+v", o)
	}
	if i := slices.Index(o.Symbols, "ext4_llseek"); i < 0 || o.Cookies[i] != uint64(record.HoldSeek) {
		t.Errorf("the cookies %v are not those of %v", o.Cookies, o.Symbols)
	}
	for i, name := range o.Symbols {
		fn := f.Funcs[name]
		fn.addr = uint64(1000 + i)
		f.Funcs[name] = fn
	}
	if o := hold.multi(f); len(o.Addresses) != 10 || o.Addresses[9] != 1009 || o.Symbols != nil {
		t.Errorf("with addresses: %+v", o)
	}
	write := places[slices.IndexFunc(places, func(a attached) bool { return a.at[0].Name == "write" })]
	if o := write.multi(f); o.Cookies != nil {
		t.Errorf("the entry of a write has the cookies %v", o.Cookies)
	}
}

// Where sessions are chosen, a function is probed in one way: with two the kernel looks
// through all its tracers at each call, which took more than all the programs of a buffered
// write together.
func TestOneWay(t *testing.T) {
	for _, kernel := range []string{"debian-7.2", "debian-7.3", "debian-7.3-cloud", "debian-7.3-rt"} {
		for _, holders := range HoldersWays {
			p, err := MakePlan(facts(t, kernel), Options{Holders: holders})
			if err != nil {
				t.Fatal(err)
			}
			ways := map[string]string{}
			for _, a := range p.places() {
				way := a.at[0].How
				if way == HowRawTP {
					continue
				}
				if way == HowSession || way == HowMulti && atReturn(a.name) {
					way = "function graph"
				}
				for _, fn := range a.funcs() {
					if was := ways[fn]; was != "" && was != way {
						t.Errorf("%s, --holders %s: %s is probed by %s and by %s", kernel, holders, fn, was, way)
					}
					ways[fn] = way
				}
			}
			if ways["ext4_file_write_iter"] != "function graph" || ways["iomap_dio_rw"] != HowMulti {
				t.Errorf("%s: %v", kernel, ways)
			}
		}
	}
}

// What the kernel skips at the return of ext4_buffered_write_iter is lost of a holder; at the
// entry, which a session shares with the return, it is lost of a write.
func TestSpareReturn(t *testing.T) {
	for attach, want := range map[string]map[string]bool{
		HowSession: {"ks_buffered": false},
		HowMulti:   {"kp_buffered": false, "kr_buffered": true},
		HowKprobe:  {"kp_buffered": false, "kr_buffered": true},
		HowFentry:  {"fe_buffered": false, "fx_buffered": true},
	} {
		for holders, n := range map[string]int{HoldersAuto: len(want), HoldersOff: 1} {
			p, err := MakePlan(facts(t, "debian-7.3"), Options{Attach: attach, Holders: holders})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range p.places() {
				if a.at[0].Name != "buffered" {
					continue
				}
				n--
				if spare, known := want[a.name]; known && a.spare() != spare {
					t.Errorf("%s: %s is spare: %v", attach, a.name, a.spare())
				}
			}
			if n != 0 {
				t.Errorf("%s, --holders %s: %d programs at ext4_buffered_write_iter too few", attach, holders, n)
			}
		}
	}
}

// For a kernel that has none of them no program calls a function of the kernel, which would
// be looked for in every module; where a program begins and ends stays as it is.
func TestWithoutKfuncs(t *testing.T) {
	before, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	after := before.Copy()
	withoutKfuncs(after)
	calls := func(p *ebpf.ProgramSpec) bool {
		return slices.ContainsFunc(p.Instructions, func(ins asm.Instruction) bool { return ins.IsKfuncCall() })
	}
	had := 0
	for name, p := range after.Programs {
		if strings.HasPrefix(name, "ks_") { // such a kernel has no sessions
			continue
		}
		if calls(before.Programs[name]) {
			had++
		}
		if calls(p) {
			t.Errorf("%s calls a function of the kernel", name)
		}
		for i := range p.Instructions {
			if was := before.Programs[name].Instructions[i]; was.Symbol() != p.Instructions[i].Symbol() {
				t.Errorf("%s: instruction %d is no longer that of %s", name, i, was.Symbol())
			}
		}
	}
	if had < 20 {
		t.Errorf("only %d programs called one before", had)
	}
}
