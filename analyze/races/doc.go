// Package races visits every order in which the steps of two or three direct
// writes to one small file can happen, and says which bytes an order loses.
//
// It is there to check the reference model, not to copy it: first lock, passes,
// lookups, drain, force wait and queueing are what model.Decide says, asked again
// after each step with what the writer knows by then. Pads and allocation flags
// are model.Head, Tail, NeedZeroout and AllocFlags. The package has the rest of the
// way: who waits for whom, what reaches the disk when, what ends up in a block. It
// does no I/O, reads no clock, draws no random number, and must never decide a
// lock itself.
//
// A scenario is a file of one to three blocks of two or four sectors, its block
// states and i_size, and the writes. A family is a set of scenarios that is
// enumerated to the end. Each scenario is searched breadth first with a set of the
// states that were seen, so that the first finding of a class is a shortest one,
// counted in steps of the explorer, some of which print several lines. Where
// nothing can happen any more, every sector inside i_size is compared with what it
// may hold.
//
// # What a sector may hold
//
// Written by one write: that data. By several: the data of any of them. By nobody:
// what it held before, or zero in a hole, in an unwritten block and behind the old
// i_size. Two appends must never be in the same place. Stale bytes of a block,
// zeroes over data, and a clean page that differs from the disk are findings. A
// completion that finds a dirty page in its range is one, too: the kernel warns
// and the next fsync returns -EIO.
//
// # Assumptions
//
// What is simpler here than in the kernel, and why nothing, or what, is lost by it:
//
//   - i_rwsem has no queue. A waiting exclusive taker does not hold up new shared
//     ones, so more orders are visited than the kernel allows, none is missed.
//   - What nobody else can tell apart is one step: a lock and the write checks under
//     it (i_size is stable there); the drain, the flush of the pages, i_dio_count++
//     and the first mapping; ext4_iomap_begin and the bios of its mapping, as a bio
//     may land at any later time; a lock is released as soon as it is not needed.
//   - The bios of a writer over one block land together, data and zeroes apart. A
//     finding is about one sector, and nothing but the sector depends on when its
//     bytes land, so finer pieces give no other findings.
//   - A page is a block. Pages over several blocks and blocks over several pages are
//     not visited.
//   - Neighbouring blocks in the same state are one mapping. Mappings that end
//     earlier (another place on the device, an indirect block's border) only make
//     kernels before patch 3 take the exclusive lock more often.
//   - A page is written back at once and whole, at any time. A page is read at once;
//     one reader reads one page, at any time.
//   - i_disksize lags behind i_size only where the last block is not allocated and
//     its page is dirty: at the start of family dirty, and after the fallback.
//   - No truncate, hole punch or fallocate (they take i_rwsem exclusive and drain),
//     no mmap, no buffered writer at the same time but the fallback (family dirty
//     starts with the pages of an earlier one), no direct reader (it only adds to
//     i_dio_count), no crash, no error of a bio.
//   - No NOWAIT: such a write gives up where others wait. Without it series-v2 and
//     linux-7.3 decide alike.
//   - ext4_iomap_overwrite_ops (6.x) finds what ext4_iomap_ops finds.
//   - Writes end at the last block: behind it the write checks cut them, or return
//     -EFBIG, as RLIMIT_FSIZE does. Only appends come there.
//   - A sync write is a special case of an async one that keeps the lock; most
//     families have async writes only.
//
// The bounds are small. That no order within them loses a byte is no proof for
// larger files, more writers or other kinds of access.
package races
