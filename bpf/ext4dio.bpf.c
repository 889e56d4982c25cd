// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs: every handler of handlers.h in each way of attaching that may
 * be chosen for it. Names say both: the prefix is the way, the rest the probe.
 *
 *	kp_, kr_	kprobe or kprobe.multi, and its return
 *	ks_		kprobe.session: entry and return in one
 *	fe_, fx_	fentry and fexit
 *	tp_		raw tracepoint
 *
 * probes/plan.go says which are used on which kernel and why.
 */
#include "handlers.h"

extern bool bpf_session_is_return(void *ctx) __weak __ksym;

#define KPROBE(name) SEC("kprobe/" #name) int kp_##name(struct pt_regs *ctx)
#define KRETPROBE(name) SEC("kretprobe/" #name) int kr_##name(struct pt_regs *ctx)
#define SESSION(name) SEC("kprobe.session/" #name) int ks_##name(struct pt_regs *ctx)
#define FENTRY(name) SEC("fentry/" #name) int fe_##name(__u64 *ctx)
#define FEXIT(name) SEC("fexit/" #name) int fx_##name(__u64 *ctx)
#define TRACEPOINT(name, tp) SEC("raw_tp/" #tp) int tp_##name(__u64 *ctx)

static __always_inline __u64 func_ret(__u64 *ctx)
{
	__u64 ret = 0;

	bpf_get_func_ret(ctx, &ret);
	return ret;
}

/*
 * An entry and a return. The handler of the entry says whether it wants the
 * return; a session that answers 1 at the entry gets none.
 */
#define BOTH(name, on_in_kp, on_in_fe, on_out)				\
	KPROBE(name) { on_in_kp; return 0; }				\
	KRETPROBE(name) { __u64 ret = RET(ctx); (void)ret; on_out; return 0; }	\
	SESSION(name)							\
	{								\
		if (bpf_session_is_return(ctx)) {			\
			__u64 ret = RET(ctx);				\
			(void)ret;					\
			on_out;						\
			return 0;					\
		}							\
		return !on_in_kp;					\
	}								\
	FENTRY(name) { on_in_fe; return 0; }				\
	FEXIT(name) { __u64 ret = func_ret(ctx); (void)ret; on_out; return 0; }

/* Only an entry. */
#define ENTRY(name, on_in_kp, on_in_fe)					\
	KPROBE(name) { on_in_kp; return 0; }				\
	FENTRY(name) { on_in_fe; return 0; }

/* ext4_dio_write_iter(iocb, iter), or ext4_file_write_iter() */
KPROBE(write) { on_entry(ARG1(ctx), ARG2(ctx), STACK(ctx)); return 0; }
KRETPROBE(write) { on_return(RET(ctx)); return 0; }
SESSION(write)
{
	if (bpf_session_is_return(ctx)) {
		on_return(RET(ctx));
		return 0;
	}
	return !on_entry(ARG1(ctx), ARG2(ctx), STACK(ctx));
}
/* The arguments of a trampoline lie on the task's own stack. */
FENTRY(write) { on_entry(ctx[0], ctx[1], (__u64)ctx); return 0; }
FEXIT(write) { on_return(func_ret(ctx)); return 0; }

/* ext4_generic_write_checks(iocb, iter) */
ENTRY(pass, on_pass(), on_pass())

/* ext4_map_blocks(handle, inode, map, flags) */
BOTH(map, on_map_entry(ARG2(ctx), ARG3(ctx), ARG4(ctx)),
     on_map_entry(ctx[1], ctx[2], ctx[3]), on_map_return(ret))

/* inode_dio_wait(inode) */
BOTH(drain, on_drain_entry(ARG1(ctx)), on_drain_entry(ctx[0]), on_drain_return())

/* file_modified(file), kiocb_modified(iocb) */
BOTH(file_modified, on_fmod(FMOD_FILE), on_fmod(FMOD_FILE), on_fmod_return())
BOTH(kiocb_modified, on_fmod(FMOD_KIOCB), on_fmod(FMOD_KIOCB), on_fmod_return())

/* iomap_dio_rw(iocb, iter, ops, dops, dio_flags, private, done_before) */
ENTRY(dio, on_dio(ARG1(ctx), ARG3(ctx), ARG5(ctx)), on_dio(ctx[0], ctx[2], ctx[4]))

/* ext4_iomap_begin(inode, offset, length, flags, iomap, srcmap) */
BOTH(begin, on_begin_entry(ARG1(ctx), ARG5(ctx), 0), on_begin_entry(ctx[0], ctx[4], 0),
     on_begin_return(ret))
/* ext4_iomap_overwrite_begin(), 6.x */
BOTH(overwrite_begin, on_begin_entry(ARG1(ctx), ARG5(ctx), 1),
     on_begin_entry(ctx[0], ctx[4], 1), on_begin_return(ret))

/* iomap_dio_zero(iter, dio, pos, len) */
BOTH(zero, on_zero(ARG1(ctx), ARG3(ctx), ARG4(ctx)), on_zero(ctx[0], ctx[2], ctx[3]), on_zeroed())

