package model

// Write is one direct write as its caller asks for it.
type Write struct {
	Pos, Len int64 // ki_pos and bytes; IOCB_APPEND moves the position later
	// Buffer is the OR of the addresses of all segments, and of their lengths when
	// there are several; only the bits below the block size matter.
	Buffer uint32
	Flags  uint32 // ki_flags: IocbNowait, IocbAppend, IocbAtomic
	Async  bool   // ki_complete is set: libaio, io_uring, loop
}

// Limits cut or refuse a write in ext4_generic_write_checks. Zero is no limit.
type Limits struct {
	Immutable   bool
	Swapfile    bool
	Fsize       int64 // RLIMIT_FSIZE, bytes
	MaxBytes    int64 // s_maxbytes, or the limit of a file opened without O_LARGEFILE
	BitmapBytes int64 // s_bitmap_maxbytes; for inodes without extents
	AtomicMin   int64 // s_awu_min and s_awu_max, bytes; no atomic writes when 0
	AtomicMax   int64
	SectorSize  int64 // the device's logical block size
}

// Inode is an inode whose facts are all known, for a prediction without any
// observation. NewInode gives one in the usual state.
type Inode struct {
	Blkbits          uint8
	ISize, IDisksize int64 // under i_rwsem, bytes
	// ISizeAtGuess is the i_size that the lockless guess reads: ISize, unless the
	// file grew or shrank in between.
	ISizeAtGuess int64
	Extents      Extents
	Cache        Cache
	Indirect     bool // without EXT4_EXTENTS_FL
	Nosec        bool // S_NOSEC: no security info to remove
	Direct       DirectFacts
	Limits       Limits
	DAX          bool // S_DAX

	Busy            bool // i_rwsem cannot be had without waiting
	Stale           bool // mtime or ctime is not the current time
	Cached          bool // pages of the range are in the page cache
	InvalidateFails bool // and cannot be dropped
	Shutdown        bool // the file system was shut down
	EmergencyRO     bool // read-only after an error (7.x)
}

// NewInode is an inode of size bytes in the usual state: i_disksize as i_size,
// S_NOSEC set by an earlier write, current timestamps, nothing in the page cache.
func NewInode(blkbits uint8, size int64, extents Extents) *Inode {
	return &Inode{
		Blkbits: blkbits, ISize: size, IDisksize: size, ISizeAtGuess: size, Extents: extents, Nosec: true,
		Direct: DirectFacts{Verity: No, Journal: No, Inline: No, Encrypt: No, InlineCrypt: No},
	}
}

func (in *Inode) check() error {
	switch {
	case in.Blkbits < MinBlkbits || in.Blkbits > MaxBlkbits:
		return factError("a block size that ext4 does not have: 1024 to 65536")
	case in.ISize < 0 || in.ISizeAtGuess < 0:
		return factError("a negative i_size")
	case in.IDisksize < 0:
		return factError("a negative i_disksize")
	case in.IDisksize > in.ISize:
		return factError("i_disksize beyond i_size: it follows i_size, at the latest by writeback")
	case in.Indirect && in.Direct.Inline == Yes:
		return factError("inline data and block map in one inode")
	}
	return in.Extents.check(in.Indirect)
}

// Start is where w is made: IOCB_APPEND moves it to i_size.
func (in *Inode) Start(w *Write) int64 {
	if w.Flags&IocbAppend != 0 {
		return in.ISize
	}
	return w.Pos
}

// call is the write as ext4_file_write_iter finds it.
func (w *Write) call(in *Inode) Call {
	return Call{
		Pos: w.Pos, Len: w.Len, ISize: in.ISizeAtGuess, Flags: w.Flags, Blkbits: in.Blkbits,
		Align: w.align(w.Len), Async: AnswerOf(w.Async),
	}
}

// align is iov_iter_alignment with n bytes left; of none it is 0.
func (w *Write) align(n int64) Alignment {
	if n == 0 {
		return Alignment{Known: true}
	}
	return Alignment{Bits: w.Buffer | uint32(n), Known: true}
}

// writeChecks is ext4_generic_write_checks for n bytes at pos: where the write is
// made, and the bytes that are left of it or a negative errno. Both limits cut the
// iov_iter for good.
func (in *Inode) writeChecks(w *Write, n int64) (pos, left int64) {
	pos = w.Pos
	l := &in.Limits
	switch {
	case l.Immutable: // IS_IMMUTABLE(inode)
		return pos, -eperm
	case l.Swapfile:
		return pos, -etxtbsy
	case n == 0:
		return pos, 0
	}
	pos = in.Start(w)
	for _, limit := range [...]int64{l.Fsize, l.MaxBytes, in.bitmapLimit()} {
		if limit == 0 {
			continue
		}
		if pos >= limit { // of the last: iocb->ki_pos >= sbi->s_bitmap_maxbytes
			return pos, -efbig
		}
		n = min(n, limit-pos)
	}
	return pos, n
}

func (in *Inode) bitmapLimit() int64 {
	if in.Indirect { // !(ext4_test_inode_flag(inode, EXT4_INODE_EXTENTS))
		return in.Limits.BitmapBytes
	}
	return 0
}

// layout is the World of an Inode.
type layout struct {
	in   *Inode
	w    *Write
	v    Variant
	call *Call
	left int64 // bytes, after what the checks have cut
}

func (l *layout) Trylock(Mode) Answer { return AnswerOf(!l.in.Busy) }
func (l *layout) UseDio() Answer      { return UseDio(l.call, l.in.Direct, l.v) }

func (l *layout) Checks(int) (Checks, bool) {
	pos, left := l.in.writeChecks(l.w, l.left)
	if left > 0 {
		l.left = left
	}
	return Checks{
		Pos: pos, Count: left, ISize: l.in.ISize, IDisksize: l.in.IDisksize,
		Align: l.w.align(l.left), Nosec: l.in.Nosec,
	}, true
}

func (l *layout) Lookup(_ int, q Query) (Result, bool) {
	r, _ := l.in.Extents.mapBlocks(q, l.in.Cache, l.v.Behaviours())
	return r, true
}

func (l *layout) Modified() (int, bool) {
	if l.in.Stale && l.call.nowait() && l.v.Has(KiocbModified) {
		return EAGAIN, true
	}
	return 0, true
}
