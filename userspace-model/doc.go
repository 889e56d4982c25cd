// Package model is the reference model of ext4's decisions for direct writes:
// which mode of i_rwsem, how many passes of the write checks, which lookups,
// whether to drain, to force a wait, to give up under NOWAIT.
//
// It is pure: it does no I/O, reads no clock, starts no goroutine and keeps no
// state. Its functions are named after the kernel's and stand in the kernel's order:
// file7.go is fs/ext4/file.c of 7.x with what it calls of inode.c, file61.go and
// file612.go are 6.1 and 6.12 where they differ, submit.go and iomap.go are
// fs/iomap/direct-io.c.
//
// A Variant is a set of Behaviours, each the change of one commit. variants.go has a
// row for each.
//
// The model is fed in two ways. Decide asks a World for what it cannot know: an
// observation answers with what the kernel saw, and everything else is predicted. A
// fact that is not known ends the decision with that fact named; facts that
// contradict each other end it too; it never guesses. Predict takes an Inode whose
// facts are all known, its Extents and an assumption about the extent-status tree
// (Cache), and predicts the whole write, lookups and mappings included.
//
// Not modelled: DAX writes (EndDAX), privileges that kiocb_modified would have to
// remove under NOWAIT, -ENOSPC, short copies from memory that is not there, the
// cut of mappings for some encrypted files, and blocks that an atomic write has to
// allocate (SubmitUnknown). The code of patches 6 to 8 and that between patch 3 and
// patch 4 was never published by itself; it follows the series' cover letter.
package model
