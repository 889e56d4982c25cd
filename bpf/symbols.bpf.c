// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Where the kernel's symbols are: probes/facts_symbols.go runs this once with the
 * names that it wants to know. It is attached to nothing. The kernel finds a name by
 * binary search; /proc/kallsyms it formats line by line, hundreds of thousands.
 */
#include "helpers.h"

static long (*bpf_snprintf)(char *str, __u32 str_size, const char *fmt, __u64 *data, __u32 data_len) = (void *)165;
static long (*bpf_kallsyms_lookup_name)(const char *name, __s32 name_sz, __s32 flags, __u64 *res) = (void *)179;

#define MAX_SYMBOLS 512

/* type symbol of probes/facts_symbols.go */
struct symbol {
	char name[64];		/* asked for: NAME, or MODULE:NAME; the last byte is 0 */
	__u64 addr;		/* 0 when there is none */
	char text[104];		/* NAME+0x0/0xSIZE [MODULE]; NAME may be another one of that address */
} symbols[MAX_SYMBOLS] = {};

__u32 count = 0;

/* In .rodata, where have_cast of helpers.h is; a literal would be a map of its own. */
static const char with_size[] = "%pS";

static long look_up(__u32 i, void *unused)
{
	__u64 addr = 0;
	struct symbol *s;

	if (i >= MAX_SYMBOLS)
		return 1;
	s = &symbols[i];
	s->addr = 0;
	if (bpf_kallsyms_lookup_name(s->name, sizeof(s->name), 0, &addr))
		return 0;
	s->addr = addr;
	bpf_snprintf(s->text, sizeof(s->text), with_size, &addr, sizeof(addr));
	return 0;
}

SEC("syscall") int find_symbols(void *ctx)
{
	bpf_loop(count, look_up, NULL, 0);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
