package probes

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

func (f *Facts) readKallsyms() error {
	file, err := os.Open("/proc/kallsyms")
	if err != nil {
		return fmt.Errorf("read kernel symbols: %w", err)
	}
	defer file.Close()
	if err := f.scanKallsyms(file); err != nil {
		return fmt.Errorf("read kernel symbols: %w", err)
	}
	return nil
}

// scanKallsyms looks for the wanted names among some 200,000 lines of
// "address type name [module]". Without CAP_SYSLOG every address reads as 0, which is
// "not known". A function ends where the next symbol of the kernel begins, or of its
// module, which come in any order; those of modules that hold no sleepFuncs have no size here.
func (f *Facts) scanKallsyms(r io.Reader) error {
	wanted := set(wantedNames())
	addrs := map[string]*[]uint64{} // of all symbols, by module
	for _, module := range sleepModules {
		addrs[module] = &[]uint64{}
	}
	var all []found
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), 64<<10)
	for sc.Scan() {
		hex, rest, _ := bytes.Cut(sc.Bytes(), []byte(" "))
		_, rest, _ = bytes.Cut(rest, []byte(" "))
		name, mod, _ := bytes.Cut(rest, []byte("\t"))
		mod = bytes.Trim(mod, "[]")
		addr, _ := strconv.ParseUint(string(hex), 16, 64)
		if list := addrs[string(mod)]; list != nil {
			*list = append(*list, addr)
		}
		if base, _, _ := bytes.Cut(name, []byte(".")); wanted[string(base)] {
			all = append(all, found{name: string(name), addr: addr, module: string(mod)})
		}
	}
	for _, list := range addrs {
		slices.Sort(*list)
	}
	for i := range all {
		s := &all[i]
		list := addrs[s.module]
		if list == nil || s.addr == 0 {
			continue
		}
		if next, _ := slices.BinarySearch(*list, s.addr+1); next < len(*list) {
			s.size = (*list)[next] - s.addr
		}
	}
	f.spans, f.SleepCauses = spansOf(all)
	f.take(all)
	return sc.Err()
}

func set(names []string) map[string]bool {
	s := map[string]bool{}
	for _, n := range names {
		s[n] = true
	}
	return s
}

// take fills in what the symbols tell of functions and addresses.
func (f *Facts) take(all []found) {
	funcs, symbols := set(wantedFuncs), set(wantedSymbols)
	for _, s := range all {
		base, _, suffixed := strings.Cut(s.name, ".")
		switch {
		case funcs[base]:
			f.addFunc(base, s.addr, suffixed, s.module != "")
		case symbols[s.name]:
			f.Addresses[s.name] = s.addr
		}
	}
}

// addFunc takes up one symbol of a wanted function: base is its name without a suffix.
func (f *Facts) addFunc(base string, addr uint64, suffixed, module bool) {
	fn := f.Funcs[base]
	switch {
	case suffixed:
	case fn.Symbol:
		fn.addr = 0
	default:
		fn.addr = addr
	}
	fn.Symbol = fn.Symbol || !suffixed
	fn.Suffix = fn.Suffix || suffixed
	fn.Module = module
	f.Funcs[base] = fn
	if base == "ext4_file_write_iter" {
		f.Ext4 = "built in"
		if module {
			f.Ext4 = "module"
		}
	}
}