/* submit_bio(bio), iomap_dio_bio_end_io(bio): with cfg_budget only */
ENTRY(submit, on_submit(ARG1(ctx)), on_submit(ctx[0]))
ENTRY(bio_end, on_bio_end(ARG1(ctx)), on_bio_end(ctx[0]))

/*
 * ext4_buffered_write_iter(iocb, iter): a part of a write, or else a holder. Two programs at
 * one function, one of which wants the return, would make the kernel look for each at each
 * call, and every buffered write passes here.
 */
BOTH(buffered, on_buffered(ARG1(ctx), ARG2(ctx), STACK(ctx)),
     on_buffered(ctx[0], ctx[1], (__u64)ctx), hold_leave(HOLD_BUFFERED))
/* generic_perform_write(iocb, iter) */
ENTRY(copy, on_copy(ARG1(ctx), ARG2(ctx)), on_copy(ctx[0], ctx[1]))

/*
 * ext4_dio_write_end_io(iocb, size, error, flags). Where there is no trampoline, its
 * arguments are enough, except for an error of the conversion of unwritten extents.
 */
#define END_IO(name)							\
	SEC("fexit/end_io") int fx_##name(__u64 *ctx)			\
	{								\
		struct aio *a = aio_of(ctx[0]);				\
		__s32 error = ctx[2], ret;				\
									\
		if (cfg_budget)						\
			budget_end_io_return(ctx[0]);			\
		if (!a)							\
			return 0;					\
		ret = func_ret(ctx);					\
		on_end_io(ctx[0], a, ctx[1], error ? error : ret < 0 ? ret : 0, ctx[3]); \
		return 0;						\
	}

KPROBE(end_io)
{
	struct aio *a = aio_of(ARG1(ctx));

	if (cfg_budget)
		budget_end_io(ARG1(ctx));
	if (a)
		on_end_io(ARG1(ctx), a, ARG2(ctx), ARG3(ctx), ARG4(ctx));
	return 0;
}
END_IO(end_io)
END_IO(end_io_2)
END_IO(end_io_3)
FENTRY(end_io)
{
	if (cfg_budget)
		budget_end_io(ctx[0]);
	on_mark(ctx[0], ctx[1], ctx[2], ctx[3]);
	return 0;
}
ENTRY(mark, on_mark(ARG1(ctx), ARG2(ctx), ARG3(ctx), ARG4(ctx)), on_mark(ctx[0], ctx[1], ctx[2], ctx[3]))

/* ext4_sync_file(file, start, end, datasync) */
BOTH(sync, on_sync(), on_sync(), on_flushed(ret))

/*
 * Who holds i_rwsem besides: bpf/hold.h. A trampoline calls a program of one function; the
 * other ways attach one program to all of them, and its cookie says which of them it is at.
 * To find the cookie takes longer than all else that is done of a read, so that reads, the
 * most frequent, have programs of their own; buffered writes have them above.
 */
BOTH(hold_read, on_hold_read(ARG1(ctx), ARG2(ctx), STACK(ctx)),
     on_hold_read(ctx[0], ctx[1], (__u64)ctx), hold_leave(HOLD_READ))
KPROBE(hold)
{
	HOLD_ARGS(args, ctx);
	on_hold(args, STACK(ctx), bpf_get_attach_cookie(ctx));
	return 0;
}
KRETPROBE(hold) { hold_leave(bpf_get_attach_cookie(ctx)); return 0; }
SESSION(hold)
{
	HOLD_ARGS(args, ctx);
	__u32 what = bpf_get_attach_cookie(ctx);

	if (bpf_session_is_return(ctx)) {
		hold_leave(what);
		return 0;
	}
	return !on_hold(args, STACK(ctx), what);
}

#define HOLD(name, what)						\
	FENTRY(hold_##name) { on_hold(ctx, (__u64)ctx, what); return 0; } \
	FEXIT(hold_##name) { hold_leave(what); return 0; }

HOLD(fallocate, HOLD_FALLOCATE)
HOLD(setattr, HOLD_SETATTR)
HOLD(ioctl, HOLD_IOCTL)
HOLD(seek, HOLD_SEEK)
HOLD(fiemap, HOLD_FIEMAP)
HOLD(xattr, HOLD_XATTR)
HOLD(fileattr, HOLD_FILEATTR)
HOLD(unlink, HOLD_UNLINK)
HOLD(link, HOLD_LINK)
HOLD(fsync, HOLD_FSYNC)

/* iomap_dio_complete(iocb, error, ret) */
TRACEPOINT(complete, iomap_dio_complete) { on_complete(ctx[0], ctx[2]); return 0; }

/* contention_begin(lock, flags), contention_end(lock, ret) */
TRACEPOINT(wait_begin, contention_begin) { on_wait_begin(ctx[0], ctx[1]); return 0; }
TRACEPOINT(wait_end, contention_end) { on_wait_end(ctx[0]); return 0; }

/* sched_switch(preempt, prev, next, prev_state) */
TRACEPOINT(switch, sched_switch) { on_switch(ctx, ctx[0] & 1, ctx[2], ctx[3]); return 0; }

/* sched_process_fork(parent, child) */
TRACEPOINT(fork, sched_process_fork) { on_fork(ctx[0], ctx[1]); return 0; }

char _license[] SEC("license") = "Dual BSD/GPL";
