/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The dentry through which a file was opened: where the file lies, and what it is called.
 */
#ifndef E4D_DENTRY_H
#define E4D_DENTRY_H

#include "kernel.h"

/* What tells whether a dentry is as it was. */
struct dentry_now {
	__u64 inode;
	__u64 hash_len;
	__u64 pprev;		/* 0: unhashed */
};

static __always_inline void look_at(struct dentry *d, struct dentry_now *now)
{
	__u64 raw[8];

	LOOK(raw, d);
	now->inode = (__u64)SEEN(raw, d, d_inode);
	now->hash_len = SEEN(raw, d, d_name.hash_len);
	now->pprev = (__u64)SEEN(raw, d, d_hash.pprev);
}

/* Any dentry of an inode. */
static __always_inline struct dentry *alias_of(struct inode *inode)
{
	__u64 alias = (__u64)READ(inode, i_dentry.first);

	if (!alias)
		return NULL;
	if (field_exists(((struct dentry *)0)->d_u.d_alias))
		return (void *)(alias - field_offset(((struct dentry *)0)->d_u.d_alias));
	if (field_exists(((struct dentry *)0)->d_alias))
		return (void *)(alias - field_offset(((struct dentry *)0)->d_alias));
	return NULL;
}

/*
 * The dentry of an open file, in the file system of its inode. Before def3ae83da02 ("fs:
 * store real path instead of fake path in backing file f_path") the file that overlayfs
 * opens has the path of the overlay; then it is one of the inode's own.
 */
static __always_inline struct dentry *dentry_of(struct file *file, struct inode *inode, struct dentry_now *now)
{
	struct dentry *d = READ(file, f_path.dentry);

	look_at(d, now);
	if (field_exists(((struct backing_file *)0)->user_path) || now->inode == (__u64)inode)
		return d;
	d = alias_of(inode);
	if (d)
		look_at(d, now);
	return d;
}

#endif
