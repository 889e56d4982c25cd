// Package compare tells what changed between two recordings: writes are sorted into classes,
// a class of one recording is compared with the same one of the other, and each number has an
// interval. A difference is told only where it is more than what a run differs from itself by.
//
// It never reads a recording: a Side is filled row by row, in a bounded memory.
package compare
