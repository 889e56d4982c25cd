package probes

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
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
// "address type name [module]", without allocating for the others.
func (f *Facts) scanKallsyms(r io.Reader) error {
	funcs, symbols := set(wantedFuncs), set(wantedSymbols)
	finder := newSpanFinder()
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), 64<<10)
	for sc.Scan() {
		addr, rest, _ := bytes.Cut(sc.Bytes(), []byte(" "))
		_, rest, _ = bytes.Cut(rest, []byte(" "))
		name, mod, _ := bytes.Cut(rest, []byte("\t"))
		base, _, suffixed := bytes.Cut(name, []byte("."))
		finder.line(addr, base, mod)
		switch {
		case funcs[string(base)]:
			a, _ := strconv.ParseUint(string(addr), 16, 64)
			f.addFunc(string(base), a, suffixed, len(mod) > 0)
		case symbols[string(name)]:
			// Without CAP_SYSLOG every address reads as 0, which is "not known".
			f.Addresses[string(name)], _ = strconv.ParseUint(string(addr), 16, 64)
		}
	}
	f.spans, f.SleepCauses = finder.finish()
	return sc.Err()
}

func set(names []string) map[string]bool {
	s := map[string]bool{}
	for _, n := range names {
		s[n] = true
	}
	return s
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
