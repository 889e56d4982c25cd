/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The wire records: the only contract between the BPF programs and Go.
 *
 * record/fields_gen.go is made from the structs of this file: internal/recordgen
 * takes the layout from the BTF of the committed objects and the words from the
 * comments here. Numbers are append-only: a kind, a stage bit or a flag is never
 * reused for something else. Everything is little-endian, naturally aligned,
 * without bit fields or hidden padding.
 *
 * One struct write_rec leaves the kernel for every direct write, followed by
 * nsteps times struct step in the order in which the kernel passed them. An
 * asynchronous write is followed, or preceded, by one struct complete_rec with
 * the same id. Before the first write through a name of a file comes one struct
 * name_rec, with the name that the write_rec tells by its number. Somebody else who
 * held i_rwsem of a file while a write waited is one struct hold_rec.
 *
 * write_rec grows at its end only, by whole eight bytes. "head" says how long it
 * is, so the steps begin there: a reader that knows fewer fields skips the rest,
 * and to one that knows more those behind are unknown.
 */
#ifndef E4D_RECORD_H
#define E4D_RECORD_H

enum rec_kind {
	REC_WRITE = 1,
	REC_COMPLETE = 2,
	REC_NAME = 3,
	REC_HOLD = 4,
	REC_BUDGET = 5,
};

/*
 * Steps kept for one write. Those of the decision come first and have room of their
 * own, and so has each later part: see "room" in state.h. More are counted in
 * steps_lost, and "cut" says which.
 */
#define E4D_MAX_STEPS 40

/*
 * Mappings that are kept one by one, the last one besides. What lies between is summed
 * up in classes, of which there are at most so many.
 */
#define E4D_MAX_MAPS 16
#define E4D_MAX_CLASSES 6

/*
 * Stages: bits of write_rec.stages. A bit says that the probe of this stage was
 * hit for this write, so its fields hold what was read. A field whose bit is
 * clear was not captured; its zero means nothing.
 */
#define ST_ENTRY	(1u << 0)	/* entry of the write function */
#define ST_PASS		(1u << 1)	/* ext4_generic_write_checks entered; its outcome is read later, see STEP_PASS */
#define ST_LOOKUP	(1u << 2)	/* ext4_map_blocks in the check phase */
#define ST_DRAIN	(1u << 3)	/* inode_dio_wait in the check phase */
#define ST_FMOD		(1u << 4)	/* file_modified or kiocb_modified entered; see enum fmod */
#define ST_DIO		(1u << 5)	/* iomap_dio_rw entered */
#define ST_BEGIN	(1u << 6)	/* ext4_iomap_begin returned */
#define ST_ZERO		(1u << 7)	/* iomap_dio_zero with len > 0 */
#define ST_BUFFERED	(1u << 8)	/* ext4_buffered_write_iter entered */
#define ST_COPY		(1u << 9)	/* generic_perform_write entered */
#define ST_RETURN	(1u << 10)	/* the write function returned */
#define ST_ALIGN	(1u << 11)	/* iov alignment known in every pass */
#define ST_WAIT		(1u << 12)	/* queued for this inode's i_rwsem */
#define ST_SLEEP	(1u << 13)	/* slept although NOWAIT */
#define ST_BROKEN	(1u << 14)	/* entry without exit, or the reverse, of an inner probe */
#define ST_LOCK		(1u << 15)	/* i_rwsem could be read in every pass */

/* i_rwsem as held by the writing task. */
enum lock_mode {
	LOCK_UNKNOWN = 0,
	LOCK_SHARED = 1,
	LOCK_EXCLUSIVE = 2,
};

/* Who called, by ki_complete and the task. */
enum caller {
	CALLER_UNKNOWN = 0,
	CALLER_SYNC = 1,
	CALLER_LIBAIO = 2,
	CALLER_IO_URING = 3,
	CALLER_IO_URING_IOPOLL = 4,
	CALLER_IO_WQ = 5,
	CALLER_LOOP = 6,
	CALLER_NFSD = 7,
	CALLER_OTHER_ASYNC = 8,
	CALLER_KTHREAD = 9,
};

