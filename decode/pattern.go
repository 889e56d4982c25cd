package decode

import (
	"encoding/binary"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const (
	// maxPatternSteps is enough for two passes with all that they can bring. A write of
	// more steps has no pattern.
	maxPatternSteps = 12
	maxPatternWords = patternHead + maxPatternSteps*(patternStep+1) + 1
	patternHead     = 5
	patternStep     = 4

	patternSetBits = 9 // of two patterns each
)

// pattern is what writes have in common that differ in nothing but in who made them,
// where, when and how long they took. It keeps the observation of the last of them: the
// next one changes only that.
//
// It is read from the raw record, and holds at least what a key holds, in the same form:
// positions count from the first block, and i_size and i_disksize are left out where they
// lie behind every block that the write touched. So writes of one pattern get the same
// verdict. TestKnownVerdicts and FuzzJudge hold both against each other.
type pattern struct {
	n     int
	words [maxPatternWords]uint64
	o     Observation
	// verdict is the one on the write before, while it still has this stamp.
	verdict *knownVerdict
	stamp   uint64
}

// patterns finds the pattern of a write.
type patterns struct {
	table [1 << patternSetBits][2]*pattern // the second one is forgotten first

	// Of the record that was read last.
	n      int
	words  [maxPatternWords]uint64
	bits   uint8
	mask   int64
	base   int64 // start of the first block, bytes
	far    int64 // positions behind it have no pattern
	top    int64 // end of the last block of which the write touched anything, bytes
	isize  int64 // at the entry
	sizes  [2 * maxPatternSteps]int64
	nsizes int
	behind bool  // every pass saw the same i_size, and no larger i_disksize
	least  int64 // the least i_size or i_disksize
	passes int
	drains int
}

// find returns the pattern of a raw write record and whether one is known: nil for a write
// that has none, because it was queued, slept, or fell back, or has more steps or other
// ones than usual. One that is not known is empty, but for the room that it has.
func (ps *patterns) find(raw []byte) (p *pattern, known bool) {
	if ps == nil || !ps.read(raw) {
		return nil, false
	}
	set := &ps.table[ps.hash()>>(64-patternSetBits)]
	for _, p := range set {
		if p != nil && ps.matches(p) {
			return p, true
		}
	}
	if set[1] == nil {
		set[1] = new(pattern)
	}
	set[0], set[1] = set[1], set[0]
	p = set[0]
	p.n, p.verdict = ps.n, nil
	copy(p.words[:], ps.words[:ps.n])
	return p, false
}

func (ps *patterns) matches(p *pattern) bool {
	if p.n != ps.n {
		return false
	}
	for i, w := range ps.words[:ps.n] {
		if w != p.words[i] {
			return false
		}
	}
	return true
}

// hash is that of a key.
func (ps *patterns) hash() uint64 {
	const odd = 0x9e3779b97f4a7c15
	var h uint64
	by := uint64(odd)
	for _, w := range ps.words[:ps.n] {
		h += (w ^ w>>32) * by
		by += odd - 1
	}
	return h
}

// read makes the words of a raw write record. It reports false for one without a pattern.
func (ps *patterns) read(raw []byte) bool {
	e := binary.NativeEndian
	if len(raw) < record.HeadSize {
		return false
	}
	head := raw[:record.HeadSize]
	n, bits := int(head[112]), head[115]
	if n > maxPatternSteps || len(raw) != record.HeadSize+n*record.StepSize || int(e.Uint16(head[2:])) != len(raw) || bits < 9 || bits > 20 {
		return false
	}
	pos, length, ret := int64(e.Uint64(head[40:])), e.Uint32(head[88:]), int32(e.Uint32(head[92:]))
	ps.isize, ps.bits, ps.mask = int64(e.Uint64(head[48:])), bits, 1<<bits-1
	ps.far = int64(model.MaxBlocks)<<min(bits, model.MaxBlkbits) - maxTouch
	ps.base, ps.top = pos&^ps.mask, 0
	ps.nsizes, ps.behind, ps.least = 0, true, ps.isize
	ps.passes, ps.drains = 0, 0
	if ret == eiocbqueued || ps.isize < 0 || !ps.touch(pos, int64(length)) {
		return false
	}
	ps.words[0] = e.Uint64(head[0:])
	ps.words[1] = uint64(pos&ps.mask)<<32 | uint64(e.Uint32(head[84:]))
	ps.words[2], ps.words[3], ps.words[4] = e.Uint64(head[88:]), e.Uint64(head[112:]), e.Uint64(head[120:])
	ps.n = patternHead
	for steps := raw[record.HeadSize:]; len(steps) >= record.StepSize; steps = steps[record.StepSize:] {
		if !ps.step(steps[:record.StepSize]) {
			return false
		}
	}
	if !ps.behind || ps.least < ps.top {
		ps.addSizes()
	}
	return true
}

// touch notes that the write touched a piece of the file, as key.place does.
func (ps *patterns) touch(pos, n int64) bool {
	if pos < 0 || pos > ps.far || n > maxTouch || n < -maxTouch {
		return false
	}
	ps.top = max(ps.top, (max(pos, pos+n)|ps.mask)+1)
	return true
}

// size notes an i_size or i_disksize.
func (ps *patterns) size(v int64) bool {
	ps.sizes[ps.nsizes] = v
	ps.nsizes++
	ps.least = min(ps.least, v)
	return v >= 0
}

// addSizes adds them where they matter.
func (ps *patterns) addSizes() {
	ps.words[ps.n] = uint64(ps.isize - ps.base)
	ps.n++
	for _, v := range ps.sizes[:ps.nsizes] {
		ps.words[ps.n] = uint64(v - ps.base)
		ps.n++
	}
}

// step adds a step. It reports false for one of a kind that patterns do not hold.
func (ps *patterns) step(s []byte) bool {
	e := binary.NativeEndian
	_ = s[record.StepSize-1]
	w := ps.words[ps.n:][:patternStep]
	ps.n += patternStep
	aux := e.Uint16(s[2:])
	a, b, c, d := e.Uint64(s[8:]), e.Uint64(s[16:]), e.Uint32(s[24:]), e.Uint32(s[28:])
	w[0], w[1], w[2], w[3] = uint64(e.Uint32(s)), 0, 0, 0
	switch record.StepKind(s[0]) {
	case record.StepPass:
		ps.passes++
		ps.behind = ps.behind && int64(b) == ps.isize
		w[1], w[2] = a-uint64(ps.base), uint64(c)<<32|uint64(d)&uint64(ps.mask)
		return ps.touch(int64(a), int64(int32(c))) && ps.size(int64(b))
	case record.StepDisksize:
		ps.behind = ps.behind && int64(a) <= ps.isize
		return ps.size(int64(a)) && ps.passes > 0
	case record.StepLookup:
		w[1], w[2], w[3] = a, b, uint64(c-uint32(ps.base>>ps.bits))<<32|uint64(d)
		return ps.passes > 0
	case record.StepDrain:
		ps.drains++
		w[1] = uint64(c)
		return ps.drains == 1 && aux&record.DrainBuffered == 0
	case record.StepMap:
		w[1], w[2], w[3] = a, b, uint64(c)<<32|uint64(d)
		switch {
		case aux&record.MapFailed != 0: // at no position
			return true
		case aux&record.MapLookup != 0:
			w[1] = a&^(1<<32-1) | uint64(uint32(a)-uint32(ps.base>>ps.bits))
			return ps.touch(int64(uint32(a))<<ps.bits, int64(uint32(b))<<ps.bits)
		}
		w[1] = a - uint64(ps.base)
		return ps.touch(int64(a), int64(b))
	case record.StepZero:
		w[1], w[2], w[3] = a-uint64(ps.base), b, uint64(c)<<32|uint64(d)
		return ps.touch(int64(a), int64(b))
	case record.StepWait:
		w[1] = uint64(c)
		return true
	}
	return false
}

// renew makes o, which is one of the same pattern, the observation of a raw record.
func (o *Observation) renew(raw []byte, comm string) {
	e := binary.NativeEndian
	head := raw[:record.HeadSize]
	o.Time, o.ID, o.Ino = e.Uint64(head[8:]), e.Uint64(head[24:]), e.Uint64(head[32:])
	o.LatencyNs = e.Uint64(head[16:])
	o.SubmitNs = o.LatencyNs
	o.Pos0, o.ISize0 = int64(e.Uint64(head[40:])), int64(e.Uint64(head[48:]))
	o.Pid, o.Tid, o.Comm, o.Dev = e.Uint32(head[56:]), e.Uint32(head[60:]), comm, e.Uint32(head[80:])
	o.WaitNs, o.LostBefore = e.Uint64(head[96:]), e.Uint32(head[108:])
	passes, maps, zeroed, waits, lookups := 0, 0, 0, 0, 0
	var p *Pass
	for s := raw[record.HeadSize:]; len(s) >= record.StepSize; s = s[record.StepSize:] {
		us, a := e.Uint32(s[4:]), e.Uint64(s[8:])
		switch record.StepKind(s[0]) {
		case record.StepPass:
			p = &o.Passes[passes]
			passes, lookups = passes+1, 0
			p.Pos, p.ISize, p.Align, p.AtUs = int64(a), int64(e.Uint64(s[16:])), e.Uint32(s[28:]), us
			p.IDisksize = p.ISize
		case record.StepDisksize:
			p.IDisksize = int64(a)
		case record.StepLookup:
			p.Lookups[lookups].Lblk = e.Uint32(s[24:])
			lookups++
		case record.StepDrain:
			o.drain.Ns = a
		case record.StepMap:
			m := &o.Mappings[maps]
			maps++
			m.AtUs = us
			switch aux := e.Uint16(s[2:]); {
			case aux&record.MapFailed != 0:
			case aux&record.MapLookup != 0:
				m.Offset = int64(uint32(a)) << o.Blkbits
			default:
				m.Offset = int64(a)
			}
		case record.StepZero:
			o.Zeroed[zeroed].Pos, o.Zeroed[zeroed].AtUs = int64(a), us
			zeroed++
		case record.StepWait:
			o.Waits[waits].Ns, o.Waits[waits].AtUs = a, us
			waits++
		}
	}
	if len(o.Passes) > 0 {
		o.LockNs = uint64(o.Passes[0].AtUs) * 1000
		if o.Align0Known {
			o.Align0 = o.Passes[0].Align
		}
	}
}
