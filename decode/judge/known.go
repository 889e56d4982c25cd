package judge

import (
	"hash/maphash"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
)

// maxKnown is how many verdicts are kept. A workload makes a few dozen kinds of writes.
const maxKnown = 1 << 12

// known keeps the verdicts on writes that agreed, by their facts, so that the model
// decides once for all writes that are alike. A verdict depends on nothing but the
// facts and on which variants are possible; when those change, all are forgotten.
//
// Only verdicts that agree are kept, and taught nothing about the variant: the words
// of the others name positions.
type known struct {
	key   key // of the write that was looked for last
	found bool
	round int // of what was learned when the write was looked for
	seed  maphash.Seed
	table [maxKnown]*knownVerdict
}

type knownVerdict struct {
	same       observe.Head // of its key, as are the facts
	facts      []byte
	round      int
	verdict    Verdict
	expected   Expected // what verdict points to
	conditions rules.Conditions
}

// find returns the verdict on a write with the facts of o, or nil.
func (k *known) find(o *observe.Observation, d *Detector) *knownVerdict {
	k.round = d.learned
	if k.found = k.key.fill(o); !k.found {
		return nil
	}
	if e := *k.place(); e != nil && e.round == k.round && k.key.equal(&e.same, e.facts) {
		return e
	}
	return nil
}

// place is where the verdict on the write that was looked for last is kept, or one on
// other facts with the same hash.
func (k *known) place() **knownVerdict {
	return &k.table[maphash.Bytes(k.seed, k.key.facts())%maxKnown]
}

// keep takes the verdict on the write that was looked for last.
func (k *known) keep(ver *Verdict, d *Detector, c rules.Conditions) {
	if !k.found || ver.Kind != Agree || len(ver.Overlaps) > 0 || k.round != d.learned {
		return
	}
	at := k.place()
	if *at == nil {
		*at = new(knownVerdict)
	}
	e := *at
	e.same, e.facts = k.key.same, append(e.facts[:0], k.key.facts()...)
	e.round, e.conditions = k.round, c
	e.verdict = Verdict{Kind: Agree, Variant: ver.Variant, Reason: ver.Reason, Also: ver.Also, Hazards: ver.Hazards, Provisional: ver.Provisional}
	if ver.Expected != nil {
		e.expected = *ver.Expected
		e.verdict.Expected = &e.expected
	}
}
