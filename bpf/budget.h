/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The time of a write in parts, with cfg_budget only. A write is in one part at each
 * instant: what ends one begins the next, so that they are disjoint and add up.
 *
 * The bios of a write end in interrupts, while its task goes on. So the part that a write
 * is in is not theirs: they leave marks. What was spent when the last bio was submitted is
 * kept, and from there until ext4_dio_write_end_io the marks tell the parts. That function
 * is entered when the task has let go of the write, or by the task itself: whoever is
 * there has the write for itself.
 *
 * When it came into which part is kept, too, for the first BUDGET_MARKS of them: who looks
 * at one write wants to see the course of it and not sums.
 *
 * The functions are not inlined: what calls them would be too much for the verifier.
 */
#ifndef E4D_BUDGET_H
#define E4D_BUDGET_H

#include "state.h"

const volatile bool cfg_budget = 0;

#define BUDGET_SPENT (BUDGET_REST + 1)	/* parts that are in the record; the others are between marks */

/* Who is done with a queued write. */
#define OVER_TASK	1
#define OVER_IO		2

struct budget {
	struct budget_rec r;
	__u64 mark[BUDGET_MARKS];	/* sent behind r */
	__u64 t0;
	__u64 t;		/* since when it is in this part */
	__u64 alloc, zero, submit;	/* when the last bio was submitted */
	__u64 rest, lookup, times;	/* at the last pass */
	__u32 over;		/* OVER_* */
	__u32 marks;		/* of mark[] */
	__u32 kept;		/* of these, when the last bio was submitted */
	__u8 in;		/* enum budget_part */
	__u8 outer;		/* the part around it */
	__u8 passed;
	__u8 pad;
};

/* By the kiocb, which a write has until it is over. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct budget);
} budgets SEC(".maps");

const volatile struct budget no_budget = {};

static __always_inline struct budget *budget_of(__u64 iocb, __u64 id)
{
	struct budget *b = bpf_map_lookup_elem(&budgets, &iocb);

	return b && b->r.id == id ? b : NULL;
}

static __noinline int budget_begin(__u64 iocb, __u64 id, __u64 t0)
{
	struct budget *b;

	if (put(&budgets, &iocb, (const void *)&no_budget)) {
		COUNT(lost_budget, 1);
		return 0;
	}
	b = bpf_map_lookup_elem(&budgets, &iocb);
	if (!b)
		return 0;
	b->r.kind = REC_BUDGET;
	b->r.id = id;
	b->t0 = b->t = t0;
	b->in = BUDGET_SPIN;
	return 0;
}

/* Parts that lie inside another one, and end where that goes on. */
static __always_inline bool within(__u8 part)
{
	return part < 32 && (1u << part) & (1u << BUDGET_QUEUE | 1u << BUDGET_LOOKUP | 1u << BUDGET_DRAIN |
					    1u << BUDGET_ALLOC | 1u << BUDGET_ZERO | 1u << BUDGET_SYNC |
					    1u << BUDGET_TIMES);
}

static __always_inline void fault(struct budget *b, __u8 part)
{
	b->r.faults |= 1u << (part & 31);
}

/* When there is no room, the last mark is not where its part ends: the sums tell. */
static __always_inline void mark(struct budget *b, __u64 now, __u32 part)
{
	__u32 n = b->marks;

	if (n >= BUDGET_MARKS)
		return;
	b->mark[n] = (now - b->t0) << 8 | part;
	b->marks = n + 1;
}

/* From now on the write is in another part, or anew in this one with BUDGET_MARK_PASS. */
static __always_inline void spend(struct budget *b, __u64 now, __u8 next)
{
	__u64 *ns = &b->r.spin;
	__u32 i = b->in;

	if (i < BUDGET_SPENT)
		ns[i] += now - b->t;
	if (i != next)
		mark(b, now, next);
	b->t = now;
	b->in = next & ~BUDGET_MARK_PASS;
}

/* A part inside another one begins. */
static __noinline int budget_enter(__u64 iocb, __u64 id, __u32 part)
{
	struct budget *b = budget_of(iocb, id);

	if (!b)
		return 0;
	if (within(b->in))
		fault(b, b->in);
	else
		b->outer = b->in;
	spend(b, bpf_ktime_get_ns(), part);
	return 0;
}

static __noinline int budget_leave(__u64 iocb, __u64 id, __u32 part)
{
	struct budget *b = budget_of(iocb, id);

	if (!b)
		return 0;
	if (b->in == part)
		spend(b, bpf_ktime_get_ns(), b->outer);
	else
		fault(b, part);
	return 0;
}

/* Unlike other parts, one that was not entered may return: nothing was zeroed. */
static __noinline int budget_zeroed(__u64 iocb, __u64 id)
{
	struct budget *b = budget_of(iocb, id);

	if (b && b->in == BUDGET_ZERO)
		spend(b, bpf_ktime_get_ns(), b->outer);
	return 0;
}

/* The next part begins, and with it all before is over. */
static __noinline int budget_next(__u64 iocb, __u64 id, __u32 part)
{
	struct budget *b = budget_of(iocb, id);

	if (!b)
		return 0;
	if (within(b->in))
		fault(b, b->in);
	spend(b, bpf_ktime_get_ns(), part);
	return 0;
}

