package series

import (
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
	candidates []Explains // in the order of likelihood
	evidence   [model.Patches + 1]evidence
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

// evidence are the signs of one patch, by what they say, with the first write of each.
type evidence [With + 1]struct {
	n     int
	first *observe.Observation
}

// New returns an Identifier for a kernel that can be one of the candidates, the
// most likely first, on which the probes of some stages are not attached.
func New(candidates []model.Variant, unprobed record.Stages) *Identifier {
	id := &Identifier{unprobed: unprobed}
	for _, v := range candidates {
		id.candidates = append(id.candidates, Explains{Variant: v})
		if n := model.PatchOf(v.Open()); n != 0 {
			id.candidates = append(id.candidates, Explains{Variant: v.WithPatch(n, true)})
		}
	}
	return id
}

// CacheMiss notes whether ext4_map_blocks returned -EAGAIN, and not 0, for a cache-only
// lookup that missed the extent-status cache.
func (id *Identifier) CacheMiss(again bool) { id.missed = signOf(again) }

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
		if signs[n] == Nothing {
			continue
		}
		e := &id.evidence[n][signs[n]]
		if e.n++; e.first == nil {
			e.first = keep()
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
func (c *Explains) add(o *observe.Observation, unprobed record.Stages) bool {
	switch judge.CompareSeen(o, c.Variant, unprobed).Kind {
	case judge.Agree:
		c.Agree++
	case judge.Undecided:
		c.Undecided++
	default:
		c.Disagree++
		return false
	}
	return true
}

// Best is the candidate that explains the most: it disagrees least, and of those
// that do it is the most likely one. Where a variant leaves a patch open, the one that
// holds it counts only when a sign of it was seen.
func (id *Identifier) Best() model.Variant {
	var best *Explains
	for i := range id.candidates {
		c := &id.candidates[i]
		open := model.PatchOf(c.Variant.Open())
		if open != 0 && c.Variant.Has(c.Variant.Open()) && id.evidence[open][With].n == 0 {
			continue
		}
		if best == nil || c.Disagree < best.Disagree || c.Disagree == best.Disagree && open != 0 {
			best = c
		}
	}
	return best.Variant
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
func (id *Identifier) under(v model.Variant) Explains {
	c := Explains{Variant: v}
	for _, o := range id.kept {
		c.add(o, id.unprobed)
	}
	return c
}
