/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Holders of i_rwsem that make no recorded write.
 *
 * An operation is of interest while recorded direct writes go to its inode. Its record is
 * sent when a recorded write waited for that lock meanwhile. It leaves at the return of its
 * function, or already when the write that waited has got the lock: all whom that excludes
 * have let go of it by then, and may yet be some time on the way to their return.
 *
 * An operation that another one of the same task makes belongs to that (a truncate inside
 * of fallocate), and one that a recorded write makes of its own file to the write.
 */
#ifndef E4D_HOLD_H
#define E4D_HOLD_H

#include "complete.h"
#include "state.h"
#include "wanted.h"

/* Options.Holders */
enum { HOLDERS_OFF = 0, HOLDERS_AUTO = 1, HOLDERS_ALL = 2 };
const volatile __u32 cfg_holders = HOLDERS_OFF;
const volatile bool sync_locks = 0;		/* ext4_sync_file takes it where there is no journal */

/*
 * The files that recorded direct writes go to, by a hash of the lock's address. When two
 * have the same place, whatever else has it is of interest, too.
 */
#define INTERESTS 1024
#define MEMBERS 9

struct interest {
	__u64 sem;		/* of the first */
	__u32 many;		/* there is another one */
	__u32 waiting;		/* recorded writes that are queued now */
	__u64 moves;		/* how often one began to be, or was no more */
	/* Who had it exclusively last; who is in an operation, the last of those with the same low bits. */
	__u32 tids[MEMBERS];
	__u32 pad;
};
_Static_assert(sizeof(struct interest) == 64, "interest");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, INTERESTS);
	__type(key, __u32);
	__type(value, struct interest);
} interests SEC(".maps");

/* An operation that a thread is inside, in the slot of its number as a write is. */
struct op {
	struct hold_rec r;	/* its kind is 0 until all of it is filled in */
	struct inode *inode;
	struct task_struct *task;
	__u64 sem;
	__u64 unsent;		/* r.t0 until somebody has sent the record */
	__u64 wait_t;		/* queued for the lock: since when */
	__u64 drain_t;		/* in inode_dio_wait */
	__u64 moves;		/* of the interest, at the entry */
	__u64 stack;
	__u32 depth;		/* how many of the same function are inside */
	__u32 owner;		/* the thread; 0 when free */
};

#define OPS 4096

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OPS);
	__type(key, __u32);
	__type(value, struct op);
} ops SEC(".maps");

/*
 * The last time that a thread was queued for such a lock outside of an operation: before
 * one that is called with the lock held. Of a recorded write that waits, who owns the lock,
 * when that is nobody whom we know.
 */
struct queued {
	struct hold_rec r;	/* its kind is 0 when there is none */
	__u64 sem;
	__u64 begin;
	__u64 end;
	__u32 tid;
	__u32 lock;		/* enum lock_mode that it was queued for */
};

#define QUEUED 1024

/* From getting the lock to the operation that it was for, ns. Longer ago it was for another one. */
#define JUST_NOW 100000000

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, QUEUED);
	__type(key, __u32);
	__type(value, struct queued);
} queue SEC(".maps");

static __always_inline __u64 sem_of(struct inode *inode)
{
	return (__u64)&inode->i_rwsem;
}

static __always_inline struct inode *inode_of(__u64 sem)
{
	return (void *)(sem - field_offset(((struct inode *)0)->i_rwsem));
}

static __always_inline struct interest *interest_of(__u64 sem)
{
	__u32 i = (sem * 0x9e3779b97f4a7c15ULL) >> 54;

	return bpf_map_lookup_elem(&interests, &i);
}
_Static_assert(INTERESTS == 1 << 10, "the hash has ten bits");

/* The interest that a lock may be of, or NULL. */
static __always_inline struct interest *interesting(__u64 sem)
{
	struct interest *in = cfg_holders ? interest_of(sem) : NULL;

	return in && (in->sem == sem || in->many) ? in : NULL;
}

