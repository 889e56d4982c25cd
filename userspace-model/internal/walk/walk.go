// Package walk is a second, independent account of what ext4 decides for a direct write.
//
// It follows the procedures that docs/kernel.md writes down, from docs/kernel.md#quantities to docs/kernel.md#completion and
// the corner cases, step by step, one straight function for each kernel variant, and shares nothing with the real model. A
// test compares the two: where they differ, one of them has misread the page. Step numbers in comments are those of the page;
// comments repeat where it says that a step is inferred.
//
// The package must never import the model that it checks, nor be written after it, and nothing but tests may use it. It repeats
// code instead of sharing it between variants, so that each variant can be read beside its part of the page.
package walk

// Errors as the kernel returns them, negative.
const (
	eperm      = -1
	eio        = -5
	eagain     = -11
	enotblk    = -15
	einval     = -22
	etxtbsy    = -26
	efbig      = -27
	erofs      = -30
	eopnotsupp = -95
	// efscorrupted is the error of a lookup at a block number that no file has.
	efscorrupted = -117
)

// Input is one direct write and the whole world that it meets. The world does not change between the passes of the checks; only
// GuessISize may differ from ISize, for the race that the lockless guess can lose.
type Input struct {
	// Variant names the kernel: "linux-6.1", "linux-6.12", "linux-7.2", "base", "patch3", "patch4", "linux-7.3" or "series-v2".
	// "patch3" has patches 1, 2 and 3 of the series, "patch4" has 1 to 4, "base" has none, "linux-7.2" has patch 2.
	Variant string
	// Patch6, Patch7 and Patch8 add that patch of the series' second version to "linux-7.3". "series-v2" has all three.
	Patch6, Patch7, Patch8 bool

	Pos, Len             int64  // ki_pos and iov_iter count at entry, bytes
	Mem                  uint32 // OR of all segment addresses and of the segment lengths other than the total
	Nowait               bool   // IOCB_NOWAIT
	Append               bool   // IOCB_APPEND: each pass moves the position to ISize
	Async                bool   // not a sync kiocb
	Atomic               bool   // IOCB_ATOMIC; looked at on 7.x only
	AtomicMin, AtomicMax int64  // s_awu_min and s_awu_max, bytes

	GuessISize int64 // i_size as the guess reads it without the lock
	Blkbits    uint  // i_blkbits
	ISize      int64 // i_size under the lock, in every pass
	Disksize   int64 // i_disksize under the lock, in every pass

	// Blocks draws the file from block 0, one letter a block: W written, U unwritten, H hole, D delayed. A '|' between two
	// letters begins a new mapping although the state is the same. Blocks behind the end of the string are one hole.
	Blocks   string
	Indirect bool // inode flag EXTENTS is clear
	Nosec    bool // S_NOSEC

	Inline      bool // the inode has inline data
	JournalData bool // data is journalled, see docs/kernel.md#direct-or-buffered
	Encrypted   bool // S_ENCRYPTED
	InlineCrypt bool // encryption is done by the block layer
	Dax         bool // S_DAX

	Shutdown  bool // forced shutdown
	ReadOnly  bool // emergency read-only; 6.x does not know it
	Immutable bool // S_IMMUTABLE
	Swapfile  bool // the file is an active swap file

	LimitFsize     int64 // RLIMIT_FSIZE in bytes, 0: no limit
	MaxBytes       int64 // s_maxbytes, 0: no limit
	BitmapMaxBytes int64 // s_bitmap_maxbytes, 0: no limit; for Indirect only

	TrylockFails    bool  // i_rwsem cannot be had at once; NOWAIT only
	Stale           bool  // the timestamps need an update
	PagesCached     bool  // page cache pages in the range; delayed blocks in the range imply it
	InvalidateFails bool  // page-cache invalidation fails when there are pages
	Cold            bool  // nothing of this inode is in the extent-status cache, and stays so
	LBS             int64 // logical block size of the device in bytes, 0: do not test
}

// Lookup is one ext4_map_blocks call of the check phase, as asked: first block, blocks, flags.
type Lookup struct{ Lblk, Len, Flags uint32 }

