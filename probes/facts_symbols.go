package probes

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// maxSymbols is MAX_SYMBOLS of bpf/symbols.bpf.c.
const maxSymbols = 512

// symbol is struct symbol of bpf/symbols.bpf.c.
type symbol struct {
	Name [64]byte
	Addr uint64
	Text [104]byte
}

// found is one symbol as the kernel tells it.
type found struct {
	name   string // as it was asked for, without the module
	addr   uint64
	size   uint64 // bytes up to the next symbol; 0 when not known
	module string // without brackets; empty for the kernel itself
}

// asked is the name that finds the symbol with the fewest searches.
func (s *found) asked() string {
	if s.module == "" {
		return s.name
	}
	return s.module + ":" + s.name
}

// What compilers append to a function whose arguments they changed, to a part of it
// that stands by itself, and to code that they moved out of the way.
const (
	isra      = ".isra.0"
	constprop = ".constprop.0"
	part      = ".part.0"
	cold      = ".cold"
)

// readSymbols asks the kernel for the symbols one by one where that is fast, and reads
// its whole list elsewhere.
func (f *Facts) readSymbols() error {
	if f.Root && f.findsByName() {
		if all, err := askSymbols(); err == nil && f.takeSymbols(all) {
			return nil
		}
	}
	return f.readKallsyms()
}

// findsByName reports whether the kernel has its symbols sorted by name: since
// 60443c88f3a8 ("kallsyms: Improve the performance of kallsyms_lookup_name()", v6.2,
// and in Debian's 6.1), and the function that is looked for came along. Before, looking
// up each name takes longer than reading the list once.
func (f *Facts) findsByName() bool {
	vmlinux, err := f.types.Kernel()
	var t *btf.Func
	return err == nil && vmlinux.TypeByName("kallsyms_on_each_match_symbol", &t) == nil
}

// takeSymbols fills in what the list would have told. It takes nothing and reports
// false where something that matters was not found: it may exist by a name that only
// the list tells.
func (f *Facts) takeSymbols(all []found) bool {
	have, frames := map[string]bool{}, sleepFrames()
	for _, s := range all {
		have[s.name] = true
		if base, _, _ := strings.Cut(s.name, "."); frames[base] != 0 && s.size == 0 {
			return false
		}
	}
	spans, why := spansOf(all)
	missing := func(p probe) bool {
		return p.is(required) && !slices.ContainsFunc(p.funcs, func(n string) bool { return have[n] })
	}
	if why != "" || slices.ContainsFunc(table, missing) {
		return false
	}
	f.spans = spans
	f.take(all)
	return true
}

// wantedNames lists the names of all that is looked for, each once.
func wantedNames() []string {
	names := slices.Concat(wantedFuncs, wantedSymbols)
	for _, g := range sleepFuncs {
		names = slices.Concat(names, g.key, g.more)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// askSymbols looks up all wanted names, then what compilers made of them, then the cold
// parts of that.
func askSymbols() ([]found, error) {
	a, err := newAsker()
	if err != nil {
		return nil, err
	}
	defer a.coll.Close()
	names := wantedNames()
	plain, err := a.ask(names)
	if err != nil {
		return nil, err
	}
	suffixed, err := a.ask(forms(names, plain))
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, s := range suffixed {
		if !strings.HasSuffix(s.name, cold) {
			parts = append(parts, s.asked()+cold)
		}
	}
	last, err := a.ask(parts)
	return slices.Concat(plain, suffixed, last), err
}

// forms returns the names that may be there besides plain ones. For each that is not
// there the kernel searches all its modules, or the one named. So fewer are asked for
// of functions in the kernel itself. An .isra.0 leaves no plain one beside it.
func forms(names []string, plain []found) []string {
	of := map[string]*found{}
	for i := range plain {
		of[plain[i].name] = &plain[i]
	}
	var more []string
	for _, n := range names {
		s := of[n]
		suffixes := []string{part, cold}
		switch {
		case slices.Contains(wantedSymbols, n):
			continue
		case s == nil:
			suffixes = []string{isra, constprop, part}
		case s.module != "":
			n = s.asked()
			suffixes = []string{constprop, part, cold}
		}
		for _, suffix := range suffixes {
			more = append(more, n+suffix)
		}
	}
	return more
}

// asker holds the program that looks symbols up.
type asker struct {
	coll *ebpf.Collection
}

func newAsker() (*asker, error) {
	spec, err := loadSymbols()
	if err != nil {
		return nil, fmt.Errorf("read embedded BPF object: %w", err)
	}
	coll, err := ebpf.NewCollection(spec)
	if err != nil {
		return nil, fmt.Errorf("load program that looks up symbols: %w", err)
	}
	return &asker{coll}, nil
}

// ask returns those symbols that exist. A name may begin with a module and a colon.
func (a *asker) ask(names []string) ([]found, error) {
	var all []found
	for some := range slices.Chunk(names, maxSymbols) {
		var q [maxSymbols]symbol
		for i, n := range some {
			if copy(q[i].Name[:], n) == len(q[i].Name) {
				return nil, fmt.Errorf("look up symbol %s: the name is too long", n)
			}
		}
		if err := a.run(&q, len(some)); err != nil {
			return nil, fmt.Errorf("look up symbols: %w", err)
		}
		for i, n := range some {
			if q[i].Addr == 0 {
				continue
			}
			s := found{name: n, addr: q[i].Addr}
			if _, after, ok := strings.Cut(n, ":"); ok {
				s.name = after
			}
			text, _, _ := bytes.Cut(q[i].Text[:], []byte{0})
			s.size, s.module = parseSymbol(string(text))
			all = append(all, s)
		}
	}
	return all, nil
}

func (a *asker) run(q *[maxSymbols]symbol, n int) error {
	symbols, count := a.coll.Variables["symbols"], a.coll.Variables["count"]
	if err := errors.Join(symbols.Set(q), count.Set(uint32(n))); err != nil {
		return err
	}
	if _, err := a.coll.Programs["find_symbols"].Run(nil); err != nil {
		return err
	}
	return symbols.Get(q)
}

// parseSymbol reads "NAME+0x0/0xSIZE [MODULE]".
func parseSymbol(text string) (size uint64, module string) {
	text, module, _ = strings.Cut(text, " [")
	module = strings.TrimSuffix(module, "]")
	if _, hex, ok := strings.Cut(text, "+0x0/0x"); ok {
		size, _ = strconv.ParseUint(hex, 16, 64)
	}
	return size, module
}