enum step_kind {
	/*
	 * ext4_generic_write_checks entered. b: i_size, aux: PASS_*, lock: mode
	 * held, all at its entry. What it did is read later, when the write enters
	 * the next probed function, a: ki_pos, c: bytes left in the iov_iter. When
	 * it returns without one, a and c are read then; but when it returns 0, or
	 * an error other than -EAGAIN and -EIOCBQUEUED, c is what it returned.
	 * d: iov_iter_alignment at the entry of the write (low 17 bits are enough),
	 * valid with PASS_ALIGN, which is cleared when the checks made the write
	 * shorter: see STEP_ALIGN.
	 */
	STEP_PASS = 1,
	/* i_disksize at the entry of the last STEP_PASS, when it was not i_size. a: i_disksize. */
	STEP_DISKSIZE = 2,
	/*
	 * ext4_map_blocks in the check phase. a: low half its return value, high
	 * half m_flags on return; b: low half m_len on return, high half the flags
	 * argument; c: m_lblk, d: m_len asked.
	 */
	STEP_LOOKUP = 3,
	/* inode_dio_wait. a: ns inside, c: i_dio_count at entry, aux: DRAIN_*. */
	STEP_DRAIN = 4,
	/*
	 * ext4_iomap_begin (or _overwrite_begin) returned. a: iomap.offset,
	 * b: iomap.length, c: low half iomap.type, high half iomap.flags,
	 * d: flags argument of the allocating ext4_map_blocks inside, 0 if none,
	 * aux: MAP_*. With MAP_FAILED a is the negative return value instead.
	 *
	 * With MAP_LOOKUP, ext4_map_blocks was called inside without asking for
	 * an allocation, and the last such call returned. a: low half
	 * iomap.offset in blocks, or the negative return value of a failed one;
	 * high half the flags argument of that call. b: low half iomap.length in
	 * blocks, high half the return value of that call. c, d as above.
	 */
	STEP_MAP = 5,
	/*
	 * iomap_dio_zero. a: pos, b: len, c: i_dio_count, d: low half iomap.type,
	 * high half iomap.flags of the mapping it zeroes in, lock: mode held.
	 */
	STEP_ZERO = 6,
	/*
	 * ext4_buffered_write_iter entered. a: ki_pos, c: bytes left, d: i_dio_count.
	 * When no STEP_PASS came before it, ext4 refused direct I/O, and aux says
	 * what it looked at: PASS_ENCRYPTED, PASS_INLINE, PASS_JOURNAL and BUF_*.
	 * With PASS_ALIGN, b is iov_iter_alignment (low 17 bits).
	 */
	STEP_BUFFERED = 7,
	/* generic_perform_write entered. a: ki_pos, c: bytes left, d: i_dio_count. */
	STEP_COPY = 8,
	/* Queued for i_rwsem. a: ns between contention_begin and contention_end, c: flags. */
	STEP_WAIT = 9,
	/*
	 * Slept under NOWAIT. a: ns asleep, c: task state, d: enum sleep_cause,
	 * aux: enum phase.
	 */
	STEP_SLEEP = 10,
	/*
	 * Of a write that the checks made shorter: alignment of the iov_iter.
	 * aux: ALIGN_*, c: at the entry, d: of what they left, for all passes.
	 */
	STEP_ALIGN = 11,
	/*
	 * Mappings that were summed up: those behind the first ones, but for the last
	 * one, each of which succeeded with the same type and flags. a: low half how
	 * many, high half the flags argument of the lookups inside; b: bytes; c, d as
	 * in STEP_MAP; t_us: of the last one; aux: MAP_OVERWRITE, MAP_LOOKUP and
	 * MAP_FOUND to MAP_GAP. They come after all other steps, before the STEP_MAP of
	 * the last mapping.
	 */
	STEP_MAPS = 12,
	/*
	 * Sleeps under NOWAIT that were summed up: those behind the first ones. a: ns
	 * asleep, b: a bit 16 * enum phase + enum sleep_cause for each that was seen,
	 * c: how many.
	 */
	STEP_SLEEPS = 13,
	/*
	 * The write returned a number of bytes, and had not moved ki_pos on by them from
	 * where the checks left it. a: ki_pos at the return, b: where it should be.
	 */
	STEP_UNMOVED = 14,
	/*
	 * Made by the reader of the records, not in the kernel: the write had not
	 * returned when tracing ended. Such a record has no ST_RETURN, this step
	 * is the last, and latency is the time from the entry until then. aux: enum
	 * inside, a: ns since that began, 0 where it is not known, c: flags of a
	 * wait as in STEP_WAIT.
	 */
	STEP_INSIDE = 20,
};

