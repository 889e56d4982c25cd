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
	if (cfg_budget)
		budget_enter((__u64)st->iocb, st->w.id, BUDGET_LOOKUP);
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
	if (cfg_budget)
		budget_leave((__u64)st->iocb, st->w.id, BUDGET_LOOKUP);
	st->w.stages |= ST_LOOKUP;
	s = push_check(st, STEP_LOOKUP);
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
	if (cfg_budget)
		budget_enter((__u64)st->iocb, st->w.id, BUDGET_ALLOC);
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
 * A write may have any number of mappings. The first ones and the last one are kept one
 * by one, as the zeroing of its ends depends on them. The others are summed up by all
 * that is judged of a mapping: its type and flags, those of the allocation and of the
 * lookup inside, whether the lookup found blocks, and whether it lies behind i_size. That
 * each begins where the one before it ended is looked at here.
 *
 * At AT_LAST_MAP is the last mapping, which moves into its class when another one comes.
 * There it holds its length in b and the flags of its lookup in the high half of a, as the
 * class does. One that fits no class becomes a step of its own.
 */
static __always_inline void note_map(struct inflight *st, struct step *s)
{
	if (s->a >= st->isize)
		s->aux |= MAP_BEYOND;
	if (s->a != st->map_end)
		s->aux |= MAP_GAP;
}

/* Takes up the last mapping among those that are summed up. Not static, as describe(). */
__noinline int sum_map(struct inflight *st)
{
	struct step *m, *c;
	__u64 bytes, flags = 0;
	__u16 aux;

	if (!st)
		return 0;
	m = &st->steps[AT_LAST_MAP];
	aux = m->aux & ~MAP_GAP;
	bytes = m->b;
	if (aux & MAP_LOOKUP) {
		flags = m->a >> 32;
		if ((__s32)(m->b >> 32) > 0)
			aux |= MAP_FOUND;
		bytes = (__u64)(__u32)m->b << (st->w.blkbits & 63);
	}
	for (__u32 i = 0; i < E4D_MAX_CLASSES && !(aux & MAP_FAILED); i++) {
		c = &st->steps[AT_CLASSES + i];
		if (i == st->classes) {
			st->classes = i + 1;
			c->kind = STEP_MAPS;
			c->lock = LOCK_UNKNOWN;
			c->aux = aux;
			c->a = flags << 32;
			c->b = 0;
			c->c = m->c;
			c->d = m->d;
		} else if (c->c != m->c || c->d != m->d || (c->aux & ~MAP_GAP) != aux || c->a >> 32 != flags) {
			continue;
		}
		c->aux |= m->aux & MAP_GAP;
		c->a++;
		c->b += bytes;
		c->t_us = m->t_us;
		return 0;
	}
	c = push(st, STEP_MAP, ROOM_ODD, CUT_MAPS);
	if (c) {
		*c = *m;
		c->aux &= ~(MAP_BEYOND | MAP_GAP);
	}
	return 0;
}

/* Where the next mapping is noted. */
static __always_inline struct step *next_map(struct inflight *st)
{
	struct step *s;

	if (st->maps < E4D_MAX_MAPS) {
		if (st->w.nsteps < ROOM_MAPS || !st->maps) {
			st->maps++;
			return push(st, STEP_MAP, ROOM_ODD, CUT_MAPS);
		}
		st->maps = E4D_MAX_MAPS;
	}
	if (st->maps++ > E4D_MAX_MAPS)
		sum_map(st);
	s = &st->steps[AT_LAST_MAP];
	s->kind = STEP_MAP;
	s->lock = LOCK_UNKNOWN;
	s->aux = 0;
	s->t_us = micros(st, bpf_ktime_get_ns());
	s->a = 0;
	s->b = 0;
	return s;
}

/* Moves a step from the end of the room up to the others. It may be there already. */
static __always_inline struct step *move_up(struct inflight *st, __u32 from)
{
	struct step m = st->steps[from], *s = push(st, m.kind, E4D_MAX_STEPS, CUT_MAPS);

	if (s)
		*s = m;
	return s;
}

/* Appends what is summed up to the record of a write that is over. Not static, as describe(). */
__noinline int append_sums(struct inflight *st)
{
	struct step *s;

	if (!st)
		return 0;
	if (st->summed_sleeps) {
		s = push(st, STEP_SLEEPS, E4D_MAX_STEPS, 0);
		if (s) {
			s->a = st->slept_ns;
			s->b = st->slept;
			s->c = st->summed_sleeps;
		}
	}
	if (st->maps <= E4D_MAX_MAPS)
		return 0;
	for (__u32 i = 0; i < E4D_MAX_CLASSES && i < st->classes; i++)
		move_up(st, AT_CLASSES + i);
	s = move_up(st, AT_LAST_MAP);
	if (s)
		s->aux &= ~(MAP_BEYOND | MAP_GAP);
	return 0;
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
	if (cfg_budget)
		budget_leave((__u64)st->iocb, st->w.id, BUDGET_ALLOC);
	st->w.stages |= ST_BEGIN;
	s = next_map(st);
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
		if (st->maps > E4D_MAX_MAPS)
			note_map(st, s);
		st->map_end = s->a + s->b;
	}
	if (st->begin_looked)
		pack_lookup(s, st);
}

#endif
