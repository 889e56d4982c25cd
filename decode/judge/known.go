package judge

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// maxKnown is how many verdicts are kept. A workload makes a few dozen kinds of writes.
const (
	knownBits = 12
	maxKnown  = 1 << knownBits
)

// known keeps the verdicts on writes that agreed, by their facts, so that the model
// decides once for all writes that are alike. A verdict depends on nothing but the
// facts and on which variants are possible; when those change, all are forgotten.
//
// Only verdicts that agree are kept, and taught nothing about the variant: the words
// of the others name positions.
type known struct {
	key   key // of the write that was looked for last
	found bool
	round uint64 // of the variants
	best  model.Variant
	left  int // candidates
	drain model.Answer
	table [maxKnown]*knownVerdict
}

type knownVerdict struct {
	key     key
	round   uint64
	verdict Verdict
	hazards rules.Set
	// What verdict points to.
	why      [1]string
	expected Expected
}

// find returns the verdict on a write with the facts of o, or nil.
func (k *known) find(o *observe.Observation, d *Detector) *knownVerdict {
	if k.round == 0 || k.changed(d) {
		k.round++
		k.best, k.left, k.drain = d.Best(), len(d.candidates), d.drains
	}
	if k.found = k.key.fill(o); !k.found {
		return nil
	}
	if e := *k.place(); e != nil && e.round == k.round && e.key.equal(&k.key) {
		return e
	}
	return nil
}

// changed reports whether verdicts may be others than they were. Candidates are only
// ever dropped.
func (k *known) changed(d *Detector) bool {
	return k.best != d.Best() || k.left != len(d.candidates) || k.drain != d.drains
}

func (k *known) place() **knownVerdict { return &k.table[k.key.hash()>>(64-knownBits)] }

// keep takes the verdict on the write that was looked for last.
func (k *known) keep(ver *Verdict, hazards rules.Set, d *Detector) {
	if !k.found || ver.Kind != Agree || len(ver.Overlaps) > 0 || k.changed(d) {
		return
	}
	at := k.place()
	if *at == nil {
		*at = new(knownVerdict)
	}
	e := *at
	e.key, e.round, e.hazards = k.key, k.round, hazards
	e.why[0] = ver.Why[0]
	e.verdict = Verdict{
		Kind: Agree, Variant: ver.Variant, Why: e.why[:],
		Hazards: append(e.verdict.Hazards[:0], ver.Hazards...),
	}
	if ver.Expected != nil {
		e.expected = *ver.Expected
		e.verdict.Expected = &e.expected
	}
}