/* Where a write was that had not returned. */
enum inside {
	INSIDE_ENTRY = 0,	/* before the write checks, where it is not known to wait */
	INSIDE_WAIT = 1,	/* queued for i_rwsem */
	INSIDE_CHECKS = 2,	/* holds i_rwsem, before iomap_dio_rw */
	INSIDE_LOOKUP = 3,	/* in ext4_map_blocks of the check phase */
	INSIDE_DRAIN = 4,	/* in inode_dio_wait */
	INSIDE_MAPPING = 5,	/* in ext4_iomap_begin */
	INSIDE_IO = 6,		/* in iomap_dio_rw: its own I/O; of a queued write, on the way */
	INSIDE_BUFFERED = 7,	/* in ext4_buffered_write_iter */
};

/* Parts of a write of which steps were lost: bits of write_rec.cut. */
#define CUT_CHECKS	(1u << 0)	/* passes, lookups, drain, alignment */
#define CUT_MAPS	(1u << 1)	/* mappings */
#define CUT_ZEROED	(1u << 2)	/* zeroed pieces */
#define CUT_WAITS	(1u << 3)	/* single waits for i_rwsem; wait_ns has all */
#define CUT_BUFFERED	(1u << 4)	/* the part that was written buffered */
#define CUT_SLEEPS	(1u << 5)	/* sleeps; a record of before "cut" was there may lack them */

#define ALIGN_ENTRY	(1u << 0)	/* c is known */
#define ALIGN_CUT	(1u << 1)	/* d is known */

#define PASS_NOSEC	(1u << 0)	/* S_NOSEC */
#define PASS_EXTENTS	(1u << 1)	/* EXT4_EXTENTS_FL */
#define PASS_DISKSIZE	(1u << 2)	/* i_disksize != i_size: STEP_DISKSIZE follows */
#define PASS_ALIGN	(1u << 3)	/* d is known, and holds for what the checks left */
#define PASS_ENCRYPTED	(1u << 4)	/* S_ENCRYPTED */
#define PASS_INLINE	(1u << 5)	/* EXT4_INLINE_DATA_FL */
#define PASS_JOURNAL	(1u << 6)	/* EXT4_JOURNAL_DATA_FL */
#define PASS_DAX	(1u << 7)	/* S_DAX: not a direct write of this kind */

#define BUF_FACTS	(1u << 8)	/* the other bits were read */
#define BUF_DATA_JOURNAL (1u << 9)	/* mounted with data=journal */
#define BUF_DELALLOC	(1u << 10)	/* mounted with delalloc */
#define BUF_JOURNAL	(1u << 11)	/* the file system has a journal */

#define DRAIN_WAITED	(1u << 0)	/* i_dio_count was not 0 at entry */
#define DRAIN_BUFFERED	(1u << 1)	/* inside ext4_buffered_write_iter */

