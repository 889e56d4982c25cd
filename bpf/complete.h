/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Asynchronous writes: which iocb belongs to which write, and their ends.
 */
#ifndef E4D_COMPLETE_H
#define E4D_COMPLETE_H

#include "state.h"

/* Wakes the reader only when much has come together; it also looks by itself. */
static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= cfg_wake ?
	       BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void send_complete(__u64 id, __u64 t, __s64 ret)
{
	struct complete_rec r = {};

	r.kind = REC_COMPLETE;
	r.size = sizeof(r);
	r.id = id;
	r.t = t;
	r.ret = ret;
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), wakeup())) {
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
static __always_inline bool watch_aio(__u64 iocb, __u64 id)
{
	struct aio *old = bpf_map_lookup_elem(&aios, &iocb);
	struct aio a = { .id = id };

	if (old && old->marked)
		send_complete(old->id, old->t, old->ret);
	else if (old)
		COUNT(lost_aio, 1);
	if (old && old->marked)
		__sync_fetch_and_add(&shared.marked, -1);
	if (!old)
		__sync_fetch_and_add(&shared.aios, 1);
	if (bpf_map_update_elem(&aios, &iocb, &a, BPF_ANY)) {
		if (!old)
			__sync_fetch_and_add(&shared.aios, -1);
		return 0;
	}
	return 1;
}

/* Forgets an iocb; true for the one caller that did. */
static __always_inline bool unwatch_aio(__u64 iocb, bool marked)
{
	if (bpf_map_delete_elem(&aios, &iocb))
		return 0;
	__sync_fetch_and_add(&shared.aios, -1);
	if (marked)
		__sync_fetch_and_add(&shared.marked, -1);
	return 1;
}

/*
 * The end of an asynchronous write, in a worker or in interrupt context. The
 * kernel skips a program that is already running on the CPU, and completions
 * interrupt and preempt completions. So four equal programs call this, of which
 * only the first to delete the entry sends. With two, some 60 of 66,000 were
 * skipped by both; with on_mark() as a third witness, up to 7.
 */
static __always_inline void on_complete(__u64 iocb_, __s64 ret)
{
	struct kiocb *iocb = (void *)iocb_;
	struct aio *a;
	__u64 id;

	if (!shared.aios || !READ(iocb, ki_complete))
		return;
	a = bpf_map_lookup_elem(&aios, &iocb_);
	if (!a)
		return;
	id = a->id;
	if (unwatch_aio(iocb_, a->marked))
		send_complete(id, bpf_ktime_get_ns(), ret);
}

/*
 * ext4_dio_write_end_io, before the completion is complete. A kprobe is skipped
 * when it interrupts a kprobe, a tracepoint when it interrupts itself: seldom
 * both at one moment.
 */
static __always_inline void on_mark(__u64 iocb_, __s64 size, __s32 error)
{
	struct kiocb *iocb = (void *)iocb_;
	struct aio *a;

	if (!shared.aios || !READ(iocb, ki_complete))
		return;
	a = bpf_map_lookup_elem(&aios, &iocb_);
	if (!a || a->marked)
		return;
	a->t = bpf_ktime_get_ns();
	a->ret = error ? error : size;
	a->marked = 1;
	__sync_fetch_and_add(&shared.marked, 1);
}

#endif
