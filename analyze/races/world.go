package races

import (
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// asked is the fact for want of which the model stopped.
type asked uint8

const (
	nothing asked = iota
	askedChecks
	askedLookup
)

// efbig is what the write checks return at the limit of the file.
const efbig = 27

// view is what one writer knows so far; it is the model's World. A fact that is
// not there yet ends the decision, and the explorer takes the step that finds it.
type view struct {
	facts *facts
	odd   bool
	old   bool // 6.1 does not mark delayed blocks
	given [model.MaxPasses]uint8

	asked asked
	pass  int
	query model.Query
}

// Trylock is only asked of NOWAIT writes, of which there are none.
func (v *view) Trylock(model.Mode) model.Answer { return model.Yes }

// UseDio is yes: no scenario has a reason against direct I/O.
func (v *view) UseDio() model.Answer { return model.Yes }

// Checks is what was found under the lock.
func (v *view) Checks(pass int) (model.Checks, bool) {
	if pass >= int(v.facts.nchk) {
		v.asked, v.pass = askedChecks, pass
		return model.Checks{}, false
	}
	c := v.facts.checks[pass]
	count := inBytes(int(c.count))
	if c.count <= 0 {
		count = -efbig
	}
	return model.Checks{
		Pos: inBytes(int(c.pos)), Count: count, ISize: inBytes(int(c.isize)), IDisksize: inBytes(int(c.disksize)),
		Align: alignment(int(c.count), v.odd), Nosec: c.nosec,
	}, true
}

// Lookup is what ext4_map_blocks returned.
func (v *view) Lookup(pass int, q model.Query) (model.Result, bool) {
	n := v.given[pass]
	if n >= v.facts.nlook[pass] {
		v.asked, v.pass, v.query = askedLookup, pass, q
		return model.Result{}, false
	}
	v.given[pass]++
	return v.facts.looks[pass][n].result(v.old), true
}

// Modified is file_modified or kiocb_modified, which succeed.
func (v *view) Modified() (int, bool) { return 0, true }

func (a answer) result(old bool) model.Result {
	r := model.Found(a.kind, uint32(a.n))
	if old {
		r.MFlags &^= model.MapDelayed
	}
	return r
}

// alignment is iov_iter_alignment of one segment whose address is aligned to a
// block, or only to a sector.
func alignment(count int, odd bool) model.Alignment {
	bits := uint32(max(count, 0)) << sectorBits
	if odd {
		bits |= 1 << sectorBits
	}
	return model.Alignment{Bits: bits, Known: true}
}

// inBytes is a number of sectors in bytes.
func inBytes(sectors int) int64 { return int64(sectors) << sectorBits }

// look answers a lookup of the check phase from the blocks as they are now.
func (s *state) look(q model.Query) answer {
	b := int(q.Lblk)
	kind := s.blocks[b]
	if kind == model.Hole {
		if s.pages[b] == dirty {
			kind = model.Delayed
		}
		return answer{kind: kind}
	}
	return answer{kind: kind, n: int8(s.run(b, int(q.Len)))}
}

// run is how many blocks from b on, at most n, are of one kind. They make one
// mapping.
func (s *state) run(b, n int) int {
	k := 1
	for k < n && b+k < maxBlocks && s.blocks[b+k] == s.blocks[b] {
		k++
	}
	return k
}