#define MAP_FAILED	(1u << 0)
#define MAP_OVERWRITE	(1u << 1)	/* by ext4_iomap_overwrite_begin */
#define MAP_LOOKUP	(1u << 2)	/* a and b hold a lookup, too */
/* The rest is of a STEP_MAPS. */
#define MAP_FOUND	(1u << 3)	/* the lookups found blocks */
#define MAP_BEYOND	(1u << 4)	/* they begin at i_size or beyond it */
#define MAP_GAP		(1u << 5)	/* one did not begin where the mapping before it ended */

/* Where a write is. */
enum phase {
	PHASE_CHECK = 0,
	PHASE_DIO = 1,
	PHASE_BUFFERED = 2,
};

/*
 * What a NOWAIT write slept for. The first six are ext4's own; the others are not
 * what IOCB_NOWAIT promises to avoid. sleep.h says how they are told.
 */
enum sleep_cause {
	SLEEP_UNKNOWN = 0,	/* the stack could not be read or tells nothing */
	SLEEP_I_RWSEM = 1,	/* i_rwsem of this inode */
	SLEEP_I_DATA_SEM = 2,	/* i_data_sem of this inode */
	SLEEP_JBD2 = 3,		/* a journal handle, a transaction or its commit */
	SLEEP_METADATA = 4,	/* a metadata block read from the disk */
	SLEEP_DRAIN = 5,	/* inode_dio_wait */
	SLEEP_ALLOCATOR = 6,	/* ext4_mb_new_blocks */
	SLEEP_OWN_IO = 7,	/* its own I/O, in iomap_dio_rw */
	SLEEP_END_IO = 8,	/* iomap_dio_complete: end_io, O_DSYNC */
	SLEEP_MEMORY = 9,	/* the page allocator, reclaim */
	SLEEP_USER_PAGES = 10,	/* the caller's memory: page faults, pinning */
	SLEEP_DIO_QUEUE = 11,	/* the super block's workqueue for completions */
	SLEEP_BLOCK = 12,	/* the block layer: tags, throttling, a plug */
	SLEEP_RTLOCK = 13,	/* a spinlock of PREEMPT_RT */
};

/*
 * Which function was entered to update timestamps and privileges. What it returned
 * is not recorded: a write that goes on had 0, and one that ends there returns it.
 */
enum fmod {
	FMOD_NONE = 0,
	FMOD_FILE = 1,		/* file_modified */
	FMOD_KIOCB = 2,		/* kiocb_modified */
};

/* The iomap_ops given to iomap_dio_rw. */
enum dio_ops {
	OPS_UNKNOWN = 0,
	OPS_IOMAP = 1,
	OPS_OVERWRITE = 2,
};

struct step {
	__u8 kind;		/* enum step_kind */
	__u8 lock;		/* enum lock_mode */
	__u16 aux;		/* this and a to d: see enum step_kind */
	__u32 t_us;		/* since the entry, microseconds */
	__u64 a;
	__u64 b;
	__u32 c;
	__u32 d;
};

