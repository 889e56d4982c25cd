/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A write that was faster than the minimum latency has no record. When another one waited
 * for the lock meanwhile, it has that of a holder instead.
 */
#ifndef E4D_LEFTOUT_H
#define E4D_LEFTOUT_H

#include "hold.h"

/* At the return. Of several passes the last one counts: it held the lock. Not static, as describe(). */
__noinline int hold_of_fast(struct inflight *st)
{
	__u64 woken = 0, queued = 0, at;
	struct interest *in;
	struct hold_rec r = {};
	struct step *s;

	if (!st)
		return 0;
	in = interest_of(st->sem);
	if (!in || (cfg_holders != HOLDERS_ALL && !in->waiting && in->moves == st->moves))
		return 0;
	for (__u32 i = 0; i < E4D_MAX_STEPS && i < st->w.nsteps; i++) {
		s = &st->steps[i];
		at = st->w.t0 + s->t_us * 1000ULL;
		if (s->kind == STEP_WAIT) {
			woken = at;
			queued = s->a;
		} else if (s->kind == STEP_PASS) {
			r.from = woken ? woken : at;
			r.queued_ns = queued;
			r.lock = s->lock;
			woken = queued = 0;
		}
	}
	if (!r.from)
		return 0;
	r.op = HOLD_WRITE;
	r.t0 = st->w.t0;
	r.to = st->w.t0 + st->w.latency;
	r.pos = st->w.pos0;
	r.len = st->w.len0;
	r.flags = (r.queued_ns ? HOLDER_QUEUED : 0) | (st->w.stages & ST_BUFFERED ? HOLDER_WIDE : 0);
	identify(&r, (void *)bpf_get_current_task(), st->inode);
	send_hold(&r);
	return 0;
}

#endif
