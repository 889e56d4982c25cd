// Package coverage tells which branches of the kernel real writes took, each way: the tests of
// ext4_dio_write_iter that the model has, where NOWAIT ends a write, and what iomap did.
//
// A point counts for a write that agrees: only of those it is known that the kernel went the
// way that the model goes. What no direct write can reach under a variant, by all the cases that
// the model is asked for, is told apart from what was merely not reached.
package coverage