struct write_rec {
	__u16 kind;		/* REC_WRITE */
	__u16 size;		/* bytes on the wire, head and steps */
	__u32 stages;		/* ST_* */
	__u64 t0;		/* entry, ns of CLOCK_MONOTONIC */
	__u64 latency;		/* entry to return, ns */
	__u64 id;		/* unique while tracing */
	__u64 ino;		/* number of the inode */
	__u64 pos0;		/* ki_pos at entry */
	__u64 isize0;		/* i_size at entry, read without the lock */
	__u32 tgid;		/* the process */
	__u32 tid;		/* the thread */
	__u8 comm[16];		/* its command name */
	__u32 dev;		/* kernel's dev_t: major << 20 | minor */
	__u32 ki_flags;		/* IOCB_* at entry */
	__u32 len0;		/* iov_iter count at entry */
	__s32 ret;		/* of the write function */
	__u64 wait_ns;		/* queued for i_rwsem, all waits */
	__u32 dio_us;		/* entry to iomap_dio_rw, microseconds */
	__u32 lost_before;	/* records lost on this CPU since its last record */
	__u8 nsteps;		/* steps behind the head */
	__u8 steps_lost;	/* steps that did not fit, saturating; see cut */
	__u8 passes;		/* of ext4_generic_write_checks, saturating */
	__u8 blkbits;		/* a block has 2^blkbits bytes */
	__u8 caller;		/* enum caller */
	__u8 iter_type;		/* kernel's enum iter_type, numbers differ by kernel */
	__u8 depth;		/* 0, or 1 when nested in another write of the task */
	__u8 lock;		/* enum lock_mode at iomap_dio_rw */
	__u8 dio_flags;		/* IOMAP_DIO_* given to iomap_dio_rw, low 8 bits */
	__u8 dio_ops;		/* enum dio_ops */
	__u8 fmod;		/* enum fmod */
	__u8 cut;		/* CUT_*; 0 with steps_lost in records of before it was there */
	__u16 head;		/* bytes of this head; 0 in records of before it was there: 128 */
	__u16 nr_segs;		/* saturating; 0 for a single buffer */
	__u32 generation;	/* i_generation of the inode: another file of its number has another */
	__u32 name;		/* that of a name_rec; 0 when the name could not be read */
	__u32 ns_tgid;		/* the process as the tracer's pid namespace has it, see PID_HIDDEN; 0: as tgid */
	__u32 ns_tid;		/* the thread, likewise */
};

/* Number of a process that the tracer's pid namespace does not have. */
#define PID_HIDDEN	(~0u)

struct complete_rec {
	__u16 kind;		/* REC_COMPLETE */
	__u16 size;		/* bytes on the wire */
	__u32 pad;
	__u64 id;		/* of the write */
	__u64 t;		/* ns of CLOCK_MONOTONIC */
	__s64 ret;		/* bytes or negative error, as given to ki_complete */
};

/* Bytes of a path that are kept. */
#define E4D_MAX_PATH 1024

#define NAME_DELETED	(1u << 0)	/* unlinked: the file is open, and this name of it is gone */
#define NAME_CUT	(1u << 1)	/* the path has more folders than are kept */

/*
 * A name of a file: behind the head its path inside the file system, the last part
 * first, a '/' behind each part. It is sent again when it is not remembered that it was
 * sent; the same name has the same number then, and another name of the same file
 * another one.
 */
struct name_rec {
	__u16 kind;		/* REC_NAME */
	__u16 size;		/* bytes on the wire */
	__u32 name;		/* number of the name, as write_rec has it */
	__u64 ino;		/* number of the inode */
	__u32 dev;		/* kernel's dev_t: major << 20 | minor */
	__u32 generation;	/* i_generation of the inode */
	__u16 flags;		/* NAME_* */
	__u16 len;		/* bytes of the path */
	__u32 pad;
	__u64 t;		/* ns of CLOCK_MONOTONIC: when the write began by which it was seen */
};

/*
 * What holds i_rwsem besides a direct write that is recorded. "arg", "pos" and "len"
 * are what the function was called with.
 */
enum hold_op {
	HOLD_UNKNOWN = 0,	/* none of these: the lock itself told who holds it */
	HOLD_WRITE = 1,		/* a direct write that is not recorded */
	HOLD_READ = 2,		/* a direct read */
	HOLD_BUFFERED = 3,	/* ext4_buffered_write_iter, not of a recorded write */
	HOLD_FALLOCATE = 4,	/* ext4_fallocate; arg: its mode */
	HOLD_SETATTR = 5,	/* ext4_setattr; arg: ia_valid, len: ia_size */
	HOLD_IOCTL = 6,		/* ext4_ioctl; arg: cmd */
	HOLD_FSYNC = 7,		/* ext4_sync_file, where that takes it */
	HOLD_SEEK = 8,		/* ext4_llseek; arg: whence, pos: offset */
	HOLD_FIEMAP = 9,	/* ext4_fiemap */
	HOLD_XATTR = 10,	/* ext4_xattr_set */
	HOLD_FILEATTR = 11,	/* ext4_fileattr_set */
	HOLD_UNLINK = 12,	/* ext4_unlink */
	HOLD_LINK = 13,		/* ext4_link */
};

