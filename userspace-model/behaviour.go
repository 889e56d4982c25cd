package model

import "slices"

// Behaviours is a set of named changes to ext4's direct-write decisions. One
// behaviour is what one commit changed; a Variant is a set of them.
type Behaviours uint32

// The behaviours, oldest first. A hash is the mainline commit.
const (
	// OverwriteUnwritten: an unwritten extent counts as an overwrite too, so an
	// aligned write over preallocated blocks keeps the shared lock.
	// 240930fb7e6b "ext4: dio take shared lock when overwriting preallocated
	// blocks" (v6.3).
	OverwriteUnwritten Behaviours = 1 << iota
	// UnalignedShared: alignment no longer forces the exclusive lock up front; it
	// is judged in every pass, and an unaligned write to written blocks stays
	// shared. The check for NOWAIT moves before file_modified.
	// 310ee0902b8d "ext4: allow concurrent unaligned dio overwrites" (v6.5).
	UnalignedShared
	// SingleOps: ext4_iomap_overwrite_ops is gone, every direct write uses
	// ext4_iomap_ops. 012924f0eeef (v7.x).
	SingleOps
	// SplitAtEndIO: ext4_iomap_alloc asks for unwritten blocks without splitting
	// the extent before the I/O (EXT4_GET_BLOCKS_IO_CREATE_EXT is gone), and
	// ext4_iomap_begin takes an unwritten extent as it finds it (v7.x).
	SplitAtEndIO
	// NowaitNoAlloc is patch 1: ext4_iomap_alloc returns -EAGAIN under
	// IOMAP_NOWAIT. 07d62890ef19 "prevent sleeping allocation in NOWAIT write path".
	NowaitNoAlloc
	// DrainFallback is patch 2: ext4_buffered_write_iter calls inode_dio_wait.
	// 15cdefd0c052 "drain in-flight DIO before buffered write fallback"; it was
	// backported to stable kernels, so it is not tied to a version.
	DrainFallback
	// AlignedUnchecked is patch 3: an aligned write inside i_size is not looked up.
	// 63b314a7795e "skip overwrite check for aligned non-extending DIO writes".
	AlignedUnchecked
	// NeedsZeroing is patch 4: an unaligned write is looked up by its partial
	// blocks only. 07961ebb09c9 "base unaligned DIO lock decision on partial block
	// zeroing".
	NeedsZeroing
	// KiocbModified is patch 5: timestamps are updated by kiocb_modified, which
	// honours IOCB_NOWAIT. 59a9d0814d9f "use kiocb_modified instead of
	// file_modified in DIO/DAX write path".
	KiocbModified
	// EncryptAligned: a direct write to an encrypted inode only has to be aligned
	// to the block size; inline encryption is no longer asked for
	// (ext4_dio_alignment, v7.3). Of the series' own kernels before 7.3 it is not
	// known.
	EncryptAligned
	// CachedMissEagain is patch 6 of the series' v2, not merged: ext4_map_blocks
	// returns -EAGAIN when a cache-only lookup misses.
	CachedMissEagain
	// NowaitCachedBegin is patch 7, not merged: ext4_iomap_begin looks up in the
	// cache only under IOMAP_NOWAIT.
	NowaitCachedBegin
	// NowaitCachedZeroing is patch 8, not merged: ext4_dio_needs_zeroing looks up
	// in the cache only under IOCB_NOWAIT.
	NowaitCachedZeroing
)

// Has reports whether every behaviour in want is in the set.
func (b Behaviours) Has(want Behaviours) bool { return b&want == want }

// behaviourNames has the names of the behaviours, in the order of their bits.
var behaviourNames = [...]string{
	"OverwriteUnwritten", "UnalignedShared", "SingleOps", "SplitAtEndIO", "NowaitNoAlloc", "DrainFallback", "AlignedUnchecked",
	"NeedsZeroing", "KiocbModified", "EncryptAligned", "CachedMissEagain", "NowaitCachedBegin", "NowaitCachedZeroing",
}

// BehaviourNames lists the names by which texts ask for behaviours.
func BehaviourNames() []string { return slices.Clone(behaviourNames[:]) }

// BehaviourNamed is the behaviour with that name, 0 for none.
func BehaviourNamed(name string) Behaviours {
	i := slices.Index(behaviourNames[:], name)
	if i < 0 {
		return 0
	}
	return 1 << i
}
