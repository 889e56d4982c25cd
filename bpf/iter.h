/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * iov_iter_alignment of an iov_iter, whatever it consists of.
 */
#ifndef E4D_ITER_H
#define E4D_ITER_H

#include "state.h"

#define MAX_SEGS 1024

struct walk {
	const void *vec;
	__u64 skip;
	__u64 left;
	__u64 align;
	__u32 failed;
	__u32 pad;
};

/* Adds one segment; true when all bytes that are left have been seen. */
static __always_inline long walk_one(struct walk *w, __u64 base, __u64 len)
{
	base += w->skip;
	len -= w->skip;
	w->skip = 0;
	if (len > w->left)
		len = w->left;
	if (len)
		w->align |= base | len;
	w->left -= len;
	return w->left == 0;
}

/* struct iovec and struct kvec, struct bio_vec: fixed since 2.6, read whole. */
struct raw_iovec {
	__u64 base, len;
};

struct raw_bvec {
	__u64 page;
	__u32 len, offset;
};

static long walk_iovec(__u32 i, struct walk *w)
{
	struct raw_iovec v = {};

	if (bpf_probe_read_kernel(&v, sizeof(v), (const struct raw_iovec *)w->vec + i)) {
		w->failed = 1;
		return 1;
	}
	return walk_one(w, v.base, v.len);
}

static long walk_bvec(__u32 i, struct walk *w)
{
	struct raw_bvec v = {};

	if (bpf_probe_read_kernel(&v, sizeof(v), (const struct raw_bvec *)w->vec + i)) {
		w->failed = 1;
		return 1;
	}
	return walk_one(w, v.offset, v.len);
}

/* The same as iter_align() for an iov_iter of one segment, without a loop. */
static __always_inline bool single_align(struct iov_iter *it, __u32 *align)
{
	__u8 type = READ(it, iter_type);
	__u64 count = READ(it, count), offset = READ(it, iov_offset), base;
	const struct raw_iovec *iov;

	if (type == enum_value(enum iter_type, ITER_UBUF)) {
		base = (__u64)READ(it, ubuf);
	} else {
		if (type != enum_value(enum iter_type, ITER_IOVEC) || READ(it, nr_segs) != 1)
			return 0;
		if (field_exists(it->__iov))
			iov = (const void *)READ(it, __iov);
		else
			iov = (const void *)READ(it, iov);
		if (bpf_probe_read_kernel(&base, sizeof(base), &iov->base))
			return 0;
	}
	*align = (__u32)((base + offset) | count);
	return 1;
}

/* The first bytes of an iov_iter: of all kernels, all of it. */
struct iter_now {
	__u64 raw[5];
};

/*
 * What iov_iter_alignment() (lib/iov_iter.c) would return: the OR of segment
 * addresses and lengths over the bytes that are left. Returns false when there
 * are more segments than we walk, or one cannot be read.
 */
static __always_inline bool iter_align(struct iov_iter *it, const struct iter_now *now, __u32 *align)
{
	__u8 type = SEEN(now->raw, it, iter_type);
	__u64 count = SEEN(now->raw, it, count);
	__u64 offset = SEEN(now->raw, it, iov_offset);
	struct walk w = { .left = count, .skip = offset };
	__u64 segs;

	if (count == 0) {
		*align = 0;
		return 1;
	}
	if (type == enum_value(enum iter_type, ITER_UBUF)) {
		*align = (__u32)(((__u64)SEEN(now->raw, it, ubuf) + offset) | count);
		return 1;
	}
	segs = SEEN(now->raw, it, nr_segs);
	if (segs > MAX_SEGS)
		return 0;
	if (type == enum_value(enum iter_type, ITER_BVEC)) {
		w.vec = SEEN(now->raw, it, bvec);
		bpf_loop((__u32)segs, walk_bvec, &w, 0);
	} else if (type == enum_value(enum iter_type, ITER_IOVEC) ||
		   type == enum_value(enum iter_type, ITER_KVEC)) {
		if (field_exists(it->__iov))
			w.vec = SEEN(now->raw, it, __iov);
		else
			w.vec = SEEN(now->raw, it, iov);
		bpf_loop((__u32)segs, walk_iovec, &w, 0);
	} else {
		*align = (__u32)(offset | count);
		return 1;
	}
	if (w.failed || w.left)
		return 0;
	*align = (__u32)w.align;
	return 1;
}

#endif
