/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Configuration, maps and the state of a write while it is inside the kernel.
 */
#ifndef E4D_STATE_H
#define E4D_STATE_H

#include "kernel.h"
#include "record.h"

/* Set before load; what they switch off is pruned by the verifier. */
const volatile __u32 cfg_pid = 0;		/* only this process, by process() */
const volatile __u32 cfg_exclude_pid = 0;	/* never this process */
const volatile __u32 cfg_dev = 0;		/* only this dev_t */
const volatile __u64 cfg_ino = 0;		/* only this inode */
const volatile bool cfg_this_gen = 0;		/* and of it only this generation: */
const volatile __u32 cfg_gen = 0;
const volatile bool cfg_cgroup = 0;		/* only the cgroup in the map "cgroups", and those below it */
const volatile __u64 cfg_min_latency = 0;	/* only writes this slow, ns */
const volatile __u8 cfg_comm[16] = {};		/* only this command name */
const volatile bool cfg_tree = 0;		/* only processes in the map "tree" */

const volatile bool cfg_by_path = 0;		/* cfg_dev and cfg_ino are those of a path */

/* Only files below one of these folders. */
#define MAX_FOLDERS 8
const volatile __u32 cfg_folders = 0;
const volatile struct folder {
	__u64 ino;
	__u32 dev;
	__u32 pad;
} folders[MAX_FOLDERS] = {};

/* The tracer's pid namespace, where that is not the first one, and how deep it lies. */
const volatile __u64 cfg_ns = 0;
const volatile __u32 cfg_ns_level = 0;
const volatile __u64 cfg_wake = 0;		/* wake the reader at this fill, bytes */

/* Addresses from kallsyms, 0 where not known. */
const volatile __u64 sym_aio_complete_rw = 0;
const volatile __u64 sym_io_complete_rw = 0;
const volatile __u64 sym_io_complete_rw_iopoll = 0;
const volatile __u64 sym_lo_rw_aio_complete = 0;
const volatile __u64 sym_iomap_ops = 0;
const volatile __u64 sym_overwrite_ops = 0;
const volatile bool have_callers = 0;		/* the sym_*_complete* are resolved */

/* No new write is taken up; those inside are seen to their end. */
bool stopping = 0;

/*
 * Counters that many CPUs change, each kind in a cache line of its own, so that
 * those who only look at one do not wait for it.
 */
struct shared {
	/* Writes now inside that did not get their own slot, and NOWAIT ones. */
	__u64 displaced;
	__u64 nowait;
	__u64 pad1[6];
	/* Entries of the map "aios", and those of them that are marked: over. */
	__u64 aios;
	__u64 marked;
	__u64 pad2[6];
} shared __attribute__((aligned(64))) = {};

/*
 * A task can be inside two writes at once (one file system stacked on another),
 * so the key is the thread and the depth.
 */
struct key {
	__u32 tid;
	__u32 depth;
};

#define MAX_DEPTH 2

/*
 * One write from entry to return. The record comes first, ready to be sent. What
 * is between the steps and "owner" is set to zero at the entry.
 */
