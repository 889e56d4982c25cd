/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Blocks: the lookups of the lock decision, and the mappings of ext4_iomap_begin
 * with the lookup and the allocation inside.
 */
#ifndef E4D_MAPPING_H
#define E4D_MAPPING_H

#include "checks.h"

/*
 * Returns true when the return of this call is wanted, too. In the iomap phase that
 * is the lookup of a NOWAIT write only: what another one finds is the mapping that
 * ext4_iomap_begin returns, or the allocation that follows.
 */
static __always_inline bool on_map_entry(__u64 inode, __u64 map_, __u32 flags)
{
	struct inflight *st = current_write();
	struct ext4_map_blocks *map = (void *)map_;

	if (!st || (__u64)st->inode != inode || st->phase == PHASE_BUFFERED)
		return 0;
	if (st->open)
		settle(st);
	if (st->map)
		st->w.stages |= ST_BROKEN;
	st->map = NULL;
	if (st->phase == PHASE_DIO) {
		if (!st->begins)
			return 0;
		if (flags & EXT4_GET_BLOCKS_CREATE) {
			st->begin_alloc = flags;
			return 0;
		}
		if (!(st->w.ki_flags & IOCB_NOWAIT))
			return 0;
	}
	st->map = map;
	st->map_flags = flags;
	if (st->phase == PHASE_DIO)
		return 1;
	st->map_lblk = READ(map, m_lblk);
	st->map_len = READ(map, m_len);
	return 1;
}

static __always_inline void on_map_return(__u64 ret)
{
	struct inflight *st = current_write();
	struct step *s;

	if (!st || !st->map)
		return;
	if (st->phase == PHASE_DIO) {
		st->begin_looked = 1;
		st->begin_flags = st->map_flags;
		st->begin_ret = (__s32)ret;
		st->map = NULL;
		return;
	}
	st->w.stages |= ST_LOOKUP;
	s = push(st, STEP_LOOKUP);
	if (s) {
		s->a = (__u32)ret | (__u64)READ(st->map, m_flags) << 32;
		s->b = READ(st->map, m_len) | (__u64)st->map_flags << 32;
		s->c = st->map_lblk;
		s->d = st->map_len;
	}
	st->map = NULL;
}

/* Returns true when the return of this call is wanted, too. */
static __always_inline bool on_begin_entry(__u64 inode, __u64 iomap, bool overwrite)
{
	struct inflight *st = current_write();

	if (!st || (__u64)st->inode != inode || st->phase != PHASE_DIO)
		return 0;
	/* 6.1's ext4_iomap_overwrite_begin calls ext4_iomap_begin. */
	if (st->begins++)
		return 1;
	st->iomap = (void *)iomap;
	st->begin_alloc = 0;
	st->begin_looked = 0;
	st->begin_overwrite = overwrite;
	return 1;
}

/*
 * The lookup into the high halves of a and b, which so hold blocks: ext4 maps
 * whole blocks and numbers them with 32 bits.
 */
static __always_inline void pack_lookup(struct step *s, const struct inflight *st)
{
	if (!(s->aux & MAP_FAILED)) {
		s->a >>= st->w.blkbits;
		s->b >>= st->w.blkbits;
	}
	s->aux |= MAP_LOOKUP;
	s->a = (__u32)s->a | (__u64)st->begin_flags << 32;
	s->b = (__u32)s->b | (__u64)(__u32)st->begin_ret << 32;
}

/*
 * The tracepoint iomap_iter_dstmap would tell the mapping for less, but a program
 * there is skipped while another task of the CPU is preempted inside it.
 */
static __always_inline void on_begin_return(__u64 ret)
{
	struct inflight *st = current_write();
	struct step *s;

	if (!st || !st->begins || --st->begins)
		return;
	st->w.stages |= ST_BEGIN;
	s = push(st, STEP_MAP);
	if (!s)
		return;
	s->d = st->begin_alloc;
	if (st->begin_overwrite)
		s->aux |= MAP_OVERWRITE;
	if ((__s32)ret < 0) {
		s->aux |= MAP_FAILED;
		s->a = (__s64)(__s32)ret;
	} else {
		s->a = READ(st->iomap, offset);
		s->b = READ(st->iomap, length);
		s->c = READ(st->iomap, type) | (__u32)READ(st->iomap, flags) << 16;
	}
	if (st->begin_looked)
		pack_lookup(s, st);
}

#endif
