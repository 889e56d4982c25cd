/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who has i_rwsem while a recorded write waits for it: operations (hold.h) whose records
 * are sent when the write has got it, and owners of the lock that are in none.
 */
#ifndef E4D_OWNER_H
#define E4D_OWNER_H

#include "func.h"
#include "hold.h"

/*
 * On PREEMPT_RT a writer that has the rt_mutex waits for the readers that are inside, and
 * keeps all others out: it has the lock, as far as they are concerned (rwbase_write_lock()).
 */
static __always_inline bool has_rt_mutex(__u64 sem, __u64 lock, __u32 flags)
{
	struct inode *no = NULL;

	return field_exists(no->i_rwsem.rwbase) && lock == sem && (flags & LCB_F_WRITE);
}

/*
 * A thread was queued, got the lock exclusively, and has been in no operation that we know
 * since: nobody knows better who had the lock until "at", when another one has it. Not
 * static, as describe().
 */
__noinline int send_queued(__u64 sem, __u32 tid, __u64 at)
{
	struct queued *q = queued_of(tid);

	if (!q || q->tid != tid || !q->r.kind || q->r.t0 || q->end > at ||
	    __sync_val_compare_and_swap(&q->sem, sem, 0) != sem)
		return 0;
	q->r.t0 = q->begin;
	q->r.from = q->end;
	q->r.to = at;
	q->r.queued_ns = q->end - q->begin;
	send_hold(&q->r);
	q->r.kind = 0;
	return 0;
}

/* The one who had the lock exclusively last, before "tid" got it. */
static __always_inline void next_holder(struct interest *in, __u64 sem, __u32 tid, __u64 at)
{
	__u32 before = in->tids[0];

	if (before && before != tid)
		send_queued(sem, before, at);
}

/*
 * Who got the lock of interest and is in no operation: its record waits for somebody else
 * to get the lock. Without t0 it is none to a reader of the map.
 */
static __always_inline void hold_queued(struct queued *q, __u32 tid)
{
	struct inode *inode = inode_of(q->sem);
	struct interest *in = interest_of(q->sem);

	if (!in || !(in->waiting || cfg_holders == HOLDERS_ALL) || q->lock != LOCK_EXCLUSIVE)
		return;
	next_holder(in, q->sem, tid, q->end);
	__builtin_memset(&q->r, 0, sizeof(q->r));
	q->r.lock = LOCK_EXCLUSIVE;
	q->r.flags = HOLDER_QUEUED;
	name_taker(q);
	identify(&q->r, (void *)bpf_get_current_task(), inode);
	in->tids[0] = tid;
}

/*
 * A task is queued for a lock, and none of our writes is the reason: the one of its
 * operation, or of one that it will be in once it has got it.
 */
static __always_inline void hold_wait_begin(__u64 lock, __u32 flags)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 sem, now;
	struct op *o;
	struct queued *q;

	if (!cfg_holders)
		return;
	o = op_of(tid);
	if (o) {
		if (!is_lock(o->sem, lock) || o->wait_t)
			return;
		now = bpf_ktime_get_ns();
		if (!has_rt_mutex(o->sem, lock, flags))
			o->wait_t = now;
		else if (!o->r.from)
			got(o, now);
		return;
	}
	sem = sem_queued_for(lock);
	if (!sem)
		return;
	q = queued_of(tid);
	if (!q || (q->tid == tid && q->sem == sem && !q->end))
		return;
	now = bpf_ktime_get_ns();
	if (has_rt_mutex(sem, lock, flags) && q->tid == tid && q->sem == sem && now - q->end < JUST_NOW)
		return;
	/* It has let go of the lock that it had got, before anybody else who was woken got it. */
	if (q->sem)
		send_queued(q->sem, tid, now);
	q->tid = tid;
	q->sem = sem;
	q->r.kind = 0;
	q->begin = now;
	/* What waits for the rt_mutex inside without having told more before is a writer. */
	q->lock = lock != sem || (flags & LCB_F_WRITE) ? LOCK_EXCLUSIVE : LOCK_SHARED;
	q->end = 0;
	if (has_rt_mutex(sem, lock, flags)) {
		q->end = now;
		hold_queued(q, tid);
	}
}

static __always_inline void hold_wait_end(__u64 lock)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct op *o;
	struct queued *q;
	__u64 now;

	if (!cfg_holders)
		return;
	o = op_of(tid);
	if (o) {
		if (!is_lock(o->sem, lock) || !o->wait_t)
			return;
		now = bpf_ktime_get_ns();
		o->r.queued_ns += now - o->wait_t;
		o->r.flags |= HOLDER_QUEUED;
		o->wait_t = 0;
		got(o, now);
		return;
	}
	q = queued_of(tid);
	if (q && q->tid == tid && is_lock(q->sem, lock) && !q->end) {
		q->end = bpf_ktime_get_ns();
		hold_queued(q, tid);
	}
}

/*
 * Fills in the record of a thread's operation on this lock, so that a reader of the map can
 * take it. Not static, as describe().
 */
__noinline int name_member(__u32 tid, __u64 sem)
{
	struct op *o = tid ? op_of(tid) : NULL;

	if (o && o->sem == sem && !o->r.kind)
		identify(&o->r, o->task, o->inode);
	return 0;
}

