package decode

import "fmt"

// OverlapKind says what two direct writes did to one block.
type OverlapKind uint8

// The kinds. The first three break a rule.
const (
	// OverlapZeroed breaks R2: a part of an empty block was zeroed while another
	// write to the block was in flight.
	OverlapZeroed OverlapKind = iota
	// OverlapUnwaited breaks R3: a write zeroed a part of an empty block, was queued,
	// and was still in flight when another write to the block began its direct I/O.
	OverlapUnwaited
	// OverlapFallback breaks R5: a buffered fallback copied into a page of which a
	// direct write was in flight.
	OverlapFallback
	// OverlapEOF breaks no rule: a tail that was zeroed lawfully under the shared lock
	// (E-eof) was still in flight when an aligned extending write to the block, which
	// does not drain, began its direct I/O. The zeroes may land after its data.
	OverlapEOF

	numOverlapKinds = iota
)

// Rule is the rule that an overlap of this kind breaks; OverlapEOF breaks none.
func (k OverlapKind) Rule() Rules {
	switch k {
	case OverlapZeroed:
		return R2
	case OverlapUnwaited:
		return R3
	case OverlapFallback:
		return R5
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

// Overlap is what two writes of one inode did to one block. Instants are ns of
// CLOCK_MONOTONIC; those inside a write are cut to microseconds since its entry.
type Overlap struct {
	Kind OverlapKind
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
func (v *Overlap) String() string {
	const this = "this write"
	by, other := v.By.String(), this
	if v.ByLast {
		by, other = this, v.Other.String()
	}
	unit := "block"
	if v.Kind == OverlapFallback {
		unit = "page"
	}
	where := fmt.Sprintf("overlap in the %s at %d+%d: ", unit, v.Pos, v.Len)
	switch v.Kind {
	case OverlapZeroed:
		return where + fmt.Sprintf("%s zeroed at %d ns, while %s was in flight from %d to %d ns", by, v.At, other, v.From, v.To)
	case OverlapFallback:
		return where + fmt.Sprintf("the fallback of %s copied at %d ns, while %s was in flight from %d to %d ns", by, v.At, other, v.From, v.To)
	case OverlapUnwaited:
		return where + fmt.Sprintf("%s zeroed at %d ns and was queued until %d ns, and %s got its mapping at %d ns", by, v.At, v.Until, other, v.From)
	default:
		return where + fmt.Sprintf("%s zeroed behind i_size at %d ns and was queued until %d ns, and %s, aligned and extending, got its mapping at %d ns",
			by, v.At, v.Until, other, v.From)
	}
}
