/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A sample of the writes, by request: all tries of one have the inode, the position and the
 * length in common, but for the position of O_APPEND (decode/request), and so the same fate.
 * record/sample.go does the same sum.
 */
#ifndef E4D_SAMPLE_H
#define E4D_SAMPLE_H

#include "state.h"

/* Of 2^32 requests that many are taken; 0: all. */
const volatile __u64 cfg_sample = 0;
const volatile __u64 cfg_sample_seed = 0;

static __always_inline bool sampled(struct cpu_state *cpu, struct kiocb *iocb, struct iov_iter *iter,
				    struct inode *inode, __u32 flags)
{
	__u64 sum = cfg_sample_seed ^ READ(inode, i_ino);

	sum *= 0x9e3779b97f4a7c15ULL;
	sum ^= sum >> 29;
	if (!(flags & IOCB_APPEND))
		sum += READ(iocb, ki_pos);
	sum *= 0xbf58476d1ce4e5b9ULL;
	sum ^= sum >> 32;
	sum += READ(iter, count);
	sum *= 0x94d049bb133111ebULL;
	if (sum >> 32 < cfg_sample)
		return 1;
	__sync_fetch_and_add(&cpu->n.not_sample, 1);
	return 0;
}

#endif