struct inflight {
	struct write_rec w;
	struct step steps[E4D_MAX_STEPS];
	struct kiocb *iocb;
	struct iov_iter *iter;
	struct inode *inode;
	__u64 sem;		/* &inode->i_rwsem */
	__u32 align;		/* of the whole iter, at entry */
	__u8 align_known;
	__u8 phase;		/* enum phase */
	__u8 nested;		/* another write of this task is inside this one */
	__u8 aio;		/* registered in the map "aios" */
	/* ext4_map_blocks in progress */
	struct ext4_map_blocks *map;
	__u32 map_lblk, map_len, map_flags;
	/* ext4_iomap_begin in progress: how many, flags of its allocation */
	__u32 begins;
	__u32 begin_alloc;
	__u8 begin_overwrite;
	__u8 begin_looked;	/* the lookup inside returned: its flags and result */
	__u8 open;		/* 1 + the step of the pass whose outcome is not known yet */
	__u8 cut;		/* the checks left fewer bytes than there were at the entry */
	__u32 begin_flags;
	__s32 begin_ret;
	struct iomap *iomap;
	/* inode_dio_wait in progress */
	__u64 drain_t;
	__u32 drain_count;
	__u32 wait_flags;
	/* queued for i_rwsem, asleep: since when */
	__u64 wait_t;
	__u64 sleep_t;
	__u32 sleep_state;
	enum sleep_cause sleep_cause;
	__u64 data_sem;		/* &ext4_inode_info->i_data_sem */
	__u32 data_wait;	/* queued for it */
	/* Mappings so far, and classes of those that are summed up: see AT_CLASSES */
	__u32 maps;
	__u32 classes;
	__u64 map_end;		/* where the last mapping ended */
	__u64 isize;		/* i_size in the last pass */
	/* Waits and sleeps so far; of the sleeps that are summed up: which, how long */
	__u32 waits;
	__u32 sleeps;
	__u32 summed_sleeps;
	__u32 pad;
	__u64 slept;
	__u64 slept_ns;
	__u64 pos;		/* ki_pos as the checks left it */
	__u64 moves;		/* with cfg_min_latency: of the interest in its lock, at the entry */
	/* Of a slot: the thread whose write it holds, 0 when free, and its stack pointer at entry. */
	__u32 owner;
	__u32 away;		/* of a slot: writes that belong here and are in "displaced" */
	__u64 stack;
};

#define INFLIGHT_ZERO __builtin_offsetof(struct inflight, iocb)

struct cpu_state {
	struct counters n;
	__u64 seq;
	__u32 unreported;	/* records lost since the last that was sent */
	__u32 pad;
	__u64 pad_to_cache_lines[5];
};
_Static_assert(sizeof(struct cpu_state) == 256, "cpu_state");

/*
 * An asynchronous write between iomap_dio_rw and its completion. ret and t are
 * valid once marked: what ext4_dio_write_end_io was given, and when. The others are
 * those of its record.
 */
struct aio {
	__u64 id;
	__u64 t;
	__s64 ret;
	__u64 marked;
	__u64 t0;
	__u64 ino;
	__u64 pos0;
	__u32 len0;
	__u32 dev;
	__u32 tgid;
	__u32 tid;
	__u32 ns_tgid;
	__u32 ns_tid;
	__u32 generation;
	__u32 name;
	__u8 comm[16];
};

/* An asynchronous write that its worker, the key, now flushes. */
struct flush {
	__u64 iocb;
	__u64 id;
	__s64 size;
};

/*
 * The write that a thread is inside is in the slot of the thread's number modulo
 * the number of slots, a power of two: finding it, or that there is none, takes one
 * look. When another thread's write is there it is in the map "displaced", and so
 * is every write inside another one.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct inflight);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct key);
	__type(value, struct inflight);
} displaced SEC(".maps");

const volatile __u32 slot_mask = 4095;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct inflight);
} blank SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct aio);
} aios SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct flush);
} flushes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u8);
} tree SEC(".maps");

/* Without cfg_cgroup an array, which every kernel has. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cgroups SEC(".maps");

/*
 * One entry a CPU, read by mmap: a map system call would make the kernel skip
 * kprobe programs on its CPU while it runs (bpf_disable_instrumentation).
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_state);
} cpus SEC(".maps");

/* The type puts struct complete_rec into the BTF, from which record/ is made. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
	__type(value, struct complete_rec);
} ring SEC(".maps");

#define RINGBUF_HEAD 8	/* BPF_RINGBUF_HDR_SZ: what the ring adds to a record */

/* Wakes the reader only when much has come together; it also looks by itself. */
static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= cfg_wake ?
	       BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/*
 * To change a hash map takes a lock of its own, and since 6.15 waiting for that ends after a
 * quarter of a second (htab_lock_bucket, pcpu_freelist_pop: raw_res_spin_lock). A virtual
 * CPU that holds it may not run for as long, so it is tried twice.
 */
