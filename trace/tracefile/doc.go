// Package tracefile is the file in which raw records are kept (.e4d): FORMAT.md says
// what is in it. A file is written chunk by chunk and can be read to its last whole
// chunk, whatever happened to the program that wrote it.
//
// Records are kept as the kernel sent them, not as they were judged, so that a better
// model can judge an old trace again. A Reader must never panic, nor take much memory,
// whatever bytes it is given.
package tracefile
