/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Asynchronous writes: which iocb belongs to which write, and their ends.
 */
#ifndef E4D_COMPLETE_H
#define E4D_COMPLETE_H

#include "budget.h"

static __always_inline void send_complete(__u64 id, __u64 t, __s64 ret)
{
	struct complete_rec r = {};

	r.kind = REC_COMPLETE;
	r.size = sizeof(r);
	r.id = id;
	r.t = t;
	r.ret = ret;
	if (emit(&r, sizeof(r), sizeof(r))) {
		COUNT(lost_complete, 1);
		return;
	}
	COUNT(completed, 1);
	COUNT(bytes, sizeof(r));
}

/*
 * Remembers which write an iocb belongs to. An entry that is still there is of
 * an earlier write whose completion was skipped: the iocb is used again, so it is
 * over, and its mark, if any, tells how.
 */
static __always_inline bool watch_aio(__u64 iocb, const struct write_rec *w)
{
	struct aio *old = bpf_map_lookup_elem(&aios, &iocb);
	struct aio a = {
		.id = w->id, .t0 = w->t0, .ino = w->ino, .pos0 = w->pos0, .len0 = w->len0,
		.dev = w->dev, .tgid = w->tgid, .tid = w->tid, .ns_tgid = w->ns_tgid, .ns_tid = w->ns_tid,
		.generation = w->generation, .name = w->name,
	};

	__builtin_memcpy(a.comm, w->comm, sizeof(a.comm));
	if (old && old->marked)
		send_complete(old->id, old->t, old->ret);
	else if (old)
		COUNT(lost_aio, 1);
	if (old && old->marked)
		__sync_fetch_and_add(&shared.marked, -1);
	if (!old)
		__sync_fetch_and_add(&shared.aios, 1);
	if (put(&aios, &iocb, &a)) {
		if (!old)
			__sync_fetch_and_add(&shared.aios, -1);
		return 0;
	}
	return 1;
}

/* Forgets an iocb; true for the one caller that did. */
static __always_inline bool unwatch_aio(__u64 iocb, bool marked)
{
	if (take_out(&aios, &iocb))
		return 0;
	__sync_fetch_and_add(&shared.aios, -1);
	if (marked)
		__sync_fetch_and_add(&shared.marked, -1);
	return 1;
}

/* The end of an asynchronous write: sent by the first who gets to forget it. */
static __always_inline void finish(__u64 iocb, struct aio *a, __s64 ret)
{
	__u64 id = a->id, now;

	if (!unwatch_aio(iocb, a->marked))
		return;
	now = bpf_ktime_get_ns();
	if (cfg_budget)
		budget_over(iocb, id, now);
	send_complete(id, now, ret);
}

/* The asynchronous write whose end this is, or NULL. */
static __always_inline struct aio *aio_of(__u64 iocb_)
{
	struct kiocb *iocb = (void *)iocb_;

	if (!shared.aios || !READ(iocb, ki_complete))
		return NULL;
	return bpf_map_lookup_elem(&aios, &iocb_);
}

/*
 * ext4_dio_write_end_io returned, in a worker or in interrupt context. The kernel
 * skips a program that is already running on the CPU, or was preempted there: what sends
 * is preempted as soon as it lets interrupts in again. On a machine with far more to do than
 * it can, of 2,300 completions the first of three equal programs missed 48, the two first 12,
 * all three none; of 33,408, these and one on_mark() at the entry once missed 10. So
 * on_complete() is there, too, or one more on_mark() where there is no such tracepoint: both
 * are short, and end before interrupts come where another was faster.
 *
 * An O_DSYNC write is not over: the same task goes on to flush it.
 */
static __always_inline void on_end_io(__u64 iocb, struct aio *a, __s64 size, __s32 error, __u32 flags)
{
	if (error || size <= 0 || !(flags & IOMAP_DIO_NEED_SYNC)) {
		finish(iocb, a, error ? error : size);
	} else {
		__u32 tid = (__u32)bpf_get_current_pid_tgid();
		struct flush f = { .iocb = iocb, .id = a->id, .size = size };

		put(&flushes, &tid, &f);
	}
}

/* The same function is entered. */
static __always_inline void on_mark(__u64 iocb, __s64 size, __s32 error, __u32 flags)
{
	struct aio *a = aio_of(iocb);

	if (!a || a->marked || (!error && (flags & IOMAP_DIO_NEED_SYNC)))
		return;
	a->t = bpf_ktime_get_ns();
	a->ret = error ? error : size;
	a->marked = 1;
	__sync_fetch_and_add(&shared.marked, 1);
}

/*
 * iomap_dio_complete() is done with it, the flush of O_DSYNC too (its tracepoint, since
 * 6.6). The result is that of the whole write.
 */
static __always_inline void on_complete(__u64 iocb, __s64 ret)
{
	struct aio *a = aio_of(iocb);

	if (a)
		finish(iocb, a, ret);
}

/* The write that the task flushes: its own, or a queued one whose worker it is. */
static __noinline int budget_sync(__u32 tid, __u32 leave)
{
	struct inflight *st = write_of(tid);
	struct flush *f = st ? NULL : bpf_map_lookup_elem(&flushes, &tid);
	__u64 iocb, id;

	if (!st && !f)
		return 0;
	iocb = st ? (__u64)st->iocb : f->iocb;
	id = st ? st->w.id : f->id;
	return leave ? budget_leave(iocb, id, BUDGET_SYNC) : budget_enter(iocb, id, BUDGET_SYNC);
}

/* ext4_sync_file is entered; with cfg_budget only. */
static __always_inline bool on_sync(void)
{
	budget_sync((__u32)bpf_get_current_pid_tgid(), 0);
	return 1;
}

/* ext4_sync_file returned: of an fsync, or the flush at the end of an O_DSYNC write. */
static __always_inline void on_flushed(__s32 ret)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct flush *f;
	struct aio *a;
	__u64 iocb;

	if (cfg_budget)
		budget_sync(tid, 1);
	if (!shared.aios)
		return;
	f = bpf_map_lookup_elem(&flushes, &tid);
	if (!f)
		return;
	iocb = f->iocb;
	a = bpf_map_lookup_elem(&aios, &iocb);
	if (a && a->id == f->id)
		finish(iocb, a, ret < 0 ? ret : f->size);
	take_out(&flushes, &tid);
}

#endif
