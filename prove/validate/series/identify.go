package series

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Limits of what is kept.
const (
	maxUnexplained = 64
	maxKept        = 20000
)

// Identifier takes in writes and tells which kernel makes them.
type Identifier struct {
	unprobed   record.Stages
	candidates []candidate // in the order of likelihood
	evidence   [model.Patches + 1]tally
	writes     int
	incomplete int
	// unexplained are writes that disagree with every candidate.
	unexplained []*observe.Observation
	nUnexpl     int
	// kept are writes to be judged under a variant that is found later.
	kept []*observe.Observation
	// missed says what ext4_map_blocks returned for a cache-only lookup that missed,
	// made outside of any write.
	missed Sign
	// notMissed says why there was none.
	notMissed string
}

// candidate is a variant that the kernel can be.
type candidate struct {
	v                          model.Variant
	agree, disagree, undecided int
}

// tally counts signs of one patch, with the first write of each.
type tally struct {
	with, without   int
	withO, withoutO *observe.Observation
}

// New returns an Identifier for a kernel that can be one of the candidates, the
// most likely first, on which the probes of some stages are not attached.
func New(candidates []model.Variant, unprobed record.Stages) *Identifier {
	id := &Identifier{unprobed: unprobed}
	for _, v := range candidates {
		id.candidates = append(id.candidates, candidate{v: v})
		if old(v) { // stable releases of these may hold patch 2
			id.candidates = append(id.candidates, candidate{v: v.WithPatch(2, true)})
		}
	}
	return id
}

// old reports whether v is 6.1 or 6.12, whose variants leave patch 2 open.
func old(v model.Variant) bool { return v.Named() == model.Linux61 || v.Named() == model.Linux612 }

// CacheMiss notes what ext4_map_blocks returned for a cache-only lookup that missed
// the extent-status cache: a negative errno, or 0.
func (id *Identifier) CacheMiss(ret int) {
	switch ret {
	case model.EAGAIN:
		id.missed = With
	case 0:
		id.missed = Without
	}
}

// NoCacheMiss notes why there was no cache-only lookup that missed.
func (id *Identifier) NoCacheMiss(why string) { id.notMissed = why }

// Add takes in a write. It keeps nothing of o.
func (id *Identifier) Add(o *observe.Observation) {
	id.writes++
	if o.Incomplete != "" {
		id.incomplete++
		return
	}
	signs := Read(o, id.unprobed)
	var kept *observe.Observation
	keep := func() *observe.Observation {
		if kept == nil {
			kept = o.Clone()
		}
		return kept
	}
	for n := 1; n <= model.Patches; n++ {
		t := &id.evidence[n]
		switch signs[n] {
		case With:
			if t.with++; t.withO == nil {
				t.withO = keep()
			}
		case Without:
			if t.without++; t.withoutO == nil {
				t.withoutO = keep()
			}
		}
	}
	explained := false
	for i := range id.candidates {
		explained = id.candidates[i].add(o, id.unprobed) || explained
	}
	if len(id.kept) < maxKept {
		id.kept = append(id.kept, keep())
	}
	if !explained {
		if id.nUnexpl++; len(id.unexplained) < maxUnexplained {
			id.unexplained = append(id.unexplained, keep())
		}
	}
}

// add judges a write and reports whether it does not disagree.
func (c *candidate) add(o *observe.Observation, unprobed record.Stages) bool {
	switch judge.CompareSeen(o, c.v, unprobed).Kind {
	case judge.Agree:
		c.agree++
	case judge.Undecided:
		c.undecided++
	default:
		c.disagree++
		return false
	}
	return true
}

// Best is the candidate that explains the most: it disagrees least, and of those
// that do it is the most likely one. Of kernels that are old, the one that holds
// patch 2 counts only when a drain was seen.
func (id *Identifier) Best() model.Variant { return id.best().v }

func (id *Identifier) best() *candidate {
	var best *candidate
	for i := range id.candidates {
		c := &id.candidates[i]
		if old(c.v) && c.v.Has(model.DrainFallback) && id.evidence[2].with == 0 {
			continue
		}
		if best == nil || c.disagree < best.disagree || c.disagree == best.disagree && old(c.v) {
			best = c
		}
	}
	return best
}

// made is the variant that the signs alone make: the best candidate with each
// patch as its signs say, where they say one thing only.
func (id *Identifier) made() model.Variant {
	v := id.Best()
	for n := 1; n <= model.Patches; n++ {
		switch a := id.answer(n); a {
		case Present, Absent:
			v = v.WithPatch(n, a == Present)
		}
	}
	return v
}

// under judges what was kept under a variant that is no candidate.
func (id *Identifier) under(v model.Variant) candidate {
	if i := slices.IndexFunc(id.candidates, func(c candidate) bool { return c.v == v }); i >= 0 {
		return id.candidates[i]
	}
	c := candidate{v: v}
	for _, o := range id.kept {
		c.add(o, id.unprobed)
	}
	return c
}
