/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is recorded at each kernel function. The functions here take plain
 * arguments; ext4dio.bpf.c calls them from every way of attaching.
 *
 * The order of calls inside one write, ext4_file_write_iter() of any kernel:
 *
 *	entry
 *	  pass: ext4_generic_write_checks, i_rwsem is held
 *	    lookups: ext4_map_blocks               (second pass: restarted)
 *	  drain: inode_dio_wait
 *	  file_modified / kiocb_modified
 *	  iomap_dio_rw
 *	    ext4_iomap_begin, iomap_dio_zero ...   (once a mapping)
 *	  ext4_buffered_write_iter                 (fallback)
 *	return
 */
#ifndef E4D_HANDLERS_H
#define E4D_HANDLERS_H

#include "buffered.h"
#include "complete.h"
#include "checks.h"
#include "hold.h"
#include "leftout.h"
#include "mapping.h"
#include "names.h"
#include "sample.h"
#include "wait.h"
#include "wanted.h"

/* fn is ki_complete. nfsd gives none, so it is told by its threads' name. */
static __always_inline __u8 caller_of(__u64 fn, __u32 flags, const __u8 *comm)
{
	if (!fn) {
		if (!(flags & PF_KTHREAD))
			return CALLER_SYNC;
		return comm[0] == 'n' && comm[1] == 'f' && comm[2] == 's' && comm[3] == 'd' &&
		       !comm[4] ? CALLER_NFSD : CALLER_KTHREAD;
	}
	if (!have_callers)
		return CALLER_UNKNOWN;
	if (fn == sym_aio_complete_rw)
		return CALLER_LIBAIO;
	if (fn == sym_io_complete_rw)
		return flags & PF_IO_WORKER ? CALLER_IO_WQ : CALLER_IO_URING;
	if (fn == sym_io_complete_rw_iopoll)
		return flags & PF_IO_WORKER ? CALLER_IO_WQ : CALLER_IO_URING_IOPOLL;
	if (fn == sym_lo_rw_aio_complete)
		return CALLER_LOOP;
	return CALLER_OTHER_ASYNC;
}

/* The address of the lock itself; nothing is read. */
static __always_inline __u64 data_sem(struct inode *inode)
{
	struct ext4_inode_info *ei = (void *)inode - field_offset(((struct ext4_inode_info *)0)->vfs_inode);

	return (__u64)&ei->i_data_sem;
}

/* Gives the place of a write back. */
static __always_inline void forget(struct inflight *st, __u32 tid)
{
	struct key k = { .tid = tid, .depth = st->w.depth };

	if (st->w.ki_flags & IOCB_NOWAIT)
		__sync_fetch_and_add(&shared.nowait, -1);
	if (st->owner) {
		/* Nothing of ours may reach memory after that: a full barrier. */
		__sync_lock_test_and_set(&st->owner, 0);
		return;
	}
	if (take_out(&displaced, &k))
		return;
	__sync_fetch_and_add(&shared.displaced, -1);
	if (!k.depth) {
		struct inflight *home = slot_of(tid);

		if (home)
			__sync_fetch_and_add(&home->away, -1);
	}
}

/* A write inside another one, or one whose slot holds another thread's. */
static __always_inline struct inflight *displace(__u32 tid, __u32 depth)
{
	struct key k = { .tid = tid, .depth = depth };
	struct inflight *st, *home = slot_of(tid);
	__u32 zero = 0;

	st = bpf_map_lookup_elem(&blank, &zero);
	if (!st || !home || put(&displaced, &k, st))
		return NULL;
	__sync_fetch_and_add(&shared.displaced, 1);
	if (!depth)
		__sync_fetch_and_add(&home->away, 1);
	return bpf_map_lookup_elem(&displaced, &k);
}

/* What a missed return left behind inside a write. */
static __always_inline void forget_inner(__u32 tid)
{
	struct inflight *in = inner_write(tid);

	if (in) {
		COUNT(lost_return, 1);
		forget(in, tid);
	}
}