#define HOLDER_QUEUED	(1u << 0)	/* it was queued for the lock: "from" is when it got it */
#define HOLDER_WIDE	(1u << 1)	/* its function may have let go of the lock before "to", or taken it after "from" */
#define HOLDER_OWNER	(1u << 2)	/* seen as owner of the lock when a write began to wait: it held it at "from", no more is known */
#define HOLDER_INSIDE	(1u << 3)	/* made by the reader of the records: it is not over, "to" is when that was seen */
#define HOLDER_BEFORE	(1u << 4)	/* it may have begun before tracing */

/* Somebody who held i_rwsem of a file, and made no write that is recorded. */
struct hold_rec {
	__u16 kind;		/* REC_HOLD */
	__u16 size;		/* bytes on the wire */
	__u8 op;		/* enum hold_op */
	__u8 lock;		/* enum lock_mode */
	__u16 flags;		/* HOLDER_* */
	__u64 t0;		/* entry of its function, ns of CLOCK_MONOTONIC */
	__u64 from;		/* it had the lock from then on, */
	__u64 to;		/* until then */
	__u64 queued_ns;	/* queued for it before */
	__u64 drain_t;		/* entry of inode_dio_wait; 0: no direct I/O was in flight there */
	__u64 drain_ns;		/* inside that */
	__u64 ino;		/* number of the inode */
	__u64 pos;		/* see enum hold_op */
	__u64 len;		/* see enum hold_op */
	__u32 arg;		/* see enum hold_op */
	__u32 drain_count;	/* i_dio_count there */
	__u32 dev;		/* kernel's dev_t: major << 20 | minor */
	__u32 generation;	/* i_generation of the inode */
	__u32 tgid;		/* the process */
	__u32 tid;		/* the thread */
	__u32 ns_tgid;		/* as in write_rec */
	__u32 ns_tid;		/* likewise */
	__u8 comm[16];		/* its command name */
	__u8 func[32];		/* kernel function of HOLD_UNKNOWN, as far as known */
};

/* Parts of a write's time. A write is in one of them at each instant. */
enum budget_part {
	BUDGET_SPIN = 0,	/* entry to the first pass, when not queued */
	BUDGET_QUEUE = 1,	/* queued for i_rwsem */
	BUDGET_FAILED_PASS = 2,	/* a pass that was given up, to the next one */
	BUDGET_LOOKUP = 3,	/* ext4_map_blocks in the check phase */
	BUDGET_DRAIN = 4,	/* inode_dio_wait */
	BUDGET_ALLOC = 5,	/* ext4_iomap_begin */
	BUDGET_ZERO = 6,	/* iomap_dio_zero */
	BUDGET_SUBMIT = 7,	/* the rest of iomap_dio_rw, until the last bio is submitted */
	BUDGET_CONVERT = 8,	/* ext4_dio_write_end_io */
	BUDGET_SYNC = 9,	/* ext4_sync_file */
	BUDGET_BUFFERED = 10,	/* ext4_buffered_write_iter, to the return */
	BUDGET_TIMES = 11,	/* file_modified or kiocb_modified */
	BUDGET_REST = 12,	/* none of these */
	BUDGET_DEVICE = 13,	/* the last bio submitted, to the last bio ended */
	BUDGET_WAKEUP = 14,	/* from there to ext4_dio_write_end_io */
};

/* Marks of a write's course that are kept: an aligned overwrite has ten. */
#define BUDGET_MARKS		28
#define BUDGET_MARK_PASS	0x80	/* in a mark: a pass begins, and what was since the one before it was in vain */

