/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Waiting: queued for i_rwsem, and sleeps of NOWAIT writes.
 */
#ifndef E4D_WAIT_H
#define E4D_WAIT_H

#include "owner.h"
#include "sleep.h"

static __always_inline void on_wait_begin(__u64 lock, __u32 flags)
{
	struct inflight *st;

	if (flags & (LCB_F_SPIN | LCB_F_PERCPU | LCB_F_MUTEX))
		return;
	st = current_write();
	if (!st || (!is_lock(st->sem, lock) && st->data_sem != lock)) {
		hold_wait_begin(lock, flags);
		return;
	}
	if (st->data_sem == lock)
		st->data_wait = 1;
	if (!is_lock(st->sem, lock) || st->wait_t)
		return;
	if (cfg_budget)
		budget_enter((__u64)st->iocb, st->w.id, BUDGET_QUEUE);
	st->wait_t = bpf_ktime_get_ns();
	/* The rt_mutex inside tells no mode: its own waiters are writers. */
	st->wait_flags = lock == st->sem ? flags : flags | LCB_F_WRITE;
	if (cfg_holders)
		watch_holders(st, st->w.tid);
}

static __always_inline void on_wait_end(__u64 lock)
{
	struct inflight *st = current_write();
	struct step *s;
	__u64 now, ns;

	if (!st || (!is_lock(st->sem, lock) && st->data_sem != lock)) {
		hold_wait_end(lock);
		return;
	}
	if (st->data_sem == lock)
		st->data_wait = 0;
	if (!is_lock(st->sem, lock) || !st->wait_t)
		return;
	now = bpf_ktime_get_ns();
	ns = now - st->wait_t;
	if (cfg_holders)
		tell_holders(st, st->w.tid, now);
	if (cfg_budget)
		budget_leave((__u64)st->iocb, st->w.id, BUDGET_QUEUE);
	st->wait_t = 0;
	st->w.stages |= ST_WAIT;
	st->w.wait_ns += ns;
	if (st->waits++ >= MAX_WAITS) {
		cut(st, CUT_WAITS);
		return;
	}
	s = push(st, STEP_WAIT, ROOM_MAPS, CUT_WAITS);
	if (s) {
		s->a = ns;
		s->c = st->wait_flags;
	}
}

/* A NOWAIT write goes on after a sleep. The later ones of many are summed up. */
static __always_inline void woke(struct inflight *st)
{
	__u64 ns = bpf_ktime_get_ns() - st->sleep_t;
	struct step *s;

	st->sleep_t = 0;
	st->w.stages |= ST_SLEEP;
	if (st->sleeps++ >= MAX_SLEEPS || st->w.nsteps >= ROOM_MAPS) {
		st->summed_sleeps++;
		st->slept |= 1ULL << ((st->phase * 16 + st->sleep_cause) & 63);
		st->slept_ns += ns;
		return;
	}
	s = push(st, STEP_SLEEP, ROOM_MAPS, 0);
	if (!s)
		return;
	s->a = ns;
	s->c = st->sleep_state;
	s->d = st->sleep_cause;
	s->aux = st->phase;
}

/* A task leaves the CPU, another gets it; only NOWAIT writes are of interest. */
static __always_inline void on_switch(void *ctx, bool preempt, __u64 next_, __u32 state)
{
	struct task_struct *next = (void *)next_;
	struct inflight *st;

	if (!shared.nowait)
		return;
	if (!preempt && state) {
		st = current_write();
		if (st && (st->w.ki_flags & IOCB_NOWAIT)) {
			st->sleep_t = bpf_ktime_get_ns();
			st->sleep_state = state;
			st->sleep_cause = cause_of(ctx, st, state);
		}
	}
	st = write_of(READ(next, pid));
	if (st && st->sleep_t) {
		woke(st);
	}
}

#endif
