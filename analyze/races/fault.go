package races

import (
	"fmt"
	"strings"
)

// Fault is one thing that the explorer does wrong on purpose, outside the model.
type Fault uint8

// The faults. NoFault is the zero value.
const (
	NoFault Fault = iota
	// NoDrain does not obey Decision.Drain.
	NoDrain
	// NoForceWait does not obey Decision.ForceWait: an async write is queued.
	NoForceWait
	// TailUnchecked answers the lookup of the tail block as written.
	TailUnchecked
	// UnwrittenAsWritten answers unwritten blocks as written in the check phase.
	UnwrittenAsWritten
	// NoRecheck reuses the first pass after the restart: its position, i_size,
	// i_disksize and lookups.
	NoRecheck
	// ExtendingShared takes i_rwsem shared for a write that extends.
	ExtendingShared
	// NoFallbackDrain leaves out patch 2: the buffered fallback does not drain.
	NoFallbackDrain
)

var faultTexts = [...]struct{ name, text string }{
	NoFault:            {"none", ""},
	NoDrain:            {"no-drain", "inode_dio_wait of the check phase is left out"},
	NoForceWait:        {"no-force-wait", "IOMAP_DIO_FORCE_WAIT is left out"},
	TailUnchecked:      {"tail-unchecked", "the tail block counts as written"},
	UnwrittenAsWritten: {"unwritten-as-written", "unwritten blocks count as written in the check phase"},
	NoRecheck:          {"no-recheck", "the second pass reuses what the first one found"},
	ExtendingShared:    {"extending-shared", "an extending write takes i_rwsem shared"},
	NoFallbackDrain:    {"no-fallback-drain", "the buffered fallback does not drain (no patch 2)"},
}

// String is the name by which users choose the fault.
func (f Fault) String() string { return faultTexts[f].name }

// Text says in a line what is done wrong; empty for NoFault.
func (f Fault) Text() string { return faultTexts[f].text }

// Faults lists the faults that can be planted.
func Faults() []Fault {
	var out []Fault
	for f := NoFault + 1; int(f) < len(faultTexts); f++ {
		out = append(out, f)
	}
	return out
}

// ParseFault finds the fault with this name. The error lists the names that exist.
func ParseFault(name string) (Fault, error) {
	names := make([]string, 0, len(faultTexts))
	for f := range faultTexts {
		if faultTexts[f].name == name {
			return Fault(f), nil
		}
		names = append(names, faultTexts[f].name)
	}
	return 0, fmt.Errorf("unknown fault %q: one of %s", name, strings.Join(names, ", "))
}

// MarshalText writes the name.
func (f Fault) MarshalText() ([]byte, error) { return []byte(f.String()), nil }
