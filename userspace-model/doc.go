// Package model is the reference model of ext4's decisions for direct writes:
// which mode of i_rwsem, how many passes of the write checks, which lookups,
// whether to drain, to force a wait, to give up under NOWAIT.
//
// It is pure: it does no I/O, reads no clock, starts no goroutine and keeps no
// state. It has one function for every step that the kernel takes, so that it can
// be read beside fs/ext4/file.c:
//
//	here                       kernel                            changed by
//	guess                      ext4_dio_write_iter, first lock   310ee0902b8d
//	lock                       inode_trylock*, ext4_should_use_dio
//	writeChecks, upgrade       ext4_dio_write_checks             310ee0902b8d 63b314a7795e 07961ebb09c9
//	unalignedIO                ext4_unaligned_io
//	examine                    ext4_extending_io
//	overwriteIO, wholeRange    ext4_overwrite_io                 240930fb7e6b
//	needsZeroing               ext4_dio_needs_zeroing            07961ebb09c9
//	sync                       the dio flags, inode_dio_wait     310ee0902b8d 07961ebb09c9
//	modified                   file_modified, kiocb_modified     59a9d0814d9f
//	dioRw                      ext4_orphan_add, the iomap_ops    012924f0eeef
//	AllocFlags, BeginMayEagain ext4_iomap_alloc, ext4_iomap_begin 07d62890ef19
//	Head, Tail, NeedZeroout    iomap_dio_bio_iter
//
// A Variant is a set of Behaviours, each the change of one commit. What the model
// cannot know it asks of a World: an observation, or a layout. A fact that is not
// known ends the decision with that fact named; it never guesses.
//
// Not modelled: DAX writes, and the extra conditions of atomic writes
// (IOCB_ATOMIC) in ext4_iomap_begin. The code of patches 6 to 8 and that between
// patch 3 and patch 4 was never published by itself; it follows the series' cover
// letter.
package model
