/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The name of the file that is written to, by the dentry through which it was opened:
 * only here and now is it certain that the name is that of this file.
 *
 * A name has a number, made of all its parts, so that the same name has the same number
 * whenever it is looked at, and no other name of the file has it. What was sent is
 * remembered by dentry. As long as the dentry is as it was then, and nothing in the
 * system was renamed since, a write takes the number from there.
 */
#ifndef E4D_NAMES_H
#define E4D_NAMES_H

#include "complete.h"
#include "dentry.h"

const volatile __u64 sym_rename_lock = 0;	/* 0 where not known */
const volatile __u64 cfg_name_seed = 0;		/* so that no number tells an address */

#define NAME_SETS	1024	/* a power of two */
#define NAME_WAYS	4
#define MAX_PARTS	24
#define MAX_PART	255	/* bytes: NAME_MAX */

#define GOLDEN		0x9e3779b97f4a7c15ULL

/*
 * What was sent. Several CPUs write and read it without a lock: "check" fits to "told"
 * and to what the dentry is like, or it is none of them.
 */
struct known_name {
	__u64 check;
	__u64 told;		/* low half the number of the name, high half renames() then */
};

struct name_set {		/* a cache line */
	struct known_name way[NAME_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NAME_SETS);
	__type(key, __u32);
	__type(value, struct name_set);
} known_names SEC(".maps");

/* Where a name is put together: the kernel runs no program twice at once on a CPU. */
struct name_buf {
	struct name_rec r;
	__u8 path[E4D_MAX_PATH + MAX_PART + 1];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct name_buf);
} name_bufs SEC(".maps");

static __always_inline __u64 mix(__u64 hash, __u64 with)
{
	hash = (hash ^ with) * GOLDEN;
	return hash ^ hash >> 29;
}

/*
 * What changes with every rename in the system: the sequence of rename_lock, which
 * d_move() takes (fs/dcache.c). Where it is not known names are looked at again after an
 * eighth of a second.
 */
static __always_inline __u32 renames(__u64 now)
{
	if (!sym_rename_lock)
		return now >> 27;
	return READ((struct seqcount *)sym_rename_lock, sequence);
}

/* A name of which so much is put together. */
struct naming {
	struct dentry *d;	/* the next part */
	struct dentry *root;
	__u64 hash;
	__u32 len;
	__u32 pad;
};

enum { NAME_GOES_ON = 0, NAME_ENDS = 1, NAME_NONE = 2 };

/*
 * One part more. Not static, as describe(). The length comes last: 6.1 forgets its bounds
 * when it is put aside.
 */
__noinline int read_part(struct name_buf *b, struct naming *n)
{
	struct dentry *d, *parent;
	__u32 seq, size, len;
	const void *text;
	__u64 hash_len;

	if (!b || !n)
		return NAME_NONE;
	d = n->d;
	parent = READ(d, d_parent);
	seq = READ(d, d_seq.seqcount.sequence);
	hash_len = READ(d, d_name.hash_len);
	text = READ(d, d_name.name);
	if (d == n->root) {
		b->r.flags &= ~NAME_CUT;
		return NAME_ENDS;
	}
	size = hash_len >> 32;
	len = n->len;
	if (d == parent || size > MAX_PART || len + size >= E4D_MAX_PATH)
		return NAME_ENDS;
	size &= MAX_PART;
	if (len >= E4D_MAX_PATH || bpf_probe_read_kernel(&b->path[len], size, text))
		return NAME_NONE;
	len += size;
	if (len >= E4D_MAX_PATH)
		return NAME_NONE;
	b->path[len] = '/';
	if (seq & 1 || READ(d, d_seq.seqcount.sequence) != seq)
		return NAME_NONE;
	n->len = len + 1;
	n->hash = mix(n->hash, hash_len);
	n->d = parent;
	return NAME_GOES_ON;
}

