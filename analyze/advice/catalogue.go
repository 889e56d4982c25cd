package advice

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/export"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// ids are for programs and tests: they never change.
var ids = [numCauses]string{
	zeroing:            "zeroing",
	unalignedUnwritten: "unaligned-unwritten",
	tailUnwritten:      "tail-unwritten",
	extending:          "extending",
	appenders:          "appenders",
	nowaitTimestamps:   "nowait-timestamps",
	nosec:              "nosec",
	fallback:           "fallback",
	readersBeside:      "readers-beside",
	fallocateBeside:    "fallocate-beside",
	kernelPatch:        "kernel-patch",
}

// entry is what is said of one cause.
type entry struct {
	cause cause
	what  string // what happens, in a clause
	// alone says that it costs something though nobody waits: it is worth a word by the
	// number of writes.
	alone bool
	// seen is the condition in words, for the page.
	seen     string
	much     func(s *said, file string) string
	why      func(s *said) string
	remedies []remedy // the best first
}

// remedy is something that changes it.
type remedy struct {
	text  string
	where string // for which kernels or writes, for the page; empty: all
	// measured says that docs/advice.md has what it brought on a real kernel.
	measured bool
	when     func(s *said) bool
}

// said is what an entry is put into words from.
type said struct {
	*facts
	tally
	of, total uint64
	files     int
	file      *file // that is hit most
	threads   int   // that append to one file, at most
	blind     bool  // it is not known who waited
	variant   model.Variant
}

// patchText says which kernel shares the writes that only a kernel can help.
func (s *said) patchText() string {
	for i, n := range lockPatches {
		if s.patch[i] == s.asked {
			return fmt.Sprintf("run a kernel with patch %d of the series (%s), as 7.3 has it: it shares these writes", n, model.PatchTitle(n))
		}
	}
	if s.patch[0]+s.patch[1] >= s.asked {
		return "run a kernel with patches 3 and 4 of the series, as 7.3 has them: it shares these writes"
	}
	return "run Linux 7.3 or later: it shares these writes"
}

// exclusiveOf says how many of the writes to a file were exclusive for it.
func exclusiveOf(s *said, file string) string {
	return fmt.Sprintf("%d of %s to %s took i_rwsem exclusive", s.writes, export.Plural(s.of, "write"), file)
}

func tries(n uint64) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}

func always(text string) func(*said) string { return func(*said) string { return text } }

// needsZeroing is why a write with a partial block that is not written is exclusive.
func needsZeroing(which string) func(*said) string {
	return func(s *said) string {
		switch {
		case s.variant.Has(model.NeedsZeroing):
			return "ext4_dio_needs_zeroing finds that " + which + ", so that the rest of it is zeroed under the exclusive lock"
		case s.variant.Has(model.UnalignedShared):
			return "the write is unaligned, and ext4_overwrite_io finds that " + which + ", so that the rest of it is zeroed under the exclusive lock"
		}
		return "ext4_unaligned_io: up to 6.4 each unaligned write is exclusive; here " + which
	}
}

const (
	alignIt  = "align position, length and memory of the writes to the blocks of the file system, not to sectors only: a whole block needs no zeroing"
	prewrite = "write the file once from begin to end before it is used, instead of fallocate or ftruncate alone: written blocks need no zeroing"
)

