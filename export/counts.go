package export

import "github.com/ext4dio/ext4dio-trace/decode/judge"

// Locks counts writes by the mode of i_rwsem at iomap_dio_rw.
type Locks struct {
	Shared    uint64 `json:"shared"`
	Exclusive uint64 `json:"exclusive"`
	NoDIO     uint64 `json:"-"` // never reached iomap_dio_rw
	NoLock    uint64 `json:"-"` // mode not known
}

// Add counts a write.
func (c *Locks) Add(lock Opt[Lock]) {
	switch {
	case !lock.Known:
		c.NoLock++
	case lock.V == Shared:
		c.Shared++
	case lock.V == Exclusive:
		c.Exclusive++
	default:
		c.NoDIO++
	}
}

// Judged counts writes by their verdicts.
type Judged struct {
	Verdicts [judge.Unsafe + 1]uint64 `json:"-"` // by judge.Kind
	Unjudged uint64                   `json:"-"`
}

// Add counts a write.
func (c *Judged) Add(verdict Opt[judge.Kind]) {
	if verdict.Known {
		c.Verdicts[verdict.V]++
	} else {
		c.Unjudged++
	}
}

// Disagreements is the number of writes in which the kernel did something else than the
// model said.
func (c *Judged) Disagreements() uint64 {
	return c.Verdicts[judge.Slower] + c.Verdicts[judge.Differs] + c.Verdicts[judge.Unsafe]
}

// Parts counts by something, each part of it in a V. What comes when there are Most of
// them is counted together in Rest. The next write is often of one of the last few parts,
// which are at hand by a number that costs nothing to make.
type Parts[K comparable, V any] struct {
	Most int
	All  map[K]*V
	List []*V // in the order in which they came
	Rest V
	near [nearParts]struct {
		key  K
		part *V
	}
}

const nearParts = 64 // a power of two

// Of finds the part of k; isNew says that it had to be made. It is Rest when there are
// too many.
func (p *Parts[K, V]) Of(k K, number uint64) (part *V, isNew bool) {
	if near := &p.near[number%nearParts]; near.part != nil && near.key == k {
		return near.part, false
	}
	return p.find(k, number)
}

// find is Of for a part that is not at hand. It stands apart so that Of is inlined.
func (p *Parts[K, V]) find(k K, number uint64) (part *V, isNew bool) {
	if part = p.All[k]; part == nil {
		if len(p.All) >= p.Most {
			return &p.Rest, false
		}
		if p.All == nil {
			p.All = map[K]*V{}
		}
		part, isNew = new(V), true
		p.All[k], p.List = part, append(p.List, part)
	}
	near := &p.near[number%nearParts]
	near.key, near.part = k, part
	return part, isNew
}
