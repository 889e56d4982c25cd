/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The passes of the checks: what the lock decision was made from.
 */
#ifndef E4D_CHECKS_H
#define E4D_CHECKS_H

#include "hold.h"
#include "budget.h"
#include "iter.h"

/*
 * The alignment of what the checks have left of the iov_iter; nothing has been taken
 * from it yet. Not static, so that the verifier looks at it once.
 */
__noinline int realign(struct inflight *st)
{
	struct step *s;
	__u32 align;

	if (!st || !single_align(st->iter, &align))
		return 0;
	s = push_check(st, STEP_ALIGN);
	if (!s)
		return 0;
	s->aux = ALIGN_CUT;
	s->d = align & 0x1ffff;
	if (st->align_known) {
		s->aux |= ALIGN_ENTRY;
		s->c = st->align & 0x1ffff;
		st->w.stages |= ST_ALIGN;
	}
	return 0;
}

/*
 * The outcome of ext4_generic_write_checks: the position and the number of bytes as
 * they are when the write goes on to anything else that we see. A return probe would
 * cost more than all else that is done in a pass.
 */
static __always_inline void settle(struct inflight *st)
{
	__u32 i = st->open - 1;
	struct step *s;

	st->open = 0;
	if (i >= E4D_MAX_STEPS)
		return;
	s = &st->steps[i];
	s->a = st->pos = READ(st->iocb, ki_pos);
	s->c = READ(st->iter, count);
	/* Of the same bytes as at the entry it is the same. */
	if (s->c == st->w.len0)
		return;
	s->aux &= ~PASS_ALIGN;
	s->d = 0;
	if (st->cut)
		return;
	st->cut = 1;
	st->w.stages &= ~ST_ALIGN;
	realign(st);
}

/* ext4_generic_write_checks is entered: i_rwsem is held, the sizes are final. */
static __always_inline void on_pass(void)
{
	struct inflight *st = current_write();
	struct ext4_inode_info *ei;
	struct step *s;
	__u32 iflags;
	__u64 eflags;
	__s64 disksize;

	if (!st) {
		hold_seen(1);
		return;
	}
	if (st->phase != PHASE_CHECK)
		return;
	if (cfg_budget)
		budget_pass((__u64)st->iocb, st->w.id);
	if (st->open)
		settle(st);
	st->w.stages |= ST_PASS;
	if (st->w.passes != 255)
		st->w.passes++;
	s = push_check(st, STEP_PASS);
	if (!s)
		return;
	st->open = st->w.nsteps;
	ei = (void *)st->inode - field_offset(((struct ext4_inode_info *)0)->vfs_inode);
	iflags = READ(st->inode, i_flags);
	eflags = READ(ei, i_flags);
	disksize = READ(ei, i_disksize);
	s->lock = lock_mode(st->inode);
	if (s->lock == LOCK_UNKNOWN)
		st->w.stages &= ~ST_LOCK;
	s->b = st->isize = READ(st->inode, i_size);
	if (iflags & S_NOSEC)
		s->aux |= PASS_NOSEC;
	if (iflags & S_ENCRYPTED)
		s->aux |= PASS_ENCRYPTED;
	if (iflags & S_DAX)
		s->aux |= PASS_DAX;
	if (eflags & EXT4_EXTENTS_FL)
		s->aux |= PASS_EXTENTS;
	if (eflags & EXT4_INLINE_DATA_FL)
		s->aux |= PASS_INLINE;
	if (eflags & EXT4_JOURNAL_DATA_FL)
		s->aux |= PASS_JOURNAL;
	if (st->align_known) {
		s->aux |= PASS_ALIGN;
		s->d = st->align & 0x1ffff;
	}
	if (disksize != (__s64)s->b) {
		struct step *d;

		s->aux |= PASS_DISKSIZE;
		d = push_check(st, STEP_DISKSIZE);
		if (d)
			d->a = disksize;
	}
}

/*
 * The write returns with nothing seen after the checks: an error is theirs, but
 * for -EAGAIN, which they never return: a NOWAIT write would have had to wait.
 */
static __always_inline void settle_last(struct inflight *st, __s32 ret)
{
	__u32 i = st->open - 1;

	if (ret > 0 || ret == -EAGAIN || ret == -EIOCBQUEUED) {
		settle(st);
		return;
	}
	st->open = 0;
	if (i < E4D_MAX_STEPS) {
		st->steps[i].a = READ(st->iocb, ki_pos);
		st->steps[i].c = ret;
	}
}

#endif