/*
 * A place for a new write of this task, or NULL when it was counted as lost. What a
 * missed return left behind is dropped and counted: its frame is gone when the
 * stack pointer is not below the old one.
 */
static __always_inline struct inflight *place(__u32 tid, __u64 stack)
{
	struct inflight *st = outer_write(tid);
	__u32 depth = 0;

	if (st && st->stack > stack) {
		struct inflight *in = st->nested ? inner_write(tid) : NULL;

		if (in && in->stack > stack) {
			COUNT(lost_depth, 1);
			return NULL;
		}
		if (in) {
			COUNT(lost_return, 1);
			forget(in, tid);
		}
		st->nested = 1;
		depth = 1;
	} else if (st) {
		if (st->nested)
			forget_inner(tid);
		COUNT(lost_return, 1);
		forget(st, tid);
	}
	st = slot_of(tid);
	if (depth || !st || __sync_val_compare_and_swap(&st->owner, 0, tid)) {
		st = displace(tid, depth);
		if (!st) {
			COUNT(lost_map, 1);
			if (depth && (st = outer_write(tid)))
				st->nested = 0;
			return NULL;
		}
	} else {
		__builtin_memset(&st->w, 0, sizeof(st->w));
		__builtin_memset((void *)st + INFLIGHT_ZERO, 0,
				 __builtin_offsetof(struct inflight, owner) - INFLIGHT_ZERO);
	}
	st->stack = stack;
	st->w.depth = depth;
	return st;
}

/* Not static, as describe(): the stack of all that calls one another is 512 bytes. */
__noinline int describe_inode(struct inflight *st)
{
	__u64 raw[18]; /* of all kernels, as far as i_blkbits */
	struct inode *inode;

	if (!st)
		return 0;
	inode = st->inode;
	LOOK(raw, inode);
	st->w.ino = SEEN(raw, inode, i_ino);
	st->w.isize0 = SEEN(raw, inode, i_size);
	st->w.blkbits = SEEN(raw, inode, i_blkbits);
	st->w.dev = READ(SEEN(raw, inode, i_sb), s_dev);
	st->w.generation = SEEN(raw, inode, i_generation);
	return 0;
}

/* Not static, as describe(). */
__noinline int describe_iter(struct inflight *st)
{
	struct iov_iter *iter;
	struct iter_now now;

	if (!st)
		return 0;
	iter = st->iter;
	LOOK(now.raw, iter);
	st->w.len0 = SEEN(now.raw, iter, count);
	st->w.iter_type = SEEN(now.raw, iter, iter_type);
	if (st->w.iter_type != enum_value(enum iter_type, ITER_UBUF)) {
		__u64 segs = SEEN(now.raw, iter, nr_segs);

		st->w.nr_segs = segs > 0xffff ? 0xffff : segs;
	}
	st->align_known = iter_align(iter, &now, &st->align);
	if (!st->align_known)
		st->w.stages &= ~ST_ALIGN;
	return 0;
}

/*
 * What is known of a write at its entry. A function of its own, and not a static one:
 * the verifier looks at such once, and not anew for each place the write may have.
 */
