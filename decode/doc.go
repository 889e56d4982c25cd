// Package decode turns raw records into observations, and compares each
// observation with what the reference model says that kernel had to decide.
//
// It never guesses: a fact that was not captured stays unknown, an incomplete
// record is never judged, and lost data ends in "undecided", never in a
// disagreement.
package decode
