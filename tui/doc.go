// Package tui is the live view on a terminal: a header with what is traced and
// what is missing, a table of recent writes, and everything about one write.
//
// It is fed with snapshots, at most ten a second, however many writes there are.
// Update does no I/O, View changes nothing, and nothing is drawn before the size
// of the terminal is known.
package tui