/*
 * Puts the path together and returns the number of the name, 0 when it is none: a file
 * that was opened by its handle may have no name yet, and a part may be changing just now.
 */
static __always_inline __u32 read_name(struct name_buf *b, struct dentry *d, struct dentry *root)
{
	struct naming n = { .d = d, .root = root, .hash = cfg_name_seed ^ b->r.flags };
	__u32 name;

	b->r.flags |= NAME_CUT;
	for (int i = 0; i < MAX_PARTS; i++) {
		int end = read_part(b, &n);

		if (end == NAME_NONE)
			return 0;
		if (end)
			break;
	}
	b->r.len = n.len;
	name = mix(n.hash, n.len) >> 32;
	return !n.len ? 0 : name ? name : 1;
}

/*
 * While the ring is more than half full names wait, each for the next write to its file,
 * so that they never take the place of writes.
 */
static __always_inline bool send_name(struct name_buf *b)
{
	__u32 size = sizeof(b->r) + b->r.len;

	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 2)
		return 0;
	b->r.size = size;
	if (emit(b, size, sizeof(*b)))
		return 0;
	COUNT(bytes, size);
	return 1;
}

/*
 * Names a write whose name is not remembered, or was before something was renamed.
 * Not static, as describe().
 */
__noinline int tell_name(struct inflight *st, __u64 dentry, __u64 sig, __u64 deleted)
{
	__u32 i = sig & (NAME_SETS - 1), zero = 0, name;
	struct name_set *set = bpf_map_lookup_elem(&known_names, &i);
	struct name_buf *b = bpf_map_lookup_elem(&name_bufs, &zero);
	struct known_name *k;
	__u64 told;

	if (!st || !set || !b)
		return 0;
	told = (__u64)renames(st->w.t0) << 32; /* before the name is read */
	__builtin_memset(&b->r, 0, sizeof(b->r));
	b->r.kind = REC_NAME;
	b->r.ino = st->w.ino;
	b->r.dev = st->w.dev;
	b->r.generation = st->w.generation;
	b->r.t = st->w.t0;
	if (deleted)
		b->r.flags = NAME_DELETED;
	name = read_name(b, (void *)dentry, READ(READ(st->inode, i_sb), s_root));
	st->w.name = name;
	if (!name)
		return 0;
	b->r.name = name;
	told |= name;
	k = &set->way[st->w.t0 >> 4 & (NAME_WAYS - 1)];
	for (int w = 0; w < NAME_WAYS; w++) {
		struct known_name *old = &set->way[w];

		if ((old->check ^ old->told * GOLDEN) == sig) {
			k = old;
			break;
		}
	}
	if (((k->check ^ k->told * GOLDEN) != sig || (__u32)k->told != name) && !send_name(b))
		return 0;
	k->told = told;
	k->check = sig ^ told * GOLDEN;
	return 0;
}

/*
 * Sets the name of the file that st writes to. The hash of a dentry's name is salted
 * with its parent (link_path_walk), so that it changes with either.
 */
static __always_inline void name_file(struct inflight *st, struct file *file)
{
	struct dentry_now seen;
	struct dentry *d = dentry_of(file, st->inode, &seen);
	struct name_set *set;
	__u64 sig, deleted;
	__u32 i, now;

	if (!d)
		return;
	deleted = !seen.pprev;
	sig = mix((__u64)d ^ deleted, seen.hash_len);
	sig = mix(sig, (__u64)st->w.generation << 32 ^ st->w.ino);
	i = sig & (NAME_SETS - 1);
	set = bpf_map_lookup_elem(&known_names, &i);
	if (!set)
		return;
	now = renames(st->w.t0);
	for (int w = 0; w < NAME_WAYS; w++) {
		__u64 told = set->way[w].told;

		if ((set->way[w].check ^ told * GOLDEN) == sig && (__u32)(told >> 32) == now) {
			st->w.name = (__u32)told;
			return;
		}
	}
	tell_name(st, (__u64)d, sig, deleted);
}

#endif