static __always_inline long put(void *map, const void *key, const void *value)
{
	return bpf_map_update_elem(map, key, value, BPF_ANY) ? bpf_map_update_elem(map, key, value, BPF_ANY) : 0;
}

/* Likewise; not 0 when another one took it out. */
static __always_inline long take_out(void *map, const void *key)
{
	long err = bpf_map_delete_elem(map, key);

	return err && err != -ENOENT ? bpf_map_delete_elem(map, key) : err;
}

/*
 * Sends a record of at most so many bytes; not 0 when there is no room. Another task's turn
 * at the ring takes a lock of the same kind (__bpf_ringbuf_reserve), so with room it is
 * tried twice. The verifier of 6.1 forgets the bounds of a size that is put aside: it is
 * looked at right before it is used.
 */
static __always_inline long emit(void *data, __u64 size, __u64 most)
{
	__u64 flags = wakeup();

	if (!__builtin_constant_p(size))
		HIDE(size);
	if (size > most)
		return 1;
	if (!bpf_ringbuf_output(&ring, data, size, flags))
		return 0;
	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) + size + RINGBUF_HEAD > bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE))
		return 1;
	flags = wakeup();
	if (!__builtin_constant_p(size))
		HIDE(size);
	if (size > most)
		return 1;
	return bpf_ringbuf_output(&ring, data, size, flags);
}

static __always_inline struct cpu_state *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* Counters are bumped atomically: fentry programs can be preempted. */
#define COUNT(field, by) do {						\
	struct cpu_state *__c = this_cpu();				\
	if (__c)							\
		__sync_fetch_and_add(&__c->n.field, (by));		\
} while (0)

static __always_inline struct inflight *slot_of(__u32 tid)
{
	__u32 i = tid & slot_mask;

	return bpf_map_lookup_elem(&slots, &i);
}

/* The outermost write of a thread, or NULL. */
static __always_inline struct inflight *outer_write(__u32 tid)
{
	struct inflight *st = slot_of(tid);

	if (!st || st->owner == tid)
		return st;
	if (st->away) {
		struct key k = { .tid = tid };

		return bpf_map_lookup_elem(&displaced, &k);
	}
	return NULL;
}

static __always_inline struct inflight *inner_write(__u32 tid)
{
	struct key k = { .tid = tid, .depth = 1 };

	return bpf_map_lookup_elem(&displaced, &k);
}

/* The innermost write that a thread is inside, or NULL. */
static __always_inline struct inflight *write_of(__u32 tid)
{
	struct inflight *st = outer_write(tid);

	return st && st->nested ? inner_write(tid) : st;
}

static __always_inline struct inflight *current_write(void)
{
	return write_of((__u32)bpf_get_current_pid_tgid());
}

static __always_inline __u32 micros(const struct inflight *st, __u64 now)
{
	return (__u32)((now - st->w.t0) / 1000);
}

/* Waits and sleeps that are kept one by one. */
#define MAX_WAITS 6
#define MAX_SLEEPS 6

/*
 * How far the steps of each part of a write may fill the record, so that none takes the
 * room of those behind it. The last seven are for the mappings that are summed up and
 * the last one, which are appended when the write returns, one for its sleeps, and one for
 * its position.
 */
enum room {
	ROOM_MAPS = 21,		/* the first mappings, waits and sleeps */
	ROOM_CHECKS = 25,	/* all that the decision is judged by */
	ROOM_ODD = 26,		/* the very first mapping, and those that fit no class */
	ROOM_ZEROED = 28,
	ROOM_BUFFERED = 31,	/* a drain, the entry, the copy */
};

_Static_assert(ROOM_BUFFERED + E4D_MAX_CLASSES + 3 <= E4D_MAX_STEPS, "room");

/*
 * While the write is inside, the last seven steps hold what append_sums() will append,
 * each at least as far behind as it comes to be: the mappings that are summed up, and the
 * last one when it is not among the steps.
 */