/*
 * The lock of interest that a task is queued for, or 0. On PREEMPT_RT it may be the
 * rt_mutex inside: rwbase_write_lock() takes that first.
 */
static __always_inline __u64 sem_queued_for(__u64 lock)
{
	struct inode *no = NULL;

	if (interesting(lock))
		return lock;
	if (field_exists(no->i_rwsem.rwbase)) {
		lock -= field_offset(no->i_rwsem.rwbase.rtmutex) - field_offset(no->i_rwsem);
		return interesting(lock) ? lock : 0;
	}
	return 0;
}

/* A recorded write enters. */
static __always_inline void care(struct inflight *st)
{
	__u64 sem = st->sem;
	struct interest *in;

	if (!cfg_holders)
		return;
	in = interest_of(sem);
	if (in && in->sem != sem && !in->many && __sync_val_compare_and_swap(&in->sem, 0, sem))
		in->many = 1;
	if (in && cfg_min_latency)
		st->moves = in->moves;
}

static __always_inline struct op *op_slot(__u32 tid)
{
	__u32 i = tid & (OPS - 1);

	return bpf_map_lookup_elem(&ops, &i);
}

/* The operation that a thread is inside, or NULL. */
static __always_inline struct op *op_of(__u32 tid)
{
	struct op *o = op_slot(tid);

	return o && o->owner == tid ? o : NULL;
}

static __always_inline struct op *current_op(void)
{
	return cfg_holders ? op_of((__u32)bpf_get_current_pid_tgid()) : NULL;
}

static __always_inline struct queued *queued_of(__u32 tid)
{
	__u32 i = tid & (QUEUED - 1);

	return bpf_map_lookup_elem(&queue, &i);
}

/* What a record says of a task, which may be another one, and of the file. */
static __always_inline void identify(struct hold_rec *r, struct task_struct *task, struct inode *inode)
{
	struct task_struct *named = task;

	if (READ(task, flags) & PF_IO_WORKER)
		named = READ(task, group_leader);
	bpf_probe_read_kernel(r->comm, sizeof(r->comm), &named->comm);
	r->tgid = READ(task, tgid);
	r->tid = READ(task, pid);
	if (cfg_ns_level) {
		r->ns_tgid = number_of(READ(task, group_leader));
		r->ns_tid = number_of(task);
	}
	r->ino = READ(inode, i_ino);
	r->dev = READ(READ(inode, i_sb), s_dev);
	r->generation = READ(inode, i_generation);
	r->size = sizeof(*r);
	r->kind = REC_HOLD;
}

static __always_inline void send_hold(struct hold_rec *r)
{
	if (emit(r, sizeof(*r), sizeof(*r))) {
		COUNT(lost_hold, 1);
		return;
	}
	COUNT(bytes, sizeof(*r));
}

/* These are called with the lock held by their caller. */
static __always_inline bool called_locked(__u32 what)
{
	return what == HOLD_SETATTR || what == HOLD_FILEATTR || what == HOLD_XATTR ||
	       what == HOLD_UNLINK || what == HOLD_LINK;
}

/* These take the lock, and something that we see is done under it. */
static __always_inline bool seen_locked(__u32 what)
{
	return what == HOLD_WRITE || what == HOLD_READ || what == HOLD_BUFFERED || what == HOLD_FALLOCATE;
}

static __always_inline void next_holder(struct interest *in, __u64 sem, __u32 tid, __u64 at);

/* It has the lock from now on. */
static __always_inline void got(struct op *o, __u64 at)
{
	struct interest *in = interest_of(o->sem);

	o->r.from = at;
	if (in && o->r.lock != LOCK_SHARED) {
		next_holder(in, o->sem, o->owner, at);
		in->tids[0] = o->owner;
	}
}

/* Of what happens often, only files of interest: who comes first may have begun before. */
static __always_inline bool only_of_interest(__u32 what)
{
	return what != HOLD_FALLOCATE && what != HOLD_SETATTR && what != HOLD_IOCTL;
}

