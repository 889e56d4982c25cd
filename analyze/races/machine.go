package races

import (
	"fmt"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Step is one thing that happened, in the kernel's words.
type Step struct {
	Who  string `json:"who"` // A, B, C; empty for what no writer does
	Text string `json:"text"`
}

// machine takes steps of one scenario under one variant and fault. It is not safe
// for concurrent use.
type machine struct {
	sc      *Scenario
	variant model.Variant
	fault   Fault
	patch2  bool // the variant has patch 2 whatever the model says
	spb     int

	decision model.Decision
	view     view
	// log, if set, takes down every step.
	log *[]Step
}

// say takes down what writer w did, or somebody else for a w below 0, where a log is
// kept. It is called for every step of a search, so that args are made to words here.
func (m *machine) say(w int, format string, args ...any) {
	if m.log == nil {
		return
	}
	who := ""
	if w >= 0 {
		who = name(w)
	}
	*m.log = append(*m.log, Step{Who: who, Text: fmt.Sprintf(format, args...)})
}

// actionKind is a kind of step.
type actionKind uint8

const (
	advance   actionKind = iota // the next step of a writer
	land                        // bios of one kind over one block reach the disk
	convert                     // end_io: ext4_convert_unwritten_extents
	complete                    // the rest of iomap_dio_complete
	writeback                   // a dirty page is written back
	readPage                    // a reader brings a page into the page cache
)

// action is one step that can be taken in a state.
type action struct {
	kind  actionKind
	who   uint8 // writer
	bio   bioKind
	block uint8
}

// actions appends to out what can happen in s.
func (m *machine) actions(s *state, out []action) []action {
	for i := range m.sc.Writes {
		out = m.writerActions(s, i, out)
	}
	for b := range m.sc.Blocks {
		if s.pages[b] == dirty {
			out = append(out, action{kind: writeback, block: uint8(b)})
		}
		if m.sc.Reader && !s.readDone && s.pages[b] == absent && b*m.spb < int(s.isize) {
			out = append(out, action{kind: readPage, block: uint8(b)})
		}
	}
	return out
}

func (m *machine) writerActions(s *state, i int, out []action) []action {
	w := &s.w[i]
	for k := range bioKinds {
		for b := range m.sc.Blocks {
			if w.bios[k]&m.blockSet(b) != 0 {
				out = append(out, action{kind: land, who: uint8(i), bio: k, block: uint8(b)})
			}
		}
	}
	next := action{kind: advance, who: uint8(i)}
	switch w.phase {
	case atLock:
		if !s.free(m.takes(w)) {
			return out
		}
	case atDio:
		if w.drain && s.dioCount() > 0 {
			return out
		}
	case atFallback:
		if !s.free(model.Exclusive) || m.fallbackDrains() && s.dioCount() > 0 {
			return out
		}
	case atWait, queued:
		switch {
		case w.inFlight():
			return out
		case w.conv:
			next.kind = convert
		default:
			next.kind = complete
		}
	case done:
		return out
	}
	return append(out, next)
}

// apply takes one step.
func (m *machine) apply(s *state, a action) {
	w := int(a.who)
	switch a.kind {
	case land:
		m.land(s, w, a.bio, int(a.block))
	case convert:
		m.convert(s, w)
	case complete:
		m.complete(s, w)
	case writeback:
		m.writeback(s, -1, int(a.block))
	case readPage:
		m.readPage(s, int(a.block))
	default:
		advances[s.w[w].phase](m, s, w)
	}
}

// advances has the next step of a writer that stands in a phase.
var advances = [...]func(*machine, *state, int){
	atGuess: (*machine).guess, atLock: (*machine).lock, atLookup: (*machine).lookup, atDio: (*machine).enterDio,
	atMap: (*machine).mapNext, atFallback: (*machine).fallback, atFlush: (*machine).flush,
}

// blockSet is the sectors of block b.
func (m *machine) blockSet(b int) sectorSet { return sectors(b*m.spb, (b+1)*m.spb) }

// blocksOf is the blocks that the sectors [from, to) touch.
func (m *machine) blocksOf(from, to int) (first, end int) {
	return from / m.spb, (to + m.spb - 1) / m.spb
}

// fallbackDrains is patch 2.
func (m *machine) fallbackDrains() bool {
	return m.fault != NoFallbackDrain && (m.patch2 || m.variant.Has(model.DrainFallback))
}