__noinline int describe(struct inflight *st)
{
	struct cpu_state *cpu = this_cpu();
	struct task_struct *task = (void *)bpf_get_current_task();
	struct kiocb *iocb;
	struct inode *inode;
	__u64 raw[3];
	__u32 flags;

	if (!st || !cpu)
		return 0;
	iocb = st->iocb;
	inode = st->inode;
	flags = READ(task, flags);
	st->w.t0 = bpf_ktime_get_ns();
	st->sem = (__u64)&inode->i_rwsem;
	st->data_sem = data_sem(inode);
	st->w.kind = REC_WRITE;
	st->w.head = sizeof(st->w);
	st->w.stages = ST_ENTRY | ST_ALIGN | ST_LOCK;
	st->w.id = ((__u64)bpf_get_smp_processor_id() << 48) |
		   (__sync_fetch_and_add(&cpu->seq, 1) & 0xffffffffffffULL);
	describe_inode(st);
	LOOK(raw, iocb);
	st->w.pos0 = SEEN(raw, iocb, ki_pos);
	read_comm(task, flags, st->w.comm);
	st->w.caller = caller_of((__u64)SEEN(raw, iocb, ki_complete), flags, st->w.comm);
	if (cfg_ns_level) {
		st->w.ns_tgid = number_of(READ(task, group_leader));
		st->w.ns_tid = number_of(task);
	}
	describe_iter(st);
	name_file(st, SEEN(raw, iocb, ki_filp));
	return 0;
}

/* Entry. Returns true when the return of this call is wanted, too. */
static __always_inline bool on_entry(__u64 iocb_, __u64 iter, __u64 stack)
{
	struct kiocb *iocb = (void *)iocb_;
	__u32 flags = READ(iocb, ki_flags);
	struct inflight *st;
	struct cpu_state *cpu;
	struct inode *inode;
	__u64 id;

	if (!(flags & IOCB_DIRECT) || stopping)
		return 0;
	id = bpf_get_current_pid_tgid();
	inode = READ(READ(iocb, ki_filp), f_inode);
	cpu = this_cpu();
	if (!cpu)
		return 0;
	if (!wanted(cpu, iocb, inode, id >> 32) ||
	    (cfg_sample && !sampled(cpu, iocb, (void *)iter, inode, flags))) {
		__sync_fetch_and_add(&cpu->n.filtered, 1);
		return hold_write(iocb, (void *)iter, inode, stack);
	}
	__sync_fetch_and_add(&cpu->n.seen, 1);
	st = place((__u32)id, stack);
	if (!st)
		return 0;
	if (flags & IOCB_NOWAIT)
		__sync_fetch_and_add(&shared.nowait, 1);
	st->w.ki_flags = flags;
	st->w.tgid = id >> 32;
	st->w.tid = (__u32)id;
	st->iocb = iocb;
	st->iter = (void *)iter;
	st->inode = inode;
	describe(st);
	care(st);
	if (cfg_budget)
		budget_begin(iocb_, st->w.id, st->w.t0);
	return 1;
}

static __always_inline void drained(struct inflight *st, __u64 ns, __u32 count)
{
	struct step *s;

	if (st->phase == PHASE_CHECK)
		st->w.stages |= ST_DRAIN;
	if (st->phase == PHASE_BUFFERED)
		s = push(st, STEP_DRAIN, ROOM_BUFFERED, CUT_BUFFERED);
	else
		s = push_check(st, STEP_DRAIN);
	if (!s)
		return;
	s->a = ns;
	s->c = count;
	if (count)
		s->aux |= DRAIN_WAITED;
	if (st->phase == PHASE_BUFFERED)
		s->aux |= DRAIN_BUFFERED;
}

/* Returns true when there is something to wait for, so that the return is wanted. */
static __always_inline bool on_drain_entry(__u64 inode)
{
	struct inflight *st = current_write();
	__u32 count;

	if (!st)
		return hold_drain_entry(inode);
	if ((__u64)st->inode != inode || st->phase == PHASE_DIO)
		return 0;
	if (st->open)
		settle(st);
	if (st->drain_t)
		st->w.stages |= ST_BROKEN;
	st->drain_t = 0;
	count = dio_count(st->inode);
	if (!count) {
		drained(st, 0, 0);
		return 0;
	}
	if (cfg_budget)
		budget_enter((__u64)st->iocb, st->w.id, BUDGET_DRAIN);
	st->drain_t = bpf_ktime_get_ns();
	st->drain_count = count;
	return 1;
}