/* The task that owns the lock exclusively, or NULL. On PREEMPT_RT see has_rt_mutex(). */
static __always_inline struct task_struct *owner_of(struct inode *inode)
{
	__u64 owner = 0;

	if (field_exists(inode->i_rwsem.rwbase.rtmutex.owner))
		return (void *)((__u64)READ(inode, i_rwsem.rwbase.rtmutex.owner) & ~7ULL);
	if (field_exists(inode->i_rwsem.owner) && lock_mode(inode) == LOCK_EXCLUSIVE)
		owner = READ(inode, i_rwsem.owner.counter);
	return owner & RWSEM_READER_OWNED ? NULL : (void *)(owner & ~7ULL);
}

/* The recorded write or the operation of a thread has this lock in it. */
static __always_inline bool known(__u32 tid, __u64 sem)
{
	struct inflight *st = outer_write(tid);
	struct op *o = op_of(tid);

	if (o && o->sem == sem)
		return 1;
	if (st && st->sem != sem && st->nested)
		st = inner_write(tid);
	return st && st->sem == sem;
}

/* A recorded write begins to wait for its inode's lock. Not static, as describe(). */
__noinline int watch_holders(struct inflight *st, __u32 tid)
{
	struct interest *in;
	struct task_struct *owner;
	struct queued *q;
	struct op *o;
	__u32 of;

	if (!st)
		return 0;
	in = interest_of(st->sem);
	if (!in)
		return 0;
	__sync_fetch_and_add(&in->waiting, 1);
	__sync_fetch_and_add(&in->moves, 1);
	for (int i = 0; i < MEMBERS; i++)
		name_member(in->tids[i], st->sem);
	q = queued_of(tid);
	owner = owner_of(st->inode);
	if (!q || !owner)
		return 0;
	of = READ(owner, pid);
	if (!of || known(of, st->sem))
		return 0;
	q->tid = tid;
	q->sem = st->sem;
	q->end = 0;
	__builtin_memset(&q->r, 0, sizeof(q->r));
	q->r.from = q->r.t0 = st->wait_t;
	q->r.lock = LOCK_EXCLUSIVE;
	q->r.flags = HOLDER_OWNER | HOLDER_WIDE;
	/* It is in an operation of another file: that has this one's lock, too (EXT4_IOC_MOVE_EXT). */
	o = op_of(of);
	if (o) {
		q->r.op = o->r.op;
		q->r.arg = o->r.arg;
	} else {
		name_owner(q, of, (__u64)owner);
	}
	identify(&q->r, owner, st->inode);
	return 0;
}

/*
 * Sends the operation of another thread, which has let go of the lock: "at" is when the
 * write that is excluded by it got it. Not static, as describe().
 */
__noinline int send_member(__u32 tid, __u64 sem, __u64 at, __u32 shared_too)
{
	struct op *o = tid ? op_of(tid) : NULL;
	struct hold_rec r;
	__u64 t0;

	if (!o || o->sem != sem || o->wait_t || (!shared_too && o->r.lock != LOCK_EXCLUSIVE))
		return 0;
	t0 = o->r.t0;
	r = o->r;
	r.from = held_from(o);
	if (!r.from || r.from > at || __sync_val_compare_and_swap(&o->unsent, t0, 0) != t0)
		return 0;
	if (!r.kind)
		identify(&r, o->task, o->inode);
	if (!r.to)
		r.to = at;
	send_hold(&r);
	/*
	 * It may take the lock again: 6.1's ext4_fallocate() does so for
	 * ext4_convert_inline_data(), and then for what was asked.
	 */
	if (r.op == HOLD_FALLOCATE) {
		o->r.from = o->r.queued_ns = 0;
		o->r.flags &= ~HOLDER_QUEUED;
	} else if (r.flags & HOLDER_WIDE) {
		o->r.from = at;
	} else {
		return 0;
	}
	o->unsent = t0;
	return 0;
}

/* A recorded write waits no more. */
static __always_inline struct interest *stop_waiting(__u64 sem)
{
	struct interest *in = interest_of(sem);

	if (in) {
		__sync_fetch_and_add(&in->waiting, -1);
		__sync_fetch_and_add(&in->moves, 1);
	}
	return in;
}

/* A recorded write has waited, until "at" or in vain. Not static, as describe(). */
__noinline int tell_holders(struct inflight *st, __u32 tid, __u64 at)
{
	struct interest *in;
	struct queued *q;
	__u8 mode;

	if (!st)
		return 0;
	in = stop_waiting(st->sem);
	if (!in)
		return 0;
	q = queued_of(tid);
	if (q && q->tid == tid && q->sem == st->sem && q->r.kind) {
		if (q->r.from == st->wait_t) {
			q->r.to = at;
			send_hold(&q->r);
		}
		q->r.kind = 0;
		q->sem = 0;
	}
	next_holder(in, st->sem, tid, at);
	mode = lock_mode(st->inode);
	for (int i = 0; i < MEMBERS; i++)
		send_member(in->tids[i], st->sem, at, mode == LOCK_EXCLUSIVE);
	return 0;
}

#endif