/* The lock is held. What was spent since the last time was in vain. */
static __noinline int budget_pass(__u64 iocb, __u64 id)
{
	struct budget *b = budget_of(iocb, id);

	if (!b)
		return 0;
	if (within(b->in))
		fault(b, b->in);
	spend(b, bpf_ktime_get_ns(), BUDGET_REST | BUDGET_MARK_PASS);
	if (b->passed) {
		b->r.failed_pass += b->r.rest - b->rest + b->r.lookup - b->lookup + b->r.times - b->times;
		b->r.rest = b->rest;
		b->r.lookup = b->lookup;
		b->r.times = b->times;
	}
	b->passed = 1;
	b->rest = b->r.rest;
	b->lookup = b->r.lookup;
	b->times = b->r.times;
	return 0;
}

/* A bio of the write goes to the block layer. */
static __noinline int budget_bio(__u64 iocb, __u64 id)
{
	struct budget *b = budget_of(iocb, id);

	if (!b)
		return 0;
	spend(b, bpf_ktime_get_ns(), b->in);
	b->alloc = b->r.alloc;
	b->zero = b->r.zero;
	b->submit = b->r.submit;
	b->kept = b->marks;
	b->r.submitted = b->t - b->t0;
	b->r.bios++;
	return 0;
}

/* One of them ended. Others may at the same time. */
static __noinline int budget_bio_end(__u64 iocb)
{
	struct budget *b = bpf_map_lookup_elem(&budgets, &iocb);
	__u64 at, old;

	if (!b)
		return 0;
	at = bpf_ktime_get_ns() - b->t0;
	for (int i = 0; i < 4; i++) {
		old = b->r.bio_end;
		if (at <= old || __sync_val_compare_and_swap(&b->r.bio_end, old, at) == old)
			break;
	}
	__sync_fetch_and_add(&b->r.bios_ended, 1);
	return 0;
}

/* What the task did since it submitted the last bio is covered by that. */
static __always_inline void resume(struct budget *b, __u64 now, __u8 part)
{
	if (!b->r.bios) {
		spend(b, now, part);
		return;
	}
	b->r.alloc = b->alloc;
	b->r.zero = b->zero;
	b->r.submit = b->submit;
	b->marks = b->kept;
	mark(b, now, part);
	b->t = now;
	b->in = part;
}

/* ext4_dio_write_end_io is entered. */
static __noinline int budget_end_io(__u64 iocb)
{
	struct budget *b = bpf_map_lookup_elem(&budgets, &iocb);

	if (!b || b->r.end_io)
		return 0;
	resume(b, bpf_ktime_get_ns(), BUDGET_CONVERT);
	b->r.end_io = b->t - b->t0;
	return 0;
}

/* It returned; all its witnesses say so. */
static __noinline int budget_end_io_return(__u64 iocb)
{
	struct budget *b = bpf_map_lookup_elem(&budgets, &iocb);

	if (!b)
		return 0;
	if (b->in == BUDGET_CONVERT) {
		spend(b, bpf_ktime_get_ns(), BUDGET_REST);
	} else if (!b->r.end_io) {
		fault(b, BUDGET_CONVERT);
		resume(b, bpf_ktime_get_ns(), BUDGET_REST);
	}
	return 0;
}

static __always_inline void settle_budget(struct budget *b, __u64 now)
{
	if (within(b->in) || b->in == BUDGET_CONVERT || (b->in == BUDGET_SUBMIT && b->r.bios))
		fault(b, b->in);
	spend(b, now, BUDGET_REST);
	b->r.total = now - b->t0;
}

static __always_inline void send_budget(__u64 iocb, struct budget *b)
{
	__u32 n = b->marks, size;

	if (n > BUDGET_MARKS)
		n = BUDGET_MARKS;
	size = sizeof(b->r) + n * sizeof(b->mark[0]);
	b->r.size = size;
	if (emit(&b->r, size, sizeof(b->r) + BUDGET_MARKS * sizeof(b->mark[0])))
		COUNT(lost_budget, 1);
	else
		COUNT(bytes, size);
	take_out(&budgets, &iocb);
}

/* A queued write ended. Its budget goes before its completion. */
static __noinline int budget_over(__u64 iocb, __u64 id, __u64 now)
{
	struct budget *b = budget_of(iocb, id);

	if (!b)
		return 0;
	settle_budget(b, now);
	if (__sync_fetch_and_or(&b->over, OVER_IO) & OVER_TASK)
		send_budget(iocb, b);
	return 0;
}

/* The write function of a queued write returned. Its budget goes before its record. */
static __noinline int budget_queued(__u64 iocb, __u64 id)
{
	struct budget *b = budget_of(iocb, id);

	if (b && __sync_fetch_and_or(&b->over, OVER_TASK) & OVER_IO)
		send_budget(iocb, b);
	return 0;
}

/* That of another one returned: it is over. */
static __noinline int budget_return(__u64 iocb, __u64 id, __u64 now, bool wanted)
{
	struct budget *b = budget_of(iocb, id);

	if (!b)
		return 0;
	settle_budget(b, now);
	if (wanted)
		send_budget(iocb, b);
	else
		take_out(&budgets, &iocb);
	return 0;
}

/* submit_bio() of a task that writes: journal and metadata have bios, too. */
static __always_inline void on_submit(__u64 bio_)
{
	struct inflight *st = current_write();
	struct bio *bio = (void *)bio_;
	struct iomap_dio *dio;

	if (!st || st->phase != PHASE_DIO)
		return;
	dio = READ(bio, bi_private);
	if (READ(dio, iocb) == st->iocb)
		budget_bio((__u64)st->iocb, st->w.id);
}

/* iomap_dio_bio_end_io(bio) */
static __always_inline void on_bio_end(__u64 bio_)
{
	struct bio *bio = (void *)bio_;
	struct iomap_dio *dio = READ(bio, bi_private);

	budget_bio_end((__u64)READ(dio, iocb));
}

#endif