#define AT_LAST_MAP (E4D_MAX_STEPS - 1)
#define AT_CLASSES (AT_LAST_MAP - E4D_MAX_CLASSES)

/* A step of this part is lost. */
static __always_inline void cut(struct inflight *st, __u8 part)
{
	if (st->w.steps_lost != 255)
		st->w.steps_lost++;
	st->w.cut |= part;
	COUNT(steps_lost, 1);
}

/* The next free step of the record, or NULL when it is as full as it may be. */
static __always_inline struct step *push(struct inflight *st, __u8 kind, __u32 room, __u8 part)
{
	__u32 n = st->w.nsteps;
	struct step *s;

	if (n >= room) {
		cut(st, part);
		return NULL;
	}
	s = &st->steps[n];
	st->w.nsteps = n + 1;
	s->kind = kind;
	s->lock = LOCK_UNKNOWN;
	s->aux = 0;
	s->t_us = micros(st, bpf_ktime_get_ns());
	s->a = 0;
	s->b = 0;
	s->c = 0;
	s->d = 0;
	return s;
}

/* The next free step of the check phase. */
static __always_inline struct step *push_check(struct inflight *st, __u8 kind)
{
	return push(st, kind, ROOM_CHECKS, CUT_CHECKS);
}

/*
 * The mode in which the current task holds this inode's i_rwsem. Valid only
 * between lock and unlock in the writing task: modes exclude each other, so a
 * set writer bit is ours (kernel/locking/rwsem.c, rwbase_rt.c). A lock that is
 * held is never 0, so that says that it could not be read.
 */
static __always_inline __u8 lock_mode(struct inode *inode)
{
	if (field_exists(inode->i_rwsem.count)) {
		__s64 count = READ(inode, i_rwsem.count.counter);

		if (!count)
			return LOCK_UNKNOWN;
		return count & RWSEM_WRITER_LOCKED ? LOCK_EXCLUSIVE : LOCK_SHARED;
	}
	if (field_exists(inode->i_rwsem.rwbase)) {
		__u32 readers = READ(inode, i_rwsem.rwbase.readers.counter);

		if (!readers)
			return LOCK_UNKNOWN;
		return readers == RWBASE_WRITER ? LOCK_EXCLUSIVE : LOCK_SHARED;
	}
	return LOCK_UNKNOWN;
}

/*
 * The name of the task that writes. A thread of io-wq, which is one of the process that it
 * writes for, has the name of that: its own says no more than its number does. The helper
 * takes a quarter of the time of the whole entry.
 */
static __always_inline void read_comm(struct task_struct *task, __u32 flags, __u8 *comm)
{
	if (flags & PF_IO_WORKER)
		task = READ(task, group_leader);
	else if (!have_cast) {
		bpf_get_current_comm(comm, 16);
		return;
	}
	if (have_cast) {
		((__u64 *)comm)[0] = EIGHT_BYTES(&task->comm[0]);
		((__u64 *)comm)[1] = EIGHT_BYTES(&task->comm[8]);
	} else {
		bpf_probe_read_kernel(comm, 16, &task->comm);
	}
}

static __always_inline __u32 dio_count(struct inode *inode)
{
	return READ(inode, i_dio_count.counter);
}

static __always_inline bool is_rt(void)
{
	struct inode *no = NULL;

	return field_exists(no->i_rwsem.rwbase);
}

/*
 * Whether what a task is queued for is this i_rwsem. On PREEMPT_RT it may be the rt_mutex
 * inside, which a writer takes first (rwbase_write_lock()).
 */
static __always_inline bool is_lock(__u64 sem, __u64 lock)
{
	struct inode *no = NULL;

	if (sem == lock)
		return 1;
	return is_rt() &&
	       lock == sem + field_offset(no->i_rwsem.rwbase.rtmutex) - field_offset(no->i_rwsem);
}

#endif
