// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What ext4_map_blocks returns for one inode when it is asked for cached blocks
 * only. It has nothing to do with the tracing of writes: probes/cached.go loads it
 * for the moment in which it walks a symlink of its own.
 */
#include "kernel.h"

/* Set before load: the inode. */
const volatile __u32 cfg_dev = 0;	/* kernel's dev_t: major << 20 | minor */
const volatile __u64 cfg_ino = 0;

/* How often it returned what, with EXT4_GET_BLOCKS_CACHED_NOWAIT. */
struct cached_returns {
	__u64 zero;
	__u64 again;	/* -EAGAIN */
	__u64 found;	/* so many blocks */
	__u64 other;	/* another error */
} cached = {};

static __always_inline void count(__s32 ret)
{
	if (ret > 0)
		__sync_fetch_and_add(&cached.found, 1);
	else if (!ret)
		__sync_fetch_and_add(&cached.zero, 1);
	else if (ret == -EAGAIN)
		__sync_fetch_and_add(&cached.again, 1);
	else
		__sync_fetch_and_add(&cached.other, 1);
}

/* ext4_map_blocks(handle, inode, map, flags); a fexit sees the arguments, too. */
SEC("fexit/ext4_map_blocks") int fx_cached(__u64 *ctx)
{
	struct inode *inode = (void *)ctx[1];
	__u64 ret = 0;

	if (READ(inode, i_ino) != cfg_ino || READ(READ(inode, i_sb), s_dev) != cfg_dev)
		return 0;
	if (!((__u32)ctx[3] & EXT4_GET_BLOCKS_CACHED_NOWAIT))
		return 0;
	bpf_get_func_ret(ctx, &ret);
	count((__s32)ret);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