/* What a function is called with. Some of it are pointers to a program at a trampoline. */
struct call {
	__u64 inode;
	__u64 stack;
	__u64 pos;
	__u64 len;
	__u32 what;		/* enum hold_op */
	__u32 arg;
};

/* An operation begins. True when its return is wanted. Not static, as describe(). */
__noinline int enter_op(struct call *call)
{
	struct interest *in;
	struct inflight *st;
	struct inode *inode;
	struct op *o;
	struct queued *q;
	__u64 sem, stack;
	__u32 tid = (__u32)bpf_get_current_pid_tgid(), what;

	if (!call)
		return 0;
	inode = (void *)call->inode;
	stack = call->stack;
	what = call->what;
	sem = sem_of(inode);
	in = interest_of(sem);
	st = write_of(tid);
	o = op_slot(tid);
	if (!in || !o || (st && st->sem == sem) || (only_of_interest(what) && in->sem != sem && !in->many))
		return 0;
	if (o->owner == tid && o->stack > stack) {
		if (o->r.op == HOLD_WRITE && what == HOLD_BUFFERED)
			o->r.flags |= HOLDER_WIDE;
		if (o->r.op != what)
			return 0;
		o->depth++;
		return 1;
	}
	/* What a missed return left behind goes. */
	if (o->owner != tid && __sync_val_compare_and_swap(&o->owner, 0, tid)) {
		COUNT(lost_hold, 1);
		return 0;
	}
	__builtin_memset(o, 0, __builtin_offsetof(struct op, owner));
	o->stack = stack;
	o->inode = inode;
	o->task = (void *)bpf_get_current_task();
	o->sem = sem;
	o->moves = in->moves;
	o->r.op = what;
	o->r.arg = call->arg;
	o->r.pos = call->pos;
	o->r.len = call->len;
	o->r.lock = what == HOLD_READ || what == HOLD_SEEK || what == HOLD_FIEMAP ? LOCK_SHARED :
		    what == HOLD_WRITE ? LOCK_UNKNOWN : LOCK_EXCLUSIVE;
	o->r.t0 = bpf_ktime_get_ns();
	if (called_locked(what)) {
		got(o, o->r.t0);
		q = queued_of(tid);
		if (q && q->tid == tid && q->sem == sem && q->end && o->r.t0 - q->end < JUST_NOW) {
			o->r.queued_ns = q->end - q->begin;
			o->r.from = q->end;
			o->r.flags |= HOLDER_QUEUED;
		}
		if (q && q->tid == tid)
			q->sem = 0;
	}
	if (what == HOLD_IOCTL || what == HOLD_FSYNC)
		o->r.flags |= HOLDER_WIDE;
	if (cfg_holders == HOLDERS_ALL)
		identify(&o->r, o->task, inode);
	o->unsent = o->r.t0;
	in->tids[1 + (tid & (MEMBERS - 2))] = tid;
	return 1;
}

static __always_inline bool hold_enter(struct inode *inode, __u64 stack, __u32 what, __u32 arg, __u64 pos, __u64 len)
{
	struct call call = { .inode = (__u64)inode, .stack = stack, .pos = pos, .len = len, .what = what, .arg = arg };

	return enter_op(&call);
}

/* The same where most are of no interest, without a call for those. */
static __always_inline bool hold_hot(struct inode *inode, __u64 stack, __u32 what, __u32 arg, __u64 pos, __u64 len)
{
	return interesting(sem_of(inode)) && hold_enter(inode, stack, what, arg, pos, len);
}

/* Since when it had the lock; 0 when that was not seen, and it must have been. */
static __always_inline __u64 held_from(struct op *o)
{
	return o->r.from || seen_locked(o->r.op) ? o->r.from : o->r.t0;
}

