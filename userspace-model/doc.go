// Package model is the reference model of ext4's decisions for direct writes:
// which mode of i_rwsem, how many passes of the write checks, which lookups,
// whether to drain, to force a wait, to give up under NOWAIT.
//
// It is pure: it does no I/O, reads no clock, starts no goroutine and keeps no
// state. It has one function for every step that the kernel takes, so that it can
// be read beside fs/ext4/file.c:
//
//	here                       kernel                            changed by
//	enter                      ext4_file_write_iter
//	guess                      ext4_dio_write_iter, first lock   310ee0902b8d
//	lock                       inode_trylock*
//	UseDio, JournalsData       ext4_should_use_dio, ext4_dio_alignment
//	Inode.writeChecks          ext4_generic_write_checks
//	writeChecks, upgrade       ext4_dio_write_checks             310ee0902b8d 63b314a7795e 07961ebb09c9
//	unalignedIO                ext4_unaligned_io
//	examine                    ext4_extending_io
//	overwriteIO, wholeRange    ext4_overwrite_io                 240930fb7e6b
//	needsZeroing               ext4_dio_needs_zeroing            07961ebb09c9
//	sync                       the dio flags, inode_dio_wait     310ee0902b8d 07961ebb09c9
//	modified                   file_modified, kiocb_modified     59a9d0814d9f
//	dioRw                      ext4_orphan_add, the iomap_ops    012924f0eeef
//	submission.invalidate      kiocb_invalidate_pages
//	submission.begin, alloc    ext4_iomap_begin, ext4_iomap_alloc 07d62890ef19
//	submission.submit          iomap_dio_bio_iter
//	submission.rest, buffered  ext4_buffered_write_iter          15cdefd0c052
//	AllocFlags, BeginMayEagain ext4_iomap_alloc, ext4_iomap_begin 07d62890ef19
//	Head, Tail, NeedZeroout    iomap_dio_bio_iter
//	Extents.lookup, Found      ext4_map_blocks
//	Create, MappingOf          ext4_map_blocks, ext4_set_iomap
//
// A Variant is a set of Behaviours, each the change of one commit.
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
