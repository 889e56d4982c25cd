/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The fields of kernel structs that we read, and nothing else. Offsets come
 * from the running kernel's BTF (CO-RE), so order and neighbours do not matter
 * here. A member that only some kernels have is used behind field_exists().
 */
#ifndef E4D_KERNEL_H
#define E4D_KERNEL_H

#include "helpers.h"

typedef struct { int counter; } atomic_t;
typedef struct { __s64 counter; } atomic_long_t;

struct rt_mutex_base {
	struct task_struct *owner;	/* bit 0: others wait */
} CORE;

/* PREEMPT_RT: rw_semaphore is built on this. */
struct rwbase_rt {
	atomic_t readers;
	struct rt_mutex_base rtmutex;
} CORE;

struct rw_semaphore {
	atomic_long_t count;		/* not on PREEMPT_RT */
	atomic_long_t owner;		/* not on PREEMPT_RT */
	struct rwbase_rt rwbase;	/* PREEMPT_RT only */
} CORE;

struct super_block {
	__u32 s_dev;
	void *s_fs_info;
	struct dentry *s_root;
} CORE;

struct hlist_node {
	struct hlist_node *next;
} CORE;

struct hlist_head {
	struct hlist_node *first;
} CORE;

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
} CORE;

struct qstr {
	__u64 hash_len;			/* length in the high half */
	const unsigned char *name;
} CORE;

struct seqcount {
	unsigned int sequence;
} CORE;

struct seqcount_spinlock {
	struct seqcount seqcount;
} CORE;

struct dentry {
	struct seqcount_spinlock d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	union {
		struct hlist_node d_alias;
	} d_u;				/* until 7.0 */
	struct hlist_node d_alias;	/* since */
} CORE;

struct inode {
	unsigned int i_flags;
	struct super_block *i_sb;
	unsigned long i_ino;
	__u32 i_generation;
	struct hlist_head i_dentry;
	__s64 i_size;
	__u8 i_blkbits;
	struct rw_semaphore i_rwsem;
	atomic_t i_dio_count;
} CORE;

struct path {
	struct dentry *dentry;
} CORE;

struct file {
	struct inode *f_inode;
	struct path f_path;
} CORE;

struct backing_file {
	struct path user_path;
} CORE;

struct kiocb {
	struct file *ki_filp;
	__s64 ki_pos;
	void *ki_complete;
	int ki_flags;
} CORE;

struct iattr {
	unsigned int ia_valid;
	__s64 ia_size;
} CORE;

/* The numbers differ between kernels: always through enum_value(). */
enum iter_type { ITER_UBUF, ITER_IOVEC, ITER_KVEC, ITER_BVEC };

struct iov_iter {
	__u8 iter_type;
	unsigned long iov_offset;
	unsigned long count;
	unsigned long nr_segs;
	void *ubuf;
	const void *__iov;	/* since 6.4; kvec overlays it */
	const void *iov;	/* before */
		const void *bvec;
} CORE;

struct ext4_sb_info {
	unsigned int s_mount_opt;
	void *s_journal;
} CORE;

struct ext4_inode_info {
	unsigned long i_flags;
	__s64 i_disksize;
	__u16 i_inline_off;
	struct rw_semaphore i_data_sem;
	struct inode vfs_inode;
} CORE;

struct ext4_map_blocks {
	__u32 m_lblk;
	__u32 m_len;
	__u32 m_flags;
} CORE;

struct iomap {
	__s64 offset;
	__u64 length;
	__u16 type;
	__u16 flags;
} CORE;

struct iomap_iter {
	struct iomap iomap;
} CORE;

/* Private to fs/iomap/direct-io.c. */
struct iomap_dio {
	struct kiocb *iocb;
} CORE;

struct bio {
	void *bi_private;
} CORE;

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
} CORE;

struct pid {
	unsigned int level;
	struct upid numbers[1];		/* one for each level */
} CORE;

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	unsigned int flags;
	char comm[16];
} CORE;

/* Values of these are part of the kernels' sources, the same in all of them. */
#define IOCB_NOWAIT		(1 << 3)
#define IOCB_APPEND	(1 << 4)
#define IOCB_DIRECT		(1 << 17)
#define S_NOSEC			(1 << 12)
#define S_DAX			(1 << 13)
#define S_ENCRYPTED		(1 << 14)
#define EXT4_JOURNAL_DATA_FL	(1 << 14)
#define EXT4_EXTENTS_FL		(1 << 19)
#define EXT4_INLINE_DATA_FL	(1 << 28)
#define EXT4_MOUNT_JOURNAL_DATA	0x00400	/* of the two bits of DATA_FLAGS */
#define EXT4_MOUNT_DATA_FLAGS	0x00C00
#define EXT4_MOUNT_DELALLOC	0x8000000
#define EXT4_GET_BLOCKS_CREATE	1
#define EXT4_GET_BLOCKS_CACHED_NOWAIT 0x800
#define IOMAP_DIO_FORCE_WAIT	1
#define IOMAP_DIO_NEED_SYNC	(1u << 29)	/* private to fs/iomap/direct-io.c */
#define ENOENT			2
#define EAGAIN			11
#define EIOCBQUEUED		529
#define PF_IO_WORKER		0x10
#define PF_KTHREAD		0x00200000
#define TASK_RTLOCK_WAIT	0x1000	/* PREEMPT_RT: for a spinlock */
/* rw_semaphore.count, kernel/locking/rwsem.c; rwbase_rt, include/linux/rwbase_rt.h */
#define RWSEM_WRITER_LOCKED	1
#define RWSEM_READER_OWNED	1	/* of rw_semaphore.owner */
#define RWBASE_WRITER		0x40000000
/* ioctls that take i_rwsem, fs/ext4/ioctl.c */
#define EXT4_IOC_SETVERSION	0x40086604
#define EXT4_IOC_SETVERSION_OLD	0x40087602
#define EXT4_IOC_MIGRATE	0x6609
#define EXT4_IOC_MOVE_EXT	0xc028660f
#define EXT4_IOC_SWAP_BOOT	0x6611
#define FS_IOC_SET_ENCRYPTION_POLICY 0x800c6613
#define FS_IOC_ENABLE_VERITY	0x40806685
#define SEEK_DATA		3
#define SEEK_HOLE		4
/* flags of contention_begin, include/trace/events/lock.h */
#define LCB_F_SPIN		1
#define LCB_F_WRITE		4
#define LCB_F_PERCPU		16
#define LCB_F_MUTEX		32

#endif
