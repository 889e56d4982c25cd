// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * In which pid namespace the tracer is: probes/namespace.go runs this once. It is attached
 * to nothing. /proc cannot tell: it may be that of another namespace, or none at all.
 */
#include "kernel.h"

__u32 level = 0;	/* how deep below the first one */
__u32 tgid = 0;		/* our number there */
__u64 ns = 0;		/* struct pid_namespace of the innermost */

SEC("syscall") int find_self(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pid *pid = READ(task, thread_pid);
	struct upid *at;

	level = READ(pid, level);
	tgid = READ(task, tgid);
	at = (void *)pid + field_offset(((struct pid *)0)->numbers) + level * sizeof(*at);
	ns = (__u64)READ(at, ns);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