/* It is over. Not static, as describe(). */
__noinline int hold_leave(__u32 what)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct op *o = op_of(tid);
	struct interest *in;
	__u64 t0;

	if (!o || o->r.op != what)
		return 0;
	if (o->depth) {
		o->depth--;
		return 0;
	}
	in = interest_of(o->sem);
	o->r.from = held_from(o);
	if (in && o->r.from &&
	    (cfg_holders == HOLDERS_ALL || in->waiting || in->moves != o->moves)) {
		t0 = o->r.t0;
		if (__sync_val_compare_and_swap(&o->unsent, t0, 0) == t0) {
			if (!o->r.to)
				o->r.to = bpf_ktime_get_ns();
			identify(&o->r, o->task, o->inode);
			send_hold(&o->r);
		}
	}
	o->r.kind = 0;
	__sync_lock_test_and_set(&o->owner, 0);
	return 0;
}

/* Something is done that is done under the lock: the current operation has it. */
static __always_inline void hold_seen(bool mode)
{
	struct op *o = current_op();
	__u8 lock;

	if (!o)
		return;
	if (mode && o->r.op == HOLD_WRITE) {
		/* Once it holds it shared, and again once it does so exclusively. */
		lock = lock_mode(o->inode);
		if (lock != o->r.lock)
			o->r.from = o->r.flags & HOLDER_QUEUED ? o->r.from : 0;
		o->r.lock = lock;
	}
	if (!o->r.from)
		got(o, bpf_ktime_get_ns());
}

static __always_inline bool hold_drain_entry(__u64 inode)
{
	struct op *o = current_op();
	__u32 count;

	if (!o || (__u64)o->inode != inode)
		return 0;
	if (!o->r.from)
		got(o, bpf_ktime_get_ns());
	count = dio_count(o->inode);
	if (!count)
		return 0;
	o->drain_t = bpf_ktime_get_ns();
	if (!o->r.drain_t) {
		o->r.drain_t = o->drain_t;
		o->r.drain_count = count;
	}
	return 1;
}

static __always_inline void hold_drain_return(void)
{
	struct op *o = current_op();

	if (!o || !o->drain_t)
		return;
	o->r.drain_ns += bpf_ktime_get_ns() - o->drain_t;
	o->drain_t = 0;
}

/* ext4_sync_file: a buffered write has let go of the lock and flushes. */
static __always_inline void hold_flush(__u64 inode)
{
	struct op *o = current_op();

	if (o && (__u64)o->inode == inode && o->r.op == HOLD_BUFFERED && !o->r.to)
		o->r.to = bpf_ktime_get_ns();
}

/* The same of a call with an iocb: of what is of no interest neither position nor length is read. */
static __always_inline bool hold_io(struct kiocb *iocb, struct iov_iter *iter, struct inode *inode, __u64 stack, __u32 what)
{
	return interesting(sem_of(inode)) &&
	       hold_enter(inode, stack, what, 0, READ(iocb, ki_pos), READ(iter, count));
}

/* A direct write that is not recorded. */
static __always_inline bool hold_write(struct kiocb *iocb, struct iov_iter *iter, struct inode *inode, __u64 stack)
{
	return hold_io(iocb, iter, inode, stack, HOLD_WRITE);
}

/* ext4_file_read_iter(iocb, iter) */
static __always_inline bool on_hold_read(__u64 iocb_, __u64 iter, __u64 stack)
{
	struct kiocb *iocb = (void *)iocb_;

	if (!(READ(iocb, ki_flags) & IOCB_DIRECT))
		return 0;
	return hold_io(iocb, (void *)iter, READ(READ(iocb, ki_filp), f_inode), stack, HOLD_READ);
}

/* ext4_buffered_write_iter(iocb, iter), of no recorded write */
static __always_inline bool on_hold_buffered(__u64 iocb_, __u64 iter, __u64 stack)
{
	struct kiocb *iocb = (void *)iocb_;

	return hold_io(iocb, (void *)iter, READ(READ(iocb, ki_filp), f_inode), stack, HOLD_BUFFERED);
}

static __always_inline bool on_hold_fallocate(__u64 file, __u64 mode, __u64 pos, __u64 len, __u64 stack)
{
	return hold_enter(READ((struct file *)file, f_inode), stack, HOLD_FALLOCATE, mode, pos, len);
}

