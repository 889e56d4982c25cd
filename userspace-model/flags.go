package model

// Bits of kiocb.ki_flags that the decisions look at (include/linux/fs.h); equal
// in all kernels that are modelled.
const (
	IocbNowait = 0x8
	IocbAppend = 0x10
	IocbAtomic = 0x40 // 6.12 and later
)

// Flags of ext4_map_blocks (fs/ext4/ext4.h).
const (
	GetBlocksCreate          = 0x1
	GetBlocksCreateUnwritExt = 0x3
	GetBlocksIOCreateExt     = 0xB   // 6.x: split before the I/O
	GetBlocksCachedNowait    = 0x800 // look in the extent status tree only
)

// Bits of m_flags as ext4_map_blocks returns them.
const (
	MapMapped    = 0x10
	MapNew       = 0x20
	MapDelayed   = 0x100
	MapUnwritten = 0x800
)

// Types of an iomap and the one flag that matters for zeroing
// (include/linux/iomap.h).
const (
	IomapHole      = 0
	IomapDelalloc  = 1
	IomapMapped    = 2
	IomapUnwritten = 3
	IomapInline    = 4

	IomapFNew = 0x1
)

// DioForceWait is the only dio_flags bit that ext4 passes to iomap_dio_rw.
const DioForceWait = 0x1

// Errors that decisions end in, as the kernel returns them.
const (
	EAGAIN      = -11
	ENOTBLK     = -15
	EOPNOTSUPP  = -95
	EIOCBQUEUED = -529
)

const (
	eperm        = 1
	eio          = 5
	einval       = 22
	etxtbsy      = 26
	efbig        = 27
	erofs        = 30
	efscorrupted = 117
)
