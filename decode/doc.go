// Package decode holds no code, only the tests of the whole way from raw records to
// verdicts. It falls into four packages, each of which imports those before it:
//
//	observe  puts observations together from records, and says what of them is missing
//	rules    the rules R1 to R13, and those that a write breaks by itself
//	overlap  the rules that two writes of one inode break together
//	judge    compares an observation with what the reference model says that kernel
//	         had to decide, and finds out which kernel it is
//
// None of them guesses: a fact that was not captured stays unknown, an incomplete
// record is never judged, and lost data ends in "undecided", never in a disagreement.
package decode
