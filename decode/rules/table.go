package rules

import (
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Stages that several rules need: a write that was seen from its entry to its
// return, and through the checks to iomap_dio_rw.
const (
	needsCall = record.StageEntry | record.StageReturn
	needsPass = needsCall | record.StagePass
	needsDio  = needsPass | record.StageDIO
)

// The exemptions of the zeroing rules.
var (
	exemptEOF = Exemption{"E-eof", "The mapping is written and not new, and the zeroed range begins at or beyond i_size: " +
		"the write ended exactly at i_size, and what lies behind it in the block is cleared. " +
		"All kernels since 6.5 do so; it is not harmless (eof-tail of the races command), and pairs of writes that meet there are counted."}
	exemptShort = Exemption{"E-short", "The write ended in an error: iomap zeroes around the place where it stopped. " +
		"While a queued write has no result yet, only the rest of its own first and last block counts."}
)

// table holds the rules by their numbers. Nothing writes to it.
var table = [Last + 1]Rule{
	1: {
		Set: R1, ID: "R1", Safety: true,
		Text:   "A partial block is zeroed only while i_rwsem is held exclusive.",
		Why:    "Under the shared lock another direct write may fill the rest of the same block; whichever bio lands last wins, and zeroes can replace its data.",
		Needs:  needsDio | record.StageZero | record.StageLock,
		Exempt: []Exemption{exemptEOF, exemptShort},
	},
	2: {
		Set: R2, ID: "R2", Safety: true,
		Text: "A partial block is zeroed only while no other direct I/O of the inode is in flight.",
		Why: "The exclusive lock keeps new direct I/O out, but not the bios of queued writes that have already unlocked; " +
			"only inode_dio_wait does, and a write in flight to the same block would race with the zeroes.",
		Needs: needsDio | record.StageZero,
		NeedsAlso: "i_dio_count at each iomap_dio_zero in an unwritten or new mapping, where it has to be 1; " +
			"against the variant: the drain (inode_dio_wait) before it; " +
			"over two writes: the instants of mapping, zeroing and completion",
		Exempt: []Exemption{exemptEOF, exemptShort, {
			"E-append", "6.1 judges alignment before IOCB_APPEND moves ki_pos, so that an append it took for aligned zeroes around i_size without a drain; " +
				"nothing else can be in flight there, as it would extend the file or be unaligned, and so hold the lock to its end.",
		}},
		Compares: []string{"drain"},
	},
	3: {
		Set: R3, ID: "R3", Safety: true,
		Text: "A write that zeroes a partial block waits for its I/O before it unlocks (IOMAP_DIO_FORCE_WAIT).",
		Why: "Once it unlocks, the next write to the same block may start while the zeroes are still in flight; " +
			"and it would find the block unwritten until end_io has converted it, and zero in it again.",
		Needs:     needsDio | record.StageZero,
		NeedsAlso: "dio_flags at iomap_dio_rw, ki_complete; over two writes: the instants of zeroing, completion and mapping",
		Exempt: []Exemption{exemptEOF, exemptShort, {
			"E-sync", "The caller gave no ki_complete: iomap waits for a synchronous write without being told to.",
		}},
	},
	4: {
		Set: R4, ID: "R4", Safety: true,
		Text: "A NOWAIT write does not sleep for a lock, the journal or metadata.",
		Why: "The caller asked for -EAGAIN instead of a wait, as io_uring does on its submission path: " +
			"a sleep there stalls every other request of the ring.",
		Needs: needsPass,
		NeedsAlso: "a second pass, as the restart locks blocking; inode_dio_wait where its probe is attached; " +
			"each voluntary sleep and what it was for, told from the lock or from the kernel stack: one that is not told is not judged",
		Exempt: []Exemption{{
			"E-own-io", "A synchronous write waits for its own I/O and for its completion: the unwritten conversion, the commit of O_DSYNC.",
		}, {
			"E-memory", "The write slept for memory, or for a fault or the pinning of the caller's pages, whatever that had to wait for.",
		}, {
			"E-block", "The block layer had no request, throttled or flushed a plug, or made the workqueue for completions: ext4 has no say there.",
		}, {
			"E-rtlock", "A spinlock of PREEMPT_RT, which sleeps where other kernels spin.",
		}},
	},
	5: {
		Set: R5, ID: "R5", Safety: true, Promise: model.DrainFallback,
		Text: "A buffered fallback copies only after direct I/O in flight was drained.",
		Why: "The page cache reads a block from the disk before it changes a part of it; direct I/O that lands between that read and the writeback " +
			"is overwritten with what was there before.",
		Needs:     needsCall | record.StageBuffered | record.StageCopy,
		NeedsAlso: "i_dio_count at generic_perform_write; over two writes: the instants of mapping, copy and completion",
	},
	6: {
		Set: R6, ID: "R6",
		Text:      "i_rwsem is held in the mode that the variant chooses.",
		Why:       "Shared where exclusive is needed endangers data; exclusive where shared is enough makes the writers of the inode take turns.",
		Needs:     needsPass | record.StageLock,
		NeedsAlso: "all facts of the decision",
		Compares:  []string{"first lock", "lock", "lock of the buffered copy"},
	},
	7: {
		Set: R7, ID: "R7",
		Text:      "The write checks run as often as the variant says.",
		Why:       "A second pass is an upgrade + restart: the shared lock was given up, and the write queued again for the exclusive one.",
		Needs:     needsPass,
		NeedsAlso: "all facts of the decision",
		Compares:  []string{"passes"},
	},
	8: {
		Set: R8, ID: "R8",
		Text:      "IOMAP_DIO_FORCE_WAIT is given exactly when the variant says.",
		Why:       "Without it an extending or zeroing write would unlock before its I/O is done; with it for nothing, an asynchronous write turns synchronous.",
		Needs:     needsDio,
		NeedsAlso: "dio_flags at iomap_dio_rw, and whether the write was queued",
		Compares:  []string{"IOMAP_DIO_FORCE_WAIT", "result"},
	},
	9: {
		Set: R9, ID: "R9",
		Text:      "The check phase looks up the blocks that the variant looks up.",
		Why:       "The lookups are what the lock is chosen by: other blocks, or other flags, are another decision, and one too many costs i_data_sem and metadata reads.",
		Needs:     needsPass | record.StageLookup,
		NeedsAlso: "count and arguments of ext4_map_blocks in each pass",
		Compares:  []string{"lookups"},
	},
	10: {
		Set: R10, ID: "R10",
		Text:      "A NOWAIT write ends in -EAGAIN exactly where the variant says.",
		Why:       "An -EAGAIN too late has waited or allocated already; one for nothing sends the caller to its slow path.",
		Needs:     needsPass,
		NeedsAlso: "whether file_modified or kiocb_modified was called, and what ext4_iomap_begin returned, where their probes are attached",
		Compares:  []string{"-EAGAIN"},
	},
	11: {
		Set: R11, ID: "R11", Safety: true,
		Text:  "An extending write holds i_rwsem exclusive and is never queued.",
		Why:   "i_size and the orphan list are changed under the lock; a write that extends after it unlocked races with truncate and with other extending writes.",
		Needs: needsDio | record.StageLock,
		Exempt: []Exemption{{
			"E-disksize", "The write ends inside i_size and beyond i_disksize only: writeback may have moved i_disksize since it was read.",
		}},
	},
	12: {
		Set: R12, ID: "R12", Safety: true, Promise: model.NowaitNoAlloc,
		Text:      "A NOWAIT write allocates no blocks (kernels with patch 1).",
		Why:       "To allocate, ext4_iomap_alloc starts a journal handle, which may sleep until a transaction has committed.",
		Needs:     needsDio | record.StageBegin | record.StageLookup,
		NeedsAlso: "the flags of the ext4_map_blocks inside ext4_iomap_begin",
	},
	13: {
		Set: R13, ID: "R13", Safety: true,
		Text:  "No write that ends beyond i_size runs under the shared lock.",
		Why:   "Under the shared lock two such writes would change i_size at the same time, and readers could see what is not yet written.",
		Needs: needsDio | record.StageLock,
	},
}
