// Package tally counts judged writes while they pass: by file, process and reason, by
// second, and what the kernel and the model disagree about. Its memory is bounded: the
// writes of what does not fit are counted together.
//
// One goroutine adds rows to a Tally; the pictures it makes of it share nothing with it.
package tally
