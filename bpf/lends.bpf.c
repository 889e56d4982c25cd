// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Does the kernel lend another task to a program at a raw tracepoint? probes/lends.go loads
 * this to see, and attaches it to nothing. 6.12 lends tasks to other types of programs only.
 */
#include "helpers.h"

struct task_struct;
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

SEC("raw_tp/contention_begin") int lends(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_task_release(task);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
