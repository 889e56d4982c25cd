package model

// BlockState is the kind of block that an ext4_map_blocks lookup found.
type BlockState uint8

// Kinds of blocks, in the kernel's words.
const (
	Hole BlockState = iota
	Written
	Unwritten
	Delayed
	LookupError
)

var blockStateNames = [...]string{"hole", "written", "unwritten", "delayed", "error"}

func (s BlockState) String() string { return blockStateNames[min(s, LookupError)] }

// Found is what ext4_map_blocks returns for n blocks in state s when it only looks. The
// conditions are those of a block that the extent status tree knows (inode.c:738); the
// extent tree gives the same for written and unwritten ones (ext4_ext_is_unwritten).
func Found(s BlockState, n uint32) Result {
	switch s {
	case Written: // ext4_es_is_written(&es) || ext4_es_is_unwritten(&es): here the first
		return Result{Ret: int32(n), MFlags: MapMapped}
	case Unwritten: // ext4_es_is_unwritten(&es)
		return Result{Ret: int32(n), MFlags: MapUnwritten}
	case Delayed: // ext4_es_is_delayed(&es) || ext4_es_is_hole(&es): here the first
		return Result{MFlags: MapDelayed}
	}
	return Result{} // ext4_es_is_hole(&es)
}

// StateOf tells the kind of block from the return value and the m_flags of
// ext4_map_blocks. The kernel returns 0 for a delayed block, as for a hole, and
// 6.1 does not mark it, so there a delayed block reads as a hole.
func StateOf(ret int32, mflags uint32) BlockState {
	switch {
	case ret < 0:
		return LookupError
	case ret == 0 && mflags&MapDelayed != 0:
		return Delayed
	case ret == 0:
		return Hole
	case mflags&MapMapped != 0:
		return Written
	default:
		return Unwritten
	}
}