// catalogue has all that is said, in one place. docs/advice.md has it as a page.
var catalogue = [...]entry{
	{
		cause: zeroing, alone: true,
		what: "Writes to fallocated blocks are exclusive",
		seen: "exclusive, and the block that the write begins in is unwritten (fallocated) and written in part",
		much: exclusiveOf, why: needsZeroing("the block it begins in is fallocated and not written yet"),
		remedies: []remedy{{text: prewrite, measured: true}, {text: alignIt, measured: true}},
	},
	{
		cause: unalignedUnwritten, alone: true,
		what: "Unaligned writes to blocks that are not written yet are exclusive",
		seen: "exclusive, and the block that the write begins in is a hole, or not known to be fallocated, and written in part",
		much: exclusiveOf, why: func(s *said) string {
			if s.holes == s.all {
				return needsZeroing("the block it begins in is a hole")(s)
			}
			return needsZeroing("the block it begins in is not written yet (a hole, or fallocated)")(s)
		},
		remedies: []remedy{{text: alignIt, measured: true}, {text: prewrite, measured: true}},
	},
	{
		cause: tailUnwritten, alone: true,
		what: "Writes that end in a block that is not written yet are exclusive",
		seen: "exclusive, and only the block that the write ends in is written in part and not written yet, as in a log",
		much: exclusiveOf, why: needsZeroing("the block it ends in is not written yet"),
		remedies: []remedy{
			{text: prewrite, measured: true},
			{measured: true, text: "pad each write to the end of its block (MariaDB: innodb_log_write_ahead_size as large as the block): a whole block needs no zeroing"},
		},
	},
	{
		cause: extending,
		what:  "Writes beyond the end of the file are exclusive",
		seen:  "exclusive, ends beyond i_size or i_disksize, without O_APPEND",
		much:  exclusiveOf, why: always("ext4_extending_io: the write ends beyond i_size or i_disksize, and only the exclusive lock lets i_size grow"),
		remedies: []remedy{
			{measured: true, text: "set the size ahead of the writers with ftruncate, in large steps", where: "aligned writes, 7.3 (patch 3)", when: func(s *said) bool {
				return s.variant.Has(model.AlignedUnchecked) && s.unaligned*2 < s.all
			}},
			{measured: true, text: "allocate the file ahead of the writers with fallocate without FALLOC_FL_KEEP_SIZE, in large steps", where: "aligned writes, since 6.3", when: func(s *said) bool {
				return s.variant.Has(model.OverwriteUnwritten) && s.unaligned*2 < s.all
			}},
			{measured: true, text: "write the file ahead of the writers, in large steps: to blocks that are written, writes are shared on each kernel"},
		},
	},
	{
		cause: appenders,
		what:  "Threads append to one file one after the other",
		seen:  "exclusive, ends beyond i_size, with O_APPEND",
		much: func(s *said, file string) string {
			text := fmt.Sprint(s.threads)
			if s.threads == maxAppender {
				text += " or more"
			}
			return exclusiveOf(s, file) + ", of " + text + " threads"
		},
		why: always("ext4_extending_io: each write with O_APPEND ends beyond i_size, and holds i_rwsem exclusive until its I/O is over"),
		remedies: []remedy{
			{measured: true, text: "let one thread append for all, several records with one write"},
			{measured: true, text: "give each thread a file of its own, or a place in the file that is set ahead, without O_APPEND"},
		},
	},
	{
		cause: nowaitTimestamps, alone: true,
		what: "NOWAIT refuses writes because a timestamp has to be updated",
		seen: "NOWAIT (RWF_NOWAIT, or the first try of io_uring) ends in -EAGAIN at kiocb_modified",
		much: func(s *said, file string) string {
			return fmt.Sprintf("%d of %s to %s were refused and have to be made again", s.writes, tries(s.of), file)
		},
		why: always("kiocb_modified → -EAGAIN: mtime or ctime is older than the clock's last tick, and to update it could wait for the journal"),
		remedies: []remedy{
			{measured: true, text: "drop RWF_NOWAIT: the write updates the timestamp itself", where: "not io_uring", when: func(s *said) bool { return s.uring*2 < s.all }},
			{measured: true, text: "submit with IOSQE_ASYNC: no write is tried twice, but each takes a worker, so measure it", where: "io_uring", when: func(s *said) bool { return s.uring*2 >= s.all }},
		},
	},
	{
		cause: nosec, alone: true,
		what: "Each write looks again for privileges that it has to drop",
		seen: "exclusive because S_NOSEC is not set, again after the first write to the inode",
		much: exclusiveOf, why: always("IS_NOSEC is false in ext4_dio_write_checks, and the write restarts with the exclusive lock: the file has set-user-ID or set-group-ID, which a writer with CAP_FSETID (root) does not take away, so that S_NOSEC is never set"),
		remedies: []remedy{
			{measured: true, text: "take set-user-ID and set-group-ID from the file (chmod ug-s)"},
		},
	},
	{
		cause: fallback, alone: true,
		what: "Direct writes are buffered instead",
		seen: "ext4_buffered_write_iter makes the write, or the rest of it",
		much: func(s *said, file string) string {
			return fmt.Sprintf("%d of %s to %s went through the page cache under the exclusive lock", s.writes, export.Plural(s.of, "write"), file)
		},
		why: fallbackWhy,
		remedies: []remedy{
			{measured: true, text: "convert the file to extents (chattr +e, or copy it on a file system with the extent feature), or write its holes first", where: "not mapped by extents", when: mostly(kindExtents)},
			{text: "align the writes to the block size, or take the file out of the encrypted folder", where: "encrypted", when: mostly(kindEncrypted)},
			{text: "take the attribute from the file (chattr -j), or mount without data=journal", where: "data=journal", when: mostly(kindJournal)},
			{text: "make the file larger than its inode once: it leaves the inode then", where: "inline data", when: mostly(kindInline)},
		},
	},
	{
		cause: readersBeside,
		what:  "Direct reads and exclusive writes of a file wait for one another",
		seen:  "a write waited for i_rwsem while a direct read held it, or a direct read was queued for it",
		much: func(s *said, file string) string {
			return fmt.Sprintf("writes to %s waited %s for reads, and %d reads were queued", file, export.Plural(s.waits, "time"), s.reads)
		},
		why: func(s *said) string {
			text := "ext4_dio_read_iter holds i_rwsem shared, which an exclusive write excludes"
			if by := s.mostExclusive(); by != none {
				text += "; what makes most of the writes exclusive is " + ids[by]
			}
			return text
		},
		remedies: []remedy{{measured: true, text: "make the writes shared, as the next lines say"}},
	},
	{
		cause: fallocateBeside,
		what:  "Writes wait for fallocate or truncate of their file",
		seen:  "a write waited for i_rwsem while fallocate or truncate held it",
		much: func(s *said, file string) string {
			return fmt.Sprintf("writes to %s waited %s for that", file, export.Plural(s.waits, "time"))
		},
		why: func(s *said) string {
			text := "ext4_fallocate and ext4_setattr hold i_rwsem exclusive, and inode_dio_wait lets all direct I/O end first"
			return fmt.Sprintf("%s: %d waits for fallocate, %d for punch-hole and the like, %d for truncate", text, s.ops[opFallocate], s.ops[opPunch], s.ops[opTruncate])
		},
		remedies: []remedy{{measured: true, text: "allocate in larger and fewer steps, before the writers come there"}},
	},
	{
		cause: kernelPatch,
		what:  "Writes that need no zeroing are exclusive on this kernel",
		seen:  "exclusive on a kernel of before 7.3, and shared by the model of 7.3 with the same facts",
		much:  exclusiveOf, why: func(s *said) string {
			switch aligned, unaligned := s.unaligned == 0, s.unaligned == s.all; {
			case aligned && s.variant.Has(model.OverwriteUnwritten):
				return "ext4_overwrite_io: one lookup does not find all blocks of the write in one extent that is allocated"
			case aligned:
				return "ext4_overwrite_io: one lookup does not find all blocks of the write in one extent that is written"
			case unaligned && s.variant.Has(model.UnalignedShared):
				return "ext4_overwrite_io: the write is unaligned, and one lookup does not find all its blocks in one extent that is written, though its first and last are"
			case s.variant.Has(model.UnalignedShared):
				return "ext4_overwrite_io: one lookup does not find all blocks of the write in one extent that is allocated, or written where the write is unaligned"
			case unaligned:
				return "ext4_unaligned_io: up to 6.4 each unaligned write is exclusive, though its first and last block are written"
			}
			return "ext4_unaligned_io and ext4_overwrite_io: up to 6.4 a write is exclusive when it is unaligned, or one lookup does not find all its blocks in one extent that is written"
		},
		remedies: []remedy{{
			text:  "write the file once from begin to end before it is used: what is written and lies side by side is one extent",
			where: "aligned writes, or since 6.5", when: func(s *said) bool { return s.unaligned*2 < s.all || s.variant.Has(model.UnalignedShared) },
		}},
	},
}

