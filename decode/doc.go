// Package decode turns raw records into observations, and compares each
// observation with what the reference model says that kernel had to decide.
//
// It never guesses: a fact that was not captured stays unknown, an incomplete
// record is never judged, and lost data ends in "undecided", never in a
// disagreement.
//
// The rules R1 to R13 are a part of their own: AllRules describes them, Broken
// judges those that a write breaks by itself, and Overlaps those that two writes
// break together, all without a variant. The comparison with the variant's decision
// adds R6 to R10, and decides which broken rules that kernel promised to keep.
package decode