static __always_inline void on_drain_return(void)
{
	struct inflight *st = current_write();

	if (!st) {
		hold_drain_return();
		return;
	}
	if (!st->drain_t)
		return;
	if (cfg_budget)
		budget_leave((__u64)st->iocb, st->w.id, BUDGET_DRAIN);
	drained(st, bpf_ktime_get_ns() - st->drain_t, st->drain_count);
	st->drain_t = 0;
}

/* Returns true for a write whose part this is. */
static __always_inline bool on_fmod(__u8 fn)
{
	struct inflight *st = current_write();

	if (!st) {
		hold_seen(0);
		return 0;
	}
	if (st->phase != PHASE_CHECK)
		return 0;
	if (st->open)
		settle(st);
	if (cfg_budget)
		budget_enter((__u64)st->iocb, st->w.id, BUDGET_TIMES);
	st->w.stages |= ST_FMOD;
	st->w.fmod = fn;
	return 1;
}

/* It returned; with cfg_budget only. */
static __always_inline void on_fmod_return(void)
{
	struct inflight *st = current_write();

	if (st && st->phase == PHASE_CHECK)
		budget_leave((__u64)st->iocb, st->w.id, BUDGET_TIMES);
}

static __always_inline void on_dio(__u64 iocb, __u64 ops, __u32 flags)
{
	struct inflight *st = current_write();
	__u64 now;

	if (!st) {
		hold_seen(1);
		return;
	}
	if ((__u64)st->iocb != iocb || st->phase != PHASE_CHECK)
		return;
	if (st->open)
		settle(st);
	if (cfg_budget)
		budget_next(iocb, st->w.id, BUDGET_SUBMIT);
	now = bpf_ktime_get_ns();
	st->phase = PHASE_DIO;
	st->w.stages |= ST_DIO;
	st->w.dio_us = micros(st, now);
	st->w.dio_flags = flags;
	st->w.lock = lock_mode(st->inode);
	if (st->w.lock == LOCK_UNKNOWN)
		st->w.stages &= ~ST_LOCK;
	if (sym_iomap_ops && ops == sym_iomap_ops)
		st->w.dio_ops = OPS_IOMAP;
	else if (sym_overwrite_ops && ops == sym_overwrite_ops)
		st->w.dio_ops = OPS_OVERWRITE;
	if (!(flags & IOMAP_DIO_FORCE_WAIT) && READ(st->iocb, ki_complete))
		st->aio = watch_aio(iocb, &st->w);
}

/* Returns true when something is zeroed by a write that we look at. */
static __always_inline bool on_zero(__u64 iter_, __u64 pos, __u32 len)
{
	struct inflight *st;
	struct iomap_iter *iter = (void *)iter_;
	struct step *s;

	if (!len)
		return 0;
	st = current_write();
	if (!st || st->phase != PHASE_DIO)
		return 0;
	if (cfg_budget)
		budget_enter((__u64)st->iocb, st->w.id, BUDGET_ZERO);
	st->w.stages |= ST_ZERO;
	s = push(st, STEP_ZERO, ROOM_ZEROED, CUT_ZEROED);
	if (!s)
		return 1;
	s->lock = lock_mode(st->inode);
	s->a = pos;
	s->b = len;
	s->c = dio_count(st->inode);
	s->d = READ(iter, iomap.type) | (__u32)READ(iter, iomap.flags) << 16;
	return 1;
}

/* iomap_dio_zero returned, of nothing to zero, too; with cfg_budget only. */
static __always_inline void on_zeroed(void)
{
	struct inflight *st = current_write();

	if (st && st->phase == PHASE_DIO)
		budget_zeroed((__u64)st->iocb, st->w.id);
}

