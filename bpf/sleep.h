/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a NOWAIT write slept for, told from the kernel stack at the moment when
 * its task leaves the CPU.
 *
 * probes/sleep.go looks up the functions that tell a cause and hands their
 * addresses over as "spans". The stack is walked from the innermost frame out to
 * the write function; a stack that does not reach it was not unwound, and tells
 * nothing. Of the frames in between that lie in a span
 *
 *	- the outermost decides: a journal wait under iomap_dio_complete belongs to
 *	  the completion, one under a page fault to the user's pages, and a request
 *	  tag under ext4_read_bh to the metadata read;
 *	- but memory is memory, whoever asked: a frame of the journal, of the
 *	  allocator or of the block layer around it does not change that;
 *	- iomap's own frame, which is around everything that the iomap phase does,
 *	  counts only where it called the scheduler itself: there it waits for its I/O.
 *
 * Two locks need no frame. The contention tracepoints tell which lock a task is
 * queued for: i_rwsem of this inode has no lawful excuse, and i_data_sem is taken
 * for the innermost cause, as completions and page faults wait for it, too.
 */
#ifndef E4D_SLEEP_H
#define E4D_SLEEP_H

#include "state.h"

/* As many as the kernel records, see /proc/sys/kernel/perf_event_max_stack. */
#define MAX_FRAMES 127
#define MAX_SPANS 256	/* a power of two */

/* What a function tells: a sleep_cause, or one of these. */
enum frame {
	FRAME_OTHER = 0,
	FRAME_SCHED = 64,	/* the scheduler: who called it sleeps */
	FRAME_IOMAP = 65,	/* iomap_dio_rw */
	FRAME_WRITE = 66,	/* the write function: here the walk ends */
};

/* The code of one function, from kallsyms. */
struct span {
	__u64 start;
	__u32 len;
	enum frame frame;
};

/* Ordered by start, unused ones last with the highest. */
const volatile struct span spans[MAX_SPANS] = {};
const volatile bool have_spans = 0;

/*
 * One stack and how far the walk over it has come. The latter is not a variable of
 * the program: before 6.7 the verifier looks at a callback of bpf_loop() only as it
 * is called first, and takes away what cannot happen then.
 */
struct stack {
	__u64 ip[MAX_FRAMES];
	__u32 place;		/* enum place */
	__u32 cause;		/* enum sleep_cause */
};

/* sched_switch runs with preemption off: one a CPU is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack);
} stacks SEC(".maps");

/* How far the walk has come. */
enum place {
	PLACE_TRACING = 0,	/* in our own frames and those of the tracepoint */
	PLACE_SCHED = 1,
	PLACE_CALLER = 2,	/* the scheduler was called from here */
	PLACE_END = 3,		/* the write function */
};

/* A return address may lie behind the last instruction of its function. */
static __always_inline __u32 frame_of(__u64 ip)
{
	__u32 at = 0;

#pragma unroll
	for (__u32 half = MAX_SPANS / 2; half; half /= 2) {
		/*
		 * Without a branch: the verifier would follow each of 256 ways. That
		 * the index is in bounds only the compiler knows by itself.
		 */
		__u32 i = at + half;
		__s64 less;

		HIDE(i);
		less = spans[i & (MAX_SPANS - 1)].start - ip;
		at += half & (__u32)(less >> 63);
	}
	HIDE(at);
	at &= MAX_SPANS - 1;
	if (spans[at].start < ip && ip - spans[at].start <= spans[at].len)
		return spans[at].frame;
	return FRAME_OTHER;
}

/* Causes that hold for everything inside, even for memory. */
static __always_inline bool encloses(__u32 cause)
{
	return cause == SLEEP_MEMORY || cause == SLEEP_END_IO ||
	       cause == SLEEP_USER_PAGES || cause == SLEEP_DIO_QUEUE;
}

static long walk_frame(__u32 i, void *unused)
{
	__u32 zero = 0, frame;
	struct stack *s = bpf_map_lookup_elem(&stacks, &zero);

	(void)unused;
	if (!s || i >= MAX_FRAMES)
		return 1;
	frame = frame_of(s->ip[i]);
	if (s->place == PLACE_TRACING) {
		if (frame == FRAME_SCHED)
			s->place = PLACE_SCHED;
		return 0;
	}
	if (frame == FRAME_SCHED)
		return 0;
	if (s->place == PLACE_SCHED && frame == FRAME_IOMAP && !s->cause)
		s->cause = SLEEP_OWN_IO;
	s->place = PLACE_CALLER;
	if (frame == FRAME_WRITE) {
		s->place = PLACE_END;
		return 1;
	}
	if (frame == FRAME_OTHER || frame == FRAME_IOMAP)
		return 0;
	if (s->cause != SLEEP_MEMORY || encloses(frame))
		s->cause = frame;
	return 0;
}

/* What the current task, inside the write st, leaves the CPU for. */
static __always_inline __u32 cause_of(void *ctx, const struct inflight *st, __u32 state)
{
	struct stack *s;
	__u32 zero = 0;
	long size;

	if (st->wait_t)
		return SLEEP_I_RWSEM;
	if (state & TASK_RTLOCK_WAIT)
		return SLEEP_RTLOCK;
	if (!have_spans)
		return SLEEP_UNKNOWN;
	s = bpf_map_lookup_elem(&stacks, &zero);
	if (!s)
		return SLEEP_UNKNOWN;
	size = bpf_get_stack(ctx, s->ip, sizeof(s->ip), 0);
	if (size <= 0)
		return SLEEP_UNKNOWN;
	s->place = PLACE_TRACING;
	s->cause = st->data_wait ? SLEEP_I_DATA_SEM : SLEEP_UNKNOWN;
	bpf_loop((__u32)size / sizeof(s->ip[0]), walk_frame, NULL, 0);
	return s->place == PLACE_END ? s->cause : SLEEP_UNKNOWN;
}

#endif