// mostly is for writes that were buffered for one kind of reason above all.
func mostly(k kind) func(*said) bool {
	return func(s *said) bool { return s.kinds[k]*2 >= s.all }
}

// fallbackWhy tells the kinds of reasons.
func fallbackWhy(s *said) string {
	for k, text := range [numKinds]string{
		kindInline:    "ext4_should_use_dio refuses it: the file is so small that its data is in the inode (inline data)",
		kindJournal:   "ext4_should_use_dio refuses it: data is journalled (data=journal, or chattr +j)",
		kindEncrypted: "ext4_should_use_dio refuses it: the file is encrypted, and the write is not aligned to the block size",
		kindExtents:   "ext4_iomap_begin → -ENOTBLK: the file is not mapped by extents (as on ext3), and the write fills a hole",
	} {
		if text != "" && mostly(kind(k))(s) {
			return text
		}
	}
	return "ext4_should_use_dio refuses it, or direct I/O ends short"
}

// mostExclusive is the cause for which most writes to the file are exclusive.
func (s *said) mostExclusive() (best cause) {
	for c, t := range s.file.cause {
		switch c := cause(c); c {
		case none, nowaitTimestamps, readersBeside, fallocateBeside: // these are not exclusive for it
		default:
			if t.writes > s.file.cause[best].writes || best == none && t.writes > 0 {
				best = c
			}
		}
	}
	return best
}
