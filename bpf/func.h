/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The function of the kernel that one is in who has i_rwsem and is in no operation that we
 * know. It is told by the best of three:
 *
 *	- who was queued for the lock is still in down_write() when it has got it: its own
 *	  stack has the function that takes it;
 *	- who sleeps with the lock when a write begins to wait has a stack, too. Nothing in it
 *	  tells which function took the lock: it is the outermost of the VFS, or else that of
 *	  the system call;
 *	- who runs then, or where the kernel lends no other task to a program (before 6.12), is
 *	  in a system call, whose number lies at the bottom of its stack.
 */
#ifndef E4D_FUNC_H
#define E4D_FUNC_H

#include "hold.h"

static long (*bpf_get_task_stack)(struct task_struct *task, void *buf, __u32 size, __u64 flags) = (void *)141;
static struct task_struct *(*bpf_get_current_task_btf)(void) = (void *)158;
static long (*bpf_snprintf)(char *str, __u32 str_size, const char *fmt, __u64 *data, __u32 data_len) = (void *)165;
static long (*bpf_task_pt_regs)(struct task_struct *task) = (void *)175;

extern struct task_struct *bpf_task_from_pid(__s32 pid) __weak __ksym;
extern void bpf_task_release(struct task_struct *task) __weak __ksym;

const volatile bool have_task_from_pid = 0;	/* and raw tracepoints may call it */
const volatile __u64 sym_sys_call_table = 0;

/* More system calls than there are; what lies behind the table has another name. */
#define SYSTEM_CALLS 512

/* Frames that are looked at, from the inner end or from the outer one. */
#define INNER_FRAMES 16
#define OUTER_FRAMES 12

/* Room for stacks, each for one thread of those with the same low bits at a time. */
#define STACKS 64
#define HOLDER_FRAMES 64	/* a power of two, as the other one is */

struct frames {
	__u64 ip[HOLDER_FRAMES];
	__u32 owner;		/* the thread; 0 when free */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STACKS);
	__type(key, __u32);
	__type(value, struct frames);
} frames SEC(".maps");

/* Room for the current thread; NULL when another one has it. */
static __always_inline struct frames *take_frames(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid(), i = tid & (STACKS - 1);
	struct frames *f = bpf_map_lookup_elem(&frames, &i);

	return f && !__sync_val_compare_and_swap(&f->owner, 0, tid) ? f : NULL;
}

static __always_inline void give_back(struct frames *f)
{
	__sync_lock_test_and_set(&f->owner, 0);
}

/* What a program reads of the registers at the entry of a system call, by architecture. */
struct pt_regs___call {
	unsigned long orig_ax;	/* x86 */
	int syscallno;		/* arm64 */
} CORE;

struct thread_info {
	__u32 status;		/* x86 */
} CORE;

struct task_struct___stack {
	struct thread_info thread_info;
	void *stack;
} CORE;

#define TS_COMPAT 2		/* a system call of 32 bits, which has a table of its own */

/* A string literal would be a map of its own. */
static const char of_symbol[] = "%ps";

/* The first bytes of names. */
#define FIRST(name, n) (*(__u64 *)(name) & (~0ULL >> (64 - 8 * (n))))
#define LETTERS(a, b, c, d) ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24)

#define LETTERS_5(a, b, c, d, e) (LETTERS(a, b, c, d) | (__u64)(e) << 32)

/* vfs_*, ext4_*, lock_two_nondirectories(), and the system calls __x64_sys_*, __arm64_sys_* */
#define IS_VFS(name)	(FIRST(name, 4) == LETTERS('v', 'f', 's', '_'))
#define IS_EXT4(name)	(FIRST(name, 5) == LETTERS_5('e', 'x', 't', '4', '_'))
#define IS_LOCK(name)	(FIRST(name, 5) == LETTERS_5('l', 'o', 'c', 'k', '_'))
#define IS_CALL(name)	(FIRST(name, 8) == (LETTERS('_', '_', 'x', '6') | LETTERS('4', '_', 's', 'y') << 32) || \
			 FIRST(name, 8) == (LETTERS('_', '_', 'a', 'r') | LETTERS('m', '6', '4', '_') << 32))

/* Between a program and the tracepoint: bpf_*, __bpf_*, __traceiter_* */
#define IS_TRACING(name) (FIRST(name, 4) == LETTERS('b', 'p', 'f', '_') || \
			  FIRST(name, 5) == LETTERS_5('_', '_', 'b', 'p', 'f') || \
			  FIRST(name, 5) == LETTERS_5('_', '_', 't', 'r', 'a'))

