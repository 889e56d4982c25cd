// Package overlap finds the rules that two writes of one inode break together.
package overlap

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/rules"
)

// Kind says what two direct writes did to one block.
type Kind uint8

// The kinds. The first three break a rule.
const (
	// Zeroed breaks R2: a part of an empty block was zeroed while another
	// write to the block was in flight.
	Zeroed Kind = iota
	// Unwaited breaks R3: a write zeroed a part of an empty block, was queued,
	// and was still in flight when another write to the block began its direct I/O.
	Unwaited
	// Fallback breaks R5: a buffered fallback copied into a page of which a
	// direct write was in flight.
	Fallback
	// EOF breaks no rule: a tail that was zeroed lawfully under the shared lock
	// (E-eof) was still in flight when an aligned extending write to the block, which
	// does not drain, began its direct I/O. The zeroes may land after its data.
	EOF

	numKinds = iota
)

// Rule is the rule that an overlap of this kind breaks; EOF breaks none.
func (k Kind) Rule() rules.Set {
	switch k {
	case Zeroed:
		return rules.R2
	case Unwaited:
		return rules.R3
	case Fallback:
		return rules.R5
	}
	return 0
}

// WriteRef names a write as every output shows it.
type WriteRef struct {
	ID   uint64 // of the record; means nothing outside of one trace
	Time uint64 // entry, ns of CLOCK_MONOTONIC
	Tid  uint32
	Pos  int64 // where it was made, after IOCB_APPEND moved it, bytes
	Len  int64 // bytes asked for
}

func (w WriteRef) String() string {
	return fmt.Sprintf("the write of tid %d at %d+%d (time_ns %d)", w.Tid, w.Pos, w.Len, w.Time)
}

// Pair is what two writes of one inode did to one block. Instants are ns of
// CLOCK_MONOTONIC; those inside a write are cut to microseconds since its entry.
type Pair struct {
	Kind Kind
	// Pos and Len are the block, for a fallback the page, in bytes.
	Pos, Len int64
	// By is the write that zeroed in the block, or whose fallback copied into it; At
	// is when. Until is when its completion was seen, for the kinds that end with it,
	// otherwise 0.
	By        WriteRef
	At, Until uint64
	// Other is the write whose direct I/O went to the block. It had its first mapping
	// at From, and was seen in flight until To.
	Other    WriteRef
	From, To uint64
	// ByLast is set when By was judged after Other, and so is the one that the verdict
	// is about.
	ByLast bool
}

// String says in one sentence what happened, with "this write" for the one that
// was judged last.
func (v *Pair) String() string {
	const this = "this write"
	by, other := v.By.String(), this
	if v.ByLast {
		by, other = this, v.Other.String()
	}
	unit := "block"
	if v.Kind == Fallback {
		unit = "page"
	}
	where := fmt.Sprintf("overlap in the %s at %d+%d: ", unit, v.Pos, v.Len)
	switch v.Kind {
	case Zeroed:
		return where + fmt.Sprintf("%s zeroed at %d ns, while %s was in flight from %d to %d ns", by, v.At, other, v.From, v.To)
	case Fallback:
		return where + fmt.Sprintf("the fallback of %s copied at %d ns, while %s was in flight from %d to %d ns", by, v.At, other, v.From, v.To)
	case Unwaited:
		return where + fmt.Sprintf("%s zeroed at %d ns and was queued until %d ns, and %s got its mapping at %d ns", by, v.At, v.Until, other, v.From)
	default:
		return where + fmt.Sprintf("%s zeroed behind i_size at %d ns and was queued until %d ns, and %s, aligned and extending, got its mapping at %d ns",
			by, v.At, v.Until, other, v.From)
	}
}