// Mapping is what one call of ext4_iomap_begin (or overwrite_begin) returned. When Err is set no mapping came back and all
// other fields are zero.
type Mapping struct {
	Lblk, Len uint32 // blocks; the length is clipped to what was asked
	Type      string // "MAPPED" or "UNWRITTEN"
	New       bool   // IOMAP_F_NEW
	Alloc     uint32 // flags of the allocating ext4_map_blocks; 0 if none was made, or if its flags were 0
	Err       int    // negative errno
}

// Range is a byte range of the file.
type Range struct{ Pos, Len int64 }

// Outcome is all that can be seen of the write.
type Outcome struct {
	// End says where the write ended: "entry" (refused, or DAX, before any lock), "buffered" (ext4_should_use_dio said no),
	// "checks" (write checks returned 0 or an error), "N0" to "N6" (the NOWAIT exits), "dio" (iomap_dio_rw did what it could).
	End string
	Dax bool  // the DAX path took it; nothing else is set
	Ret int64 // bytes or negative errno, as the caller or the completion finally gets it

	Guess   string     // "SH" or "EX": the mode of the first lock, set as soon as it was chosen
	Mode    string     // "SH" or "EX" at iomap_dio_rw; "" when never there
	Passes  int        // calls of ext4_generic_write_checks in the direct path
	Lookups [][]Lookup // one element a pass, nil for a pass without lookups

	Drain, ForceWait bool   // decided by the checks; false unless iomap_dio_rw was entered
	Orphan           bool   // ext4_orphan_add was called
	OverwriteOps     bool   // iomap_dio_rw got ext4_iomap_overwrite_ops
	Fmod             string // "file_modified" or "kiocb_modified" when the direct path called it

	Mappings []Mapping // in order, failed calls included
	Zeroed   []Range   // iomap_dio_zero calls with a length, in order

	Fallback      *Range // bytes that ext4_buffered_write_iter was given; nil if it was not called or refused at once
	FallbackDrain bool   // inode_dio_wait was called inside ext4_buffered_write_iter
	Queued        bool   // ext4_file_write_iter returned -EIOCBQUEUED
}

// kernel is Input.Variant as a number, oldest first.
type kernel int

const (
	k61 kernel = iota
	k612
	k72
	base
	patch3
	patch4
	k73
	v2 // or 7.3 with some of the patches 6 to 8
)

// walk is one write on its way.
type walk struct {
	in   *Input
	k    kernel
	out  *Outcome
	room *room

	mask          int64 // block size - 1
	pos, cnt, end int64 // after the write checks of the current pass
}

// room holds the slices of one Outcome, so that a walk allocates once. Two passes with at most two lookups each is the most
// that any variant does.
type room struct {
	passes   [2][]Lookup
	lookups  [2][2]Lookup
	mappings [3]Mapping
	zeroed   [2]Range
	fallback Range
}

// Walk follows the procedure for in. It panics when in.Variant is unknown.
func Walk(in Input) Outcome {
	var out Outcome
	w := walk{in: &in, out: &out, room: new(room)}
	w.mask = int64(1)<<in.Blkbits - 1
	w.pos, w.cnt = in.Pos, in.Len
	switch in.Variant {
	case "linux-6.1":
		w.k = k61
		w.walk61()
	case "linux-6.12":
		w.k = k612
		w.walk612()
	case "linux-7.2":
		w.k = k72
		w.walk72()
	case "base":
		// 7.2 without the drain of the fallback; the check phase is the same.
		w.k = base
		w.walk72()
	case "patch3":
		w.k = patch3
		w.walkPatch3()
	case "patch4":
		w.k = patch4
		w.walkPatch4()
	case "linux-7.3":
		w.k = k73
		if in.Patch6 || in.Patch7 || in.Patch8 {
			w.k = v2
			w.walkSeriesV2()
		} else {
			w.walk73()
		}
	case "series-v2", "linux-next":
		w.k = v2
		in.Patch6, in.Patch7, in.Patch8 = true, true, true
		w.walkSeriesV2()
	default:
		panic("walk: unknown variant " + in.Variant)
	}
	return out
}
