// Package storm makes direct writes to one file from several tasks at once, and asks
// three oracles:
//
//   - observed: the verdict of the model about each attempt that was seen, and with
//     it what two writes did together to one block;
//   - bytes: every byte of the file, read back with O_DIRECT after each round and
//     through the page cache after it was dropped;
//   - accounting: what was made is what was seen, each write once (io_uring tries
//     again in another task), with the result that its caller got.
//
// What makes the bytes known although the order is not: in a round, every byte is
// written by one write only, so that no order changes the outcome. Appends take the
// place that the kernel gives them; their records are told by their content, and
// each has to be there once and whole.
//
// The oracle of package random that is fed with the known layout is not possible
// here: which blocks a write finds depends on what the other tasks have just done.
//
// The storms keep out of one loss of bytes that kernels since 6.5 have (the eof-tail
// workload shows it): an asynchronous write that ends at i_size inside a written
// block zeroes the rest of the block while an aligned extending write goes there.
// An aligned write covers its blocks alone here, so that no other write is in them.
// They also keep out of what kernels without patch 2 do to a block of which one
// part is written through the page cache and another by direct I/O.
//
// That verdicts are undecided is lawful: i_size and i_disksize move while a write is
// on its way. Each reason is counted.
//
// It writes only to files in a directory that it made itself.
package storm