static __always_inline bool on_hold_setattr(__u64 dentry, __u64 attr_, __u64 stack)
{
	struct iattr *attr = (void *)attr_;

	return hold_enter(READ((struct dentry *)dentry, d_inode), stack,
			  HOLD_SETATTR, READ(attr, ia_valid), 0, READ(attr, ia_size));
}

static __always_inline bool on_hold_ioctl(__u64 file, __u32 cmd, __u64 stack)
{
	switch (cmd) {
	case EXT4_IOC_SETVERSION:
	case EXT4_IOC_SETVERSION_OLD:
	case EXT4_IOC_MIGRATE:
	case EXT4_IOC_MOVE_EXT:
	case EXT4_IOC_SWAP_BOOT:
	case FS_IOC_SET_ENCRYPTION_POLICY:
	case FS_IOC_ENABLE_VERITY:
		return hold_enter(READ((struct file *)file, f_inode), stack, HOLD_IOCTL, cmd, 0, 0);
	}
	return 0;
}

static __always_inline bool on_hold_seek(__u64 file, __u64 pos, __u32 whence, __u64 stack)
{
	return (whence == SEEK_DATA || whence == SEEK_HOLE) &&
	       hold_hot(READ((struct file *)file, f_inode), stack, HOLD_SEEK, whence, pos, 0);
}

/* ext4_sync_file(file, start, end, datasync): 6.1's takes the lock without a journal. */
static __always_inline bool on_hold_fsync(__u64 file_, __u64 stack)
{
	struct file *file = (void *)file_;
	struct inode *inode = READ(file, f_inode);
	struct ext4_sb_info *sbi = READ(READ(inode, i_sb), s_fs_info);

	hold_flush((__u64)inode);
	if (!sync_locks || READ(sbi, s_journal))
		return 0;
	return hold_hot(inode, stack, HOLD_FSYNC, 0, 0, 0);
}

#define INODE_OF(d) READ((struct dentry *)(d), d_inode)

/* What on_hold() takes of a kprobe. */
#define HOLD_ARGS(name, ctx) __u64 name[] = { ARG1(ctx), ARG2(ctx), ARG3(ctx), ARG4(ctx) }

/* An operation is called with these arguments. True when its return is wanted. */
static __always_inline bool on_hold(__u64 *args, __u64 stack, __u32 what)
{
	switch (what) {
	case HOLD_FALLOCATE:	/* ext4_fallocate(file, mode, offset, len) */
		return on_hold_fallocate(args[0], args[1], args[2], args[3], stack);
	case HOLD_SETATTR:	/* ext4_setattr(idmap, dentry, attr) */
		return on_hold_setattr(args[1], args[2], stack);
	case HOLD_IOCTL:	/* ext4_ioctl(file, cmd, arg) */
		return on_hold_ioctl(args[0], args[1], stack);
	case HOLD_FSYNC:	/* ext4_sync_file(file, start, end, datasync) */
		return on_hold_fsync(args[0], stack);
	case HOLD_SEEK:		/* ext4_llseek(file, offset, whence) */
		return on_hold_seek(args[0], args[1], args[2], stack);
	case HOLD_FIEMAP:	/* ext4_fiemap(inode, info, start, len) */
		return hold_enter((void *)args[0], stack, what, 0, args[2], args[3]);
	case HOLD_XATTR:	/* ext4_xattr_set(inode, name_index, name, value, value_len, flags) */
		return hold_enter((void *)args[0], stack, what, 0, 0, 0);
	case HOLD_FILEATTR:	/* ext4_fileattr_set(idmap, dentry, fa) */
	case HOLD_UNLINK:	/* ext4_unlink(dir, dentry) */
		return hold_hot(INODE_OF(args[1]), stack, what, 0, 0, 0);
	case HOLD_LINK:		/* ext4_link(old, dir, new) */
		return hold_hot(INODE_OF(args[0]), stack, what, 0, 0, 0);
	}
	return 0;
}

#endif
