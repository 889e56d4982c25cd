// Package expect holds policies: what somebody expects of the direct writes of his files, in
// a line, and whether the writes that were seen keep it.
//
//	path~"\.ibd$": exclusive<1%, p99(wait)<1ms, refused<5%, undecided=0
//
// In front of the colon stands a filter as --filter takes it, which says what writes are
// meant; without one all are. Behind it stand requirements, with commas between. Each is
//
//	MEASURE OP VALUE    OP is < <= > >= = !=
//
// and a measure is one of
//
//	FLAG             the writes with a flag of filters, such as exclusive, refused, differs
//	"REASON"         those with a reason that has this text
//	writes(FILTER)   those that match one more filter; writes alone are all that are meant
//	pN(TIME)         the time that N percent of them did not exceed: p50(wait), p99.9(latency)
//	max(TIME) mean(TIME)
//	rate             writes a second, from the beginning to the last write
//
// Writes are counted, or are a share when the value ends in %. Times need a unit. A line of a
// file that begins with # and what stands behind a blank and # is a comment.
//
// A requirement is kept, broken or unproven. What was seen may break it; it is kept only where
// what is not known cannot change that: a fact that is missing of a write, a write that was
// lost, and no write at all.
package expect
