/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Holders of i_rwsem that make no recorded write.
 */
#ifndef E4D_HOLD_H
#define E4D_HOLD_H

#include "state.h"

/* Where a record is put together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hold_rec);
} hold_bufs SEC(".maps");

#endif
