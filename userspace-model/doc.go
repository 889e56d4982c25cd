// Package model is the reference model of ext4's decisions for direct writes:
// which mode of i_rwsem, how many passes of the write checks, which lookups,
// whether to drain, to force a wait, to give up under NOWAIT.
//
// It is pure: it does no I/O, reads no clock, starts no goroutine and keeps no
// state. Its functions are named after the kernel's and stand in the kernel's order:
// file7.go is most of the direct write of 7.x in fs/ext4/file.c and inode.c (its head says
// where the rest is), file61.go and file612.go are 6.1 and 6.12 where they differ,
// submit.go and iomap.go are fs/iomap/direct-io.c and the fallback after it.
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
// # Not modelled
//
// Before iomap_dio_rw:
//   - iocb->ki_flags & IOCB_DIRECT in ext4_file_write_iter (file.c:793): every write of the
//     model has it;
//   - DAX writes (EndDAX);
//   - ext4_clear_inode_state(inode, EXT4_STATE_MAY_INLINE_DATA), which no decision reads;
//   - errors of ext4_journal_start and ext4_orphan_add for a write that extends;
//   - privileges that kiocb_modified would have to remove under NOWAIT: -EAGAIN as for
//     timestamps.
//
// In ext4_map_blocks, ext4_iomap_begin, ext4_iomap_alloc and ext4_set_iomap:
//   - an extent status tree that knows a part of the extents: Cache is all or nothing;
//   - the border of an indirect block, where ext4_ind_map_blocks ends a mapping
//     (indirect.c:561): the first is behind block 11, the others every blocksize/4 blocks
//     after it. With a cold cache, write a '|' there into Extents. Create does not end its
//     blocks there either;
//   - EXT4_GET_BLOCKS_QUERY_LAST_IN_LEAF, EXT4_GET_BLOCKS_CONVERT_UNWRITTEN and
//     EXT4_GET_BLOCKS_ZERO, which a direct write that is neither DAX nor atomic does not pass;
//   - the journal and fast commits: ext4_should_order_data with ext4_jbd2_inode_add_write,
//     ext4_fc_track_inode, ext4_fc_track_range;
//   - flags & IOMAP_DAX of ext4_iomap_begin, ext4_iomap_alloc and ext4_set_iomap: DAX writes
//     end before;
//   - (offset >> blkbits) > EXT4_MAX_LOGICAL_BLOCK: contradiction.go refuses such a write;
//   - ext4_has_inline_data, which ext4_should_use_dio has excluded;
//   - check_block_validity, and m_len > INT_MAX, which one write of at most 2 GiB does not
//     reach;
//   - errors of ext4_journal_start, -ENOSPC and its retry (ext4_should_retry_alloc);
//   - blocks that an atomic write has to allocate (SubmitUnknown);
//   - the cut of mappings for some encrypted files (fscrypt_limit_io_blocks);
//   - IOMAP_F_DIRTY, IOMAP_F_MERGED and IOMAP_F_ATOMIC_BIO; the types IOMAP_HOLE and
//     IOMAP_DELALLOC, which a write does not get.
//
// In iomap_dio_rw and after it:
//   - the alignment of memory that the device asks for (bdev_dma_alignment, fs/iomap/direct-io.c:360);
//   - short copies from memory that is not there, and errors of the device;
//   - ext4_dio_write_end_io: the conversion of unwritten extents, and
//     ext4_handle_inode_extension with i_disksize and the orphan list; their errors;
//   - ext4_inode_extension_cleanup;
//   - in the fallback, the second ext4_generic_write_checks (file.c:681, 350, 308): an append
//     may begin elsewhere there, when another write extended the file since the lock was
//     dropped;
//   - in ext4_buffered_write_iter: kiocb_modified and ext4_block_zero_eof of
//     ext4_write_checks, generic_perform_write, generic_write_sync; the fallback is taken
//     to write all that it is given;
//   - after the fallback: filemap_write_and_wait_range and invalidate_mapping_pages.
//
// The code of patches 6 to 8 and that between patch 3 and patch 4 was never published by
// itself; it follows the series' cover letter.
package model
