package export

import "github.com/ext4dio/ext4dio-trace/decode/judge"

// Part counts some of the writes of a trace, or all of them.
type Part struct {
	Writes uint64 `json:"writes"`

	// By the mode of i_rwsem at iomap_dio_rw.
	Shared    uint64 `json:"shared"`
	Exclusive uint64 `json:"exclusive"`
	NoDIO     uint64 `json:"-"` // never reached iomap_dio_rw
	NoLock    uint64 `json:"-"` // mode not known

	Verdicts [judge.Unsafe + 1]uint64 `json:"-"` // by judge.Kind
	Unjudged uint64                   `json:"-"`

	Restarted  uint64 `json:"-"` // more than one pass
	Drained    uint64 `json:"-"`
	Incomplete uint64 `json:"-"`
	Refused    uint64 `json:"refused"` // ended by NOWAIT
	Failed     uint64 `json:"failed"`  // ended in another error
	Bytes      uint64 `json:"-"`       // written, by results
	WaitNs     uint64 `json:"wait_ns"`
}

// Add counts a write.
func (p *Part) Add(r *Row) {
	p.Writes++
	switch {
	case !r.Lock.Known:
		p.NoLock++
	case r.Lock.V == Shared:
		p.Shared++
	case r.Lock.V == Exclusive:
		p.Exclusive++
	default:
		p.NoDIO++
	}
	if r.Verdict.Known {
		p.Verdicts[r.Verdict.V]++
	} else {
		p.Unjudged++
	}
	if r.Passes.V > 1 {
		p.Restarted++
	}
	if r.Drained.V {
		p.Drained++
	}
	if r.Incomplete != "" {
		p.Incomplete++
	}
	if r.Refused.Known {
		p.Refused++
	}
	if r.FailedAt.Known {
		p.Failed++
	}
	if r.Ret.V > 0 {
		p.Bytes += uint64(r.Ret.V)
	}
	p.WaitNs += r.WaitNs.V
}

// Merge adds what o has counted.
func (p *Part) Merge(o *Part) {
	p.Writes += o.Writes
	p.Shared += o.Shared
	p.Exclusive += o.Exclusive
	p.NoDIO += o.NoDIO
	p.NoLock += o.NoLock
	for k := range p.Verdicts {
		p.Verdicts[k] += o.Verdicts[k]
	}
	p.Unjudged += o.Unjudged
	p.Restarted += o.Restarted
	p.Drained += o.Drained
	p.Incomplete += o.Incomplete
	p.Refused += o.Refused
	p.Failed += o.Failed
	p.Bytes += o.Bytes
	p.WaitNs += o.WaitNs
}

// Disagreements is the number of writes in which the kernel did something else than the
// model said.
func (p *Part) Disagreements() uint64 {
	return p.Verdicts[judge.Slower] + p.Verdicts[judge.Differs] + p.Verdicts[judge.Unsafe]
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
