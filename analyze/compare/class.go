package compare

import (
	"fmt"
	"math/bits"
	"path"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Class is what writes have in common that are compared with each other: what the
// application asked for and what it met, and nothing that the kernel decided.
type Class struct {
	File      string // its path, or inode and device; raw
	Caller    record.Caller
	Nowait    bool
	Sync      bool // O_DSYNC or O_SYNC
	Extending bool
	Unaligned bool
	Size      int // bytes, rounded up to a power of two, as its logarithm
	State     State
}

// State is which kinds of blocks a write met, as far as that is known.
type State uint8

// Kinds of blocks.
const (
	Written State = 1 << iota
	Unwritten
	Hole
	// NotMet: the write ended before ext4 looked at the blocks.
	NotMet
)

var stateTexts = []string{"written", "unwritten", "holes"}

// classOf sorts a write. A refused one does not get to its blocks, so that the state is no
// part of the class of what may be refused. It is false of what is not known enough.
func classOf(r *export.Row) (Class, bool) {
	if !r.Extending.Known || !r.Unaligned.Known || !r.ListsKnown {
		return Class{}, false
	}
	c := Class{
		File: fileOf(r), Caller: r.Caller, Nowait: r.KiFlags&export.KiNowait != 0,
		Sync:      r.KiFlags&(export.KiDSync|export.KiSync) != 0,
		Extending: r.Extending.V, Unaligned: r.Unaligned.V,
	}
	if r.Len > 0 {
		c.Size = bits.Len64(uint64(r.Len - 1))
	}
	if !c.Nowait {
		c.State = stateOf(r)
	}
	return c, true
}

// fileOf names the file of a write.
func fileOf(r *export.Row) string {
	if r.Path != "" {
		return r.Path
	}
	return fmt.Sprintf("inode %d on %s", r.Ino, export.DevName(r.Dev))
}

// stateOf is what ext4_iomap_begin found, which every kernel asks: what a kernel looks up
// to choose the lock is its own affair.
func stateOf(r *export.Row) (s State) {
	for i := range r.Mappings {
		s |= mappedState(&r.Mappings[i])
	}
	for i := range r.Summed {
		m := &r.Summed[i]
		s |= found(m.Type, m.Flags, m.AllocFlags != 0, m.LookedUp, m.Found)
	}
	if s == 0 {
		return NotMet
	}
	return s
}

func mappedState(m *observe.Mapping) State {
	if m.Err != 0 {
		return 0
	}
	return found(m.Type, m.Flags, m.Allocated(), m.LookedUp, m.LookupRet > 0)
}

// found is what was there before the write. Blocks that are there are allocated again only
// when they are unwritten.
func found(kind, flags uint16, allocated, lookedUp, blocks bool) State {
	switch {
	case allocated && lookedUp && blocks:
		return Unwritten
	case kind == model.IomapHole, flags&model.IomapFNew != 0, allocated && lookedUp:
		return Hole
	case kind == model.IomapUnwritten:
		return Unwritten
	}
	return Written
}

// words says what a class is, without its file.
func (c *Class) words() string {
	out := []string{c.Caller.String()}
	add := func(is bool, word string) {
		if is {
			out = append(out, word)
		}
	}
	add(c.Nowait, "NOWAIT")
	add(c.Sync, "DSYNC")
	add(c.Extending, "extending")
	add(c.Unaligned, "unaligned")
	add(!c.Unaligned, "aligned")
	return strings.Join(out, " ")
}

// String names the kinds of blocks.
func (s State) String() string {
	var out []string
	for i, text := range stateTexts {
		if s>>i&1 != 0 {
			out = append(out, text)
		}
	}
	switch s {
	case 0:
		return "any"
	case NotMet:
		return "not looked at"
	}
	return strings.Join(out, "+")
}

// pairFiles finds which file of B is which of A: the one with the same path, else the one
// with the same name in another folder, where there is one only on both sides.
func pairFiles(a, b map[string]float64) map[string]string {
	alone := func(files, other map[string]float64) map[string][]string {
		out := map[string][]string{}
		for f := range files {
			if _, both := other[f]; !both && strings.HasPrefix(f, "/") {
				out[path.Base(f)] = append(out[path.Base(f)], f)
			}
		}
		return out
	}
	onlyA, onlyB := alone(a, b), alone(b, a)
	out := map[string]string{}
	for name, files := range onlyB {
		if of := onlyA[name]; len(files) == 1 && len(of) == 1 {
			out[files[0]] = of[0]
		}
	}
	return out
}
