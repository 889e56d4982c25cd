/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Direct writes that fall back to buffered I/O.
 */
#ifndef E4D_BUFFERED_H
#define E4D_BUFFERED_H

#include "budget.h"
#include "checks.h"
#include "hold.h"

/* What ext4_should_use_dio looked at, once it has said no. */
static __always_inline __u16 refusal(struct inode *inode)
{
	struct ext4_inode_info *ei = (void *)inode - field_offset(((struct ext4_inode_info *)0)->vfs_inode);
	struct super_block *sb = READ(inode, i_sb);
	struct ext4_sb_info *sbi = READ(sb, s_fs_info);
	unsigned long eflags = READ(ei, i_flags);
	unsigned int mount = READ(sbi, s_mount_opt);
	__u16 out = BUF_FACTS;

	if (READ(inode, i_flags) & S_ENCRYPTED)
		out |= PASS_ENCRYPTED;
	if ((eflags & EXT4_INLINE_DATA_FL) && READ(ei, i_inline_off))
		out |= PASS_INLINE;
	if (eflags & EXT4_JOURNAL_DATA_FL)
		out |= PASS_JOURNAL;
	if ((mount & EXT4_MOUNT_DATA_FLAGS) == EXT4_MOUNT_JOURNAL_DATA)
		out |= BUF_DATA_JOURNAL;
	if (mount & EXT4_MOUNT_DELALLOC)
		out |= BUF_DELALLOC;
	if (READ(sbi, s_journal))
		out |= BUF_JOURNAL;
	return out;
}

/* Returns true for a holder whose return is wanted. */
static __always_inline bool on_buffered(__u64 iocb, __u64 iter, __u64 stack)
{
	struct inflight *st = current_write();
	struct step *s;

	if (!st || (__u64)st->iocb != iocb)
		return on_hold_buffered(iocb, iter, stack);
	if (st->open)
		settle(st);
	if (cfg_budget)
		budget_next(iocb, st->w.id, BUDGET_BUFFERED);
	st->phase = PHASE_BUFFERED;
	st->w.stages |= ST_BUFFERED;
	s = push(st, STEP_BUFFERED, ROOM_BUFFERED, CUT_BUFFERED);
	if (!s)
		return 0;
	s->a = READ(st->iocb, ki_pos);
	s->c = READ((struct iov_iter *)iter, count);
	s->d = dio_count(st->inode);
	if (!st->w.passes) {
		s->aux = refusal(st->inode);
		/* Nothing has touched it since the entry. */
		if (st->align_known) {
			s->aux |= PASS_ALIGN;
			s->b = st->align & 0x1ffff;
		}
	}
	return 0;
}

static __always_inline void on_copy(__u64 iocb, __u64 iter)
{
	struct inflight *st = current_write();
	struct step *s;

	if (!st || (__u64)st->iocb != iocb || st->phase != PHASE_BUFFERED)
		return;
	st->w.stages |= ST_COPY;
	s = push(st, STEP_COPY, ROOM_BUFFERED, CUT_BUFFERED);
	if (!s)
		return;
	s->a = READ(st->iocb, ki_pos);
	s->c = READ((struct iov_iter *)iter, count);
	s->d = dio_count(st->inode);
	s->lock = lock_mode(st->inode);
}

#endif