/*
 * Where the time of one write went, with --budget: the parts in ns, but for the last two of
 * enum budget_part, which lie between submitted, bio_end and end_io. It comes before the last
 * record of its write.
 *
 * Up to BUDGET_MARKS marks of 8 bytes follow, as many as size has room for. Each is the
 * instant at which the write came into a part, ns since the entry, << 8 | enum budget_part.
 * It begins in BUDGET_SPIN. What its task was in between the last submission and end_io is
 * left out. There were more marks where the parts between them do not add up to the sums.
 */
struct budget_rec {
	__u16 kind;		/* REC_BUDGET */
	__u16 size;		/* bytes on the wire */
	__u32 faults;		/* a bit 1 << enum budget_part for each whose begin or end was missed */
	__u64 id;		/* of the write */
	__u64 total;		/* entry to the end, ns */
	__u64 spin;		/* ns in BUDGET_SPIN */
	__u64 queue;		/* ns in BUDGET_QUEUE */
	__u64 failed_pass;	/* ns in BUDGET_FAILED_PASS */
	__u64 lookup;		/* ns in BUDGET_LOOKUP */
	__u64 drain;		/* ns in BUDGET_DRAIN */
	__u64 alloc;		/* ns in BUDGET_ALLOC */
	__u64 zero;		/* ns in BUDGET_ZERO */
	__u64 submit;		/* ns in BUDGET_SUBMIT */
	__u64 convert;		/* ns in BUDGET_CONVERT */
	__u64 sync;		/* ns in BUDGET_SYNC */
	__u64 buffered;	/* ns in BUDGET_BUFFERED */
	__u64 times;		/* ns in BUDGET_TIMES */
	__u64 rest;		/* ns in BUDGET_REST */
	__u64 submitted;	/* the last bio was submitted, ns since the entry; 0: there was none */
	__u64 bio_end;		/* the last bio ended; 0: not seen */
	__u64 end_io;		/* ext4_dio_write_end_io was entered; 0: not seen */
	__u32 bios;		/* that were submitted */
	__u32 bios_ended;	/* that were seen to end */
};

/* Counters, one set a CPU. record/fields_gen.go has them in this order. */
struct counters {
	__u64 seen;		/* direct writes that passed the filter */
	__u64 filtered;		/* direct writes that did not */
	__u64 sent;		/* write records sent */
	__u64 completed;	/* completion records sent */
	__u64 queued;		/* writes that returned -EIOCBQUEUED */
	__u64 lost_ring;	/* write records that found the ring full */
	__u64 lost_complete;	/* completion records that found the ring full */
	__u64 lost_map;		/* writes without room in the in-flight map */
	__u64 lost_return;	/* writes whose return was never seen */
	__u64 lost_depth;	/* writes nested too deep */
	__u64 steps_lost;	/* steps that did not fit in their record */
	__u64 lost_aio;		/* asynchronous writes whose completion cannot be matched */
	__u64 started;		/* returns of writes that began before tracing */
	__u64 bytes;		/* bytes sent into the ring */
	__u64 too_fast;		/* writes below the minimum latency, not sent */
	__u64 not_pid;		/* of those that did not pass: another process */
	__u64 not_dev;		/* another device */
	__u64 not_ino;		/* another inode */
	__u64 not_path;		/* not the file, or not below the folder, of a path */
	__u64 not_cgroup;	/* not in the cgroup, nor in one below it */
	__u64 not_tree;		/* a process that the command did not start */
	__u64 not_comm;		/* another command name */
	__u64 lost_hold;	/* holders of i_rwsem without a record: ring full, or no room for their state */
	__u64 lost_budget;	/* budgets of recorded writes, likewise */
	__u64 not_sample;	/* of those that did not pass: not in the sample */
};

_Static_assert(sizeof(struct step) == 32, "step");
_Static_assert(sizeof(struct write_rec) == 144, "write_rec");
_Static_assert(sizeof(struct complete_rec) == 32, "complete_rec");
_Static_assert(sizeof(struct name_rec) == 40, "name_rec");
_Static_assert(sizeof(struct hold_rec) == 160, "hold_rec");
_Static_assert(sizeof(struct budget_rec) == 160, "budget_rec");

#endif
