/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which writes are traced. A write that a filter refuses is counted by that filter,
 * so that whoever sees nothing learns why.
 */
#ifndef E4D_WANTED_H
#define E4D_WANTED_H

#include "dentry.h"
#include "state.h"

/* The number of a task in the tracer's pid namespace, PID_HIDDEN when it has none there. */
static __always_inline __u32 number_of(struct task_struct *task)
{
	struct pid *pid = READ(task, thread_pid);
	struct upid *at;

	/* A task that ended has no struct pid: all that is read is 0. */
	if (!pid || READ(pid, level) < cfg_ns_level)
		return PID_HIDDEN;
	at = (void *)pid + field_offset(((struct pid *)0)->numbers) + cfg_ns_level * sizeof(*at);
	if ((__u64)READ(at, ns) != cfg_ns)
		return PID_HIDDEN;
	return READ(at, nr);
}

/* The number of a task's process, as the tracer sees it. */
static __always_inline __u32 process(struct task_struct *task)
{
	return cfg_ns_level ? number_of(READ(task, group_leader)) : READ(task, tgid);
}

/* How many folders up a file is looked for; one that lies deeper is taken. */
#define MAX_PARENTS 128

/* Whether a dentry lies below one of the folders. Not static, as describe(). */
__noinline int below(__u64 dentry, __u32 dev)
{
	struct dentry *d = (void *)dentry, *parent;

	for (int up = 0; up < MAX_PARENTS; up++) {
		__u64 ino;

		parent = READ(d, d_parent);
		if (!parent || parent == d)
			return 0;
		d = parent;
		ino = READ(READ(d, d_inode), i_ino);
		for (int i = 0; i < MAX_FOLDERS; i++)
			if (i < cfg_folders && folders[i].ino == ino && folders[i].dev == dev)
				return 1;
	}
	return 1;
}

static __always_inline bool in_folders(struct kiocb *iocb, struct inode *inode)
{
	struct dentry_now now;

	return below((__u64)dentry_of(READ(iocb, ki_filp), inode, &now), READ(READ(inode, i_sb), s_dev));
}

static __always_inline bool named(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 words[2] = {};
	__u8 *comm = (void *)words;

	read_comm(task, READ(task, flags), comm);
	for (int i = 0; i < 16; i++) {
		if (comm[i] != cfg_comm[i])
			return 0;
		if (!comm[i])
			break;
	}
	return 1;
}

#define REFUSE(by) do {							\
		__sync_fetch_and_add(&cpu->n.by, 1);			\
		return 0;						\
	} while (0)

#define REFUSE_FILE(by) do {						\
		if (cfg_by_path)					\
			REFUSE(not_path);				\
		REFUSE(by);						\
	} while (0)

/*
 * pid is the tgid of the current task. The command tree comes last: what it refuses, others
 * wrote to what is traced.
 */
static __always_inline bool wanted(struct cpu_state *cpu, struct kiocb *iocb, struct inode *inode, __u32 pid)
{
	if (cfg_ns_level && (cfg_pid || cfg_exclude_pid || cfg_tree))
		pid = process((void *)bpf_get_current_task());
	if (cfg_exclude_pid && pid == cfg_exclude_pid)
		return 0;
	if (cfg_pid && pid != cfg_pid)
		REFUSE(not_pid);
	if (cfg_dev && READ(READ(inode, i_sb), s_dev) != cfg_dev)
		REFUSE_FILE(not_dev);
	if (cfg_ino && READ(inode, i_ino) != cfg_ino)
		REFUSE_FILE(not_ino);
	if (cfg_this_gen && READ(inode, i_generation) != cfg_gen)
		REFUSE_FILE(not_ino);
	if (cfg_folders && !in_folders(iocb, inode))
		REFUSE(not_path);
	if (cfg_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1)
		REFUSE(not_cgroup);
	if (cfg_comm[0] && !named())
		REFUSE(not_comm);
	if (cfg_tree && !bpf_map_lookup_elem(&tree, &pid))
		REFUSE(not_tree);
	return 1;
}

#endif