static __always_inline void send(struct cpu_state *cpu, struct inflight *st)
{
	__u32 n = st->w.nsteps, size;

	if (n > E4D_MAX_STEPS)
		n = E4D_MAX_STEPS;
	size = sizeof(st->w) + n * sizeof(struct step);
	st->w.size = size;
	st->w.lost_before = cpu->unreported;
	if (emit(st, size, INFLIGHT_ZERO)) {
		__sync_fetch_and_add(&cpu->n.lost_ring, 1);
		__sync_fetch_and_add(&cpu->unreported, 1);
		return;
	}
	__sync_fetch_and_add(&cpu->unreported, -st->w.lost_before);
	__sync_fetch_and_add(&cpu->n.sent, 1);
	__sync_fetch_and_add(&cpu->n.bytes, size);
}

/*
 * A write that returns bytes has moved ki_pos on by them: iomap_dio_complete or
 * generic_perform_write did. When not, the next write(2) overwrites it. 6.1.64 was such a
 * kernel (91562895f803 without 936e114a245b).
 */
static __always_inline void check_moved(struct inflight *st, __s32 ret)
{
	__u64 pos = READ(st->iocb, ki_pos), want = (st->w.passes ? st->pos : st->w.pos0) + ret;
	struct step *s;

	/* Without checks that were seen, IOCB_APPEND may have moved it to anywhere. */
	if (pos == want || (!st->w.passes && (st->w.ki_flags & IOCB_APPEND)))
		return;
	s = push(st, STEP_UNMOVED, E4D_MAX_STEPS, 0);
	if (s) {
		s->a = pos;
		s->b = want;
	}
}

/* The write is over and its record is sent. Not static, as describe(). */
__noinline int conclude(struct inflight *st, __s32 ret)
{
	struct cpu_state *cpu = this_cpu();
	bool fast;

	if (!st || !cpu)
		return 0;
	if (st->open)
		settle_last(st, ret);
	st->w.latency = bpf_ktime_get_ns() - st->w.t0;
	if (cfg_holders && st->wait_t)
		stop_waiting(st->sem);
	if (ret > 0)
		check_moved(st, ret);
	if (st->summed_sleeps || st->maps > E4D_MAX_MAPS)
		append_sums(st);
	st->w.ret = ret;
	st->w.stages |= ST_RETURN;
	if (st->map || st->begins || st->drain_t)
		st->w.stages |= ST_BROKEN;
	if (ret == -EIOCBQUEUED) {
		__sync_fetch_and_add(&cpu->n.queued, 1);
		if (!st->aio)
			__sync_fetch_and_add(&cpu->n.lost_aio, 1);
	} else if (st->aio) {
		__u64 iocb = (__u64)st->iocb;
		struct aio *a = bpf_map_lookup_elem(&aios, &iocb);

		if (a && a->id == st->w.id)
			unwatch_aio(iocb, a->marked);
	}
	fast = cfg_min_latency && st->w.latency < cfg_min_latency;
	if (cfg_budget && ret == -EIOCBQUEUED)
		budget_queued((__u64)st->iocb, st->w.id);
	else if (cfg_budget)
		budget_return((__u64)st->iocb, st->w.id, st->w.t0 + st->w.latency, !fast);
	if (!fast) {
		send(cpu, st);
		return 0;
	}
	__sync_fetch_and_add(&cpu->n.too_fast, 1);
	if (cfg_holders)
		hold_of_fast(st);
	return 0;
}

static __always_inline void on_return(__u64 ret)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct inflight *st = outer_write(tid), *outer = NULL;

	if (!st) {
		if (cfg_holders)
			hold_leave(HOLD_WRITE);
		return;
	}
	if (st->nested) {
		outer = st;
		st = inner_write(tid);
		if (!st)
			return;
	}
	conclude(st, (__s32)ret);
	forget(st, tid);
	if (outer)
		outer->nested = 0;
}

static __always_inline void on_fork(__u64 parent, __u64 child)
{
	__u32 pid = process((void *)parent);
	__u8 one = 1;

	if (pid == PID_HIDDEN || !bpf_map_lookup_elem(&tree, &pid))
		return;
	pid = process((void *)child);
	bpf_map_update_elem(&tree, &pid, &one, BPF_ANY);
}

#endif
