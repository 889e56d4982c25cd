package model

// DirectFacts are the inode flags and mount options that decide whether ext4 takes
// a direct write as one.
type DirectFacts struct {
	Verity  Answer // fs-verity is active
	Journal Answer // the inode's data is journalled (ext4_should_journal_data)
	Inline  Answer // the data lies in the inode
	Encrypt Answer // the contents are encrypted
	// InlineCrypt: encrypted by the block layer. Only asked of encrypted inodes.
	InlineCrypt Answer
}

// JournalsData is ext4_should_journal_data for a regular file: the journal holds
// its contents too. Encrypted files are never journalled.
func JournalsData(hasJournal, mountJournal, inodeJournal, delalloc, encrypted Answer) Answer {
	inode := and(inodeJournal, not(delalloc))
	return and(and(hasJournal, not(encrypted)), or(mountJournal, inode))
}

// UseDio is ext4_should_use_dio: whether a direct write to such an inode is one,
// or goes through the page cache. It is judged once, after the first lock, by the
// position and the iov_iter of the caller. ext4_dio_alignment (inode.c) gives dio_align:
// 0 for no direct I/O, the block size, or 1 for what iomap asks for.
func UseDio(c *Call, f DirectFacts, v Variant) Answer {
	// dio_align == 0: fsverity_active(inode), ext4_should_journal_data(inode), or
	// ext4_has_inline_data(inode).
	never := or(f.Verity, or(f.Journal, f.Inline))
	// Not: IS_ALIGNED(iocb->ki_pos | iov_iter_alignment(iter), dio_align). The mask is the
	// block size here, too.
	unaligned := unalignedIO(c.Pos, c.Align, c.Blkbits)
	// IS_ENCRYPTED(inode) makes dio_align the block size. Otherwise dio_align == 1, and the
	// alignment does not matter here.
	fits := or(not(f.Encrypt), not(unaligned))
	if !v.Has(EncryptAligned) {
		// Up to 7.2 direct I/O needs inline encryption.
		inline := f.InlineCrypt
		if v.Vague().Has(EncryptAligned) {
			inline = or(inline, Unknown)
		}
		fits = and(fits, or(not(f.Encrypt), inline))
	}
	return and(not(never), fits)
}

// RefusedFor names what made UseDio say no.
func RefusedFor(f DirectFacts) Reason {
	switch {
	case f.Inline == Yes:
		return ReasonInline
	case f.Journal == Yes:
		return ReasonJournal
	case f.Verity == Yes:
		return ReasonVerity
	case f.Encrypt == Yes:
		return ReasonEncrypted
	}
	return ReasonNoDio
}
