package model

// procedure carries one decision along the kernel's functions: its fields are their
// local variables.
type procedure struct {
	d   *Decision
	c   *Call
	w   World
	has Behaviours

	mode Mode // in which i_rwsem is held; the kernel's ilock_shared
	// unaligned is judged once, before any lock, up to 6.1, and in every pass since.
	unaligned Answer
	// extend is kept over the restart up to 6.1, and judged in every pass since.
	extend bool
	// overwrite and unwritten are what ext4_overwrite_io found in this pass.
	overwrite, unwritten Answer
	// nz is what ext4_dio_needs_zeroing found. Patch 4 sets it once before the first
	// pass; an aligned pass keeps it.
	nz       Answer
	nzReason Reason
}

// Decide fills d with what variant v decides about the write c in world w. It
// walks ext4_dio_write_iter up to iomap_dio_rw.
func Decide(d *Decision, c *Call, w World, v Variant) {
	*d = Decision{}
	d.Variant = v
	p := procedure{d: d, c: c, w: w, has: v.Behaviours(), mode: Shared, nz: No}
	if why := c.contradiction(); why != "" {
		d.contradict(why)
		return
	}
	d.Modifier = FileModified
	if p.has.Has(KiocbModified) {
		d.Modifier = KiocbModifiedFn
	}
	switch {
	case !p.has.Has(UnalignedShared):
		p.dioWriteIter61()
	case !p.has.Has(SingleOps):
		p.dioWriteIter612()
	default:
		p.dioWriteIter()
	}
}

func not(a Answer) Answer { return [...]Answer{Unknown: Unknown, No: Yes, Yes: No}[a] }

func and(a, b Answer) Answer {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	default:
		return Unknown
	}
}

func or(a, b Answer) Answer { return not(and(not(a), not(b))) }
