// Package xfsio writes judged writes as a shell script of xfs_io commands: it lays out
// files of its own as the trace saw the blocks before each write, and repeats the
// writes one after the other. That is what one adds to a mail about a write on which
// kernel and model disagree.
//
// Only facts of the trace are used; what the trace does not hold, or xfs_io cannot
// do, stands in the script as a comment. No name of the traced system becomes a word
// of a command: names stand escaped in comments only. Memory is bounded by the number
// of files and by the pieces into which each is cut, both of which have a limit.
package xfsio