/* A return address may lie behind the last instruction of its function. */
static __always_inline void name_frame(__u8 *name, __u64 ip)
{
	ip--;
	bpf_snprintf((char *)name, sizeof(((struct hold_rec *)0)->func), of_symbol, &ip, sizeof(ip));
}

/*
 * The function that has just taken the lock. down_write() and what it calls are functions of
 * the scheduler (__sched), which this helper leaves out: whoever called it is the next one
 * behind the tracepoint. Not static, as describe().
 */
__noinline int name_taker(struct queued *q)
{
	struct frames *f = take_frames();
	bool tracing = 0;
	long size;

	if (!q || !f)
		return 0;
	size = bpf_get_task_stack(bpf_get_current_task_btf(), f->ip, sizeof(f->ip), 0);
	for (__u32 i = 0; i < INNER_FRAMES; i++) {
		q->r.func[0] = 0;
		if ((long)(i * sizeof(__u64)) >= size)
			break;
		name_frame(q->r.func, f->ip[i]);
		if (IS_TRACING(q->r.func))
			tracing = 1;
		else if (tracing && !IS_LOCK(q->r.func))
			break;
	}
	give_back(f);
	return 0;
}

/* The function in which a task sleeps, told by its stack. Not static, as describe(). */
__noinline int name_sleeper(struct queued *q, struct frames *f, __u32 n)
{
	__u64 call = 0, ext4 = 0;

	if (!q || !f)
		return 0;
	for (__u32 i = 0; i < OUTER_FRAMES && i < n; i++) {
		__u32 at = (n - 1 - i) & (HOLDER_FRAMES - 1);

		name_frame(q->r.func, f->ip[at]);
		if (IS_VFS(q->r.func))
			return 1;
		if (IS_CALL(q->r.func))
			call = f->ip[at];
		if (!ext4 && IS_EXT4(q->r.func))
			ext4 = f->ip[at];
	}
	q->r.func[0] = 0;
	if (!call)
		call = ext4;
	if (call)
		name_frame(q->r.func, call);
	return call != 0;
}

/* The same of a task by its number. False where it runs. Not static, as describe(). */
__noinline int name_stack(struct queued *q, struct frames *f, __u32 tid)
{
	struct task_struct *task;
	long size;

	if (!q || !f || !have_task_from_pid)
		return 0;
	task = bpf_task_from_pid(tid);
	if (!task)
		return 0;
	size = bpf_get_task_stack(task, f->ip, sizeof(f->ip), 0);
	bpf_task_release(task);
	return size > 0 && name_sleeper(q, f, size / sizeof(__u64));
}

/*
 * The system call that a task is in. All have the registers of its entry at the same place
 * of their stacks. Not static, as describe().
 */
__noinline int name_call(struct queued *q, struct frames *f, __u64 owner)
{
	struct task_struct *flagged = (void *)owner;
	struct task_struct___stack *task = (void *)owner, *me = (void *)bpf_get_current_task();
	volatile __u64 *mine;
	struct pt_regs___call *regs;
	__u64 func = 0;
	__s32 nr;

	if (!q || !f || !sym_sys_call_table || READ(flagged, flags) & (PF_KTHREAD | PF_IO_WORKER))
		return 0;
	/* The verifier lets a program calculate with a pointer once it comes from memory. */
	mine = &f->ip[0];
	*mine = bpf_task_pt_regs(bpf_get_current_task_btf());
	regs = (void *)(*mine - (__u64)READ(me, stack) + (__u64)READ(task, stack));
	if (field_exists(regs->orig_ax)) {
		if (field_exists(task->thread_info.status) && READ(task, thread_info.status) & TS_COMPAT)
			return 0;
		nr = READ(regs, orig_ax);
	} else {
		nr = READ(regs, syscallno);
	}
	if (nr < 0 || nr >= SYSTEM_CALLS)
		return 0;
	bpf_probe_read_kernel(&func, sizeof(func), (void *)(sym_sys_call_table + nr * sizeof(func)));
	name_frame(q->r.func, func + 1);
	if (!IS_CALL(q->r.func))
		q->r.func[0] = 0;
	return 0;
}

/* The function in which the owner of the lock is. Not static, as describe(). */
__noinline int name_owner(struct queued *q, __u32 tid, __u64 owner)
{
	struct frames *f = take_frames();

	if (!q || !f)
		return 0;
	if (!name_stack(q, f, tid))
		name_call(q, f, owner);
	give_back(f);
	return 0;
}

#endif
