/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a BPF program needs from its surroundings: fixed-width types, section
 * and map macros, the few kernel helpers that we call (by their number in the
 * kernel's UAPI), CO-RE access, and the argument registers of a kprobe.
 */
#ifndef E4D_HELPERS_H
#define E4D_HELPERS_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef _Bool bool;

#define NULL ((void *)0)
#define SEC(name) __attribute__((section(name), used))
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define __weak __attribute__((weak))
#define __ksym __attribute__((section(".ksyms")))
#define CORE __attribute__((preserve_access_index))

/* Fields of a map definition, as the BTF map loaders read them. */
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_CGROUP_ARRAY = 8,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY = 0 };
enum { BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_RING_SIZE = 1 };

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *val, __u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static __u32 (*bpf_get_smp_processor_id)(void) = (void *)8;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_get_current_comm)(void *buf, __u32 size) = (void *)16;
static __u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_current_task_under_cgroup)(void *map, __u32 index) = (void *)37;
static long (*bpf_probe_read_kernel)(void *dst, __u32 size, const void *src) = (void *)113;
static long (*bpf_ringbuf_output)(void *ring, void *data, __u64 size, __u64 flags) = (void *)130;
static __u64 (*bpf_ringbuf_query)(void *ring, __u64 flags) = (void *)134;
static long (*bpf_get_stack)(void *ctx, void *buf, __u32 size, __u64 flags) = (void *)67;
static __u64 (*bpf_get_attach_cookie)(void *ctx) = (void *)174;
static long (*bpf_loop)(__u32 n, void *fn, void *ctx, __u64 flags) = (void *)181;
static long (*bpf_get_func_ret)(void *ctx, __u64 *value) = (void *)184;

/* Optimization barrier: the compiler forgets what it knows of a variable. */
#define HIDE(var) __asm__ volatile("" : "+r"(var))

/* CO-RE: does the running kernel have it, and where. */
#define field_exists(field) __builtin_preserve_field_info(field, 2)
#define field_offset(field) __builtin_preserve_field_info(field, 0)
#define enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, 1)

/*
 * Kernel memory is read by plain loads where the kernel lets us: since 6.2 the
 * verifier takes a pointer for what bpf_rdonly_cast() says it is, and turns loads
 * through it into ones that give 0 when they fault. That is one instruction
 * instead of a call of some sixty.
 *
 * Only types of vmlinux can be cast to, and what is loaded as a pointer cannot be
 * calculated with. So each field is read as eight bytes of this type, of which its
 * own are the first, as the machine is little endian.
 */
struct timespec64 {
	__s64 tv_sec;
} CORE;

extern void *bpf_rdonly_cast(const void *obj, __u32 type_id) __weak __ksym;
const volatile bool have_cast = 0;

#define EIGHT_BYTES(ptr) \
	(((struct timespec64 *)bpf_rdonly_cast((ptr), __builtin_btf_type_id(*(struct timespec64 *)0, 1)))->tv_sec)

/* Reads src->field of kernel memory; zero when it faults. */
#define READ(src, field) ({						\
	typeof((src)->field) __v = 0;					\
	if (have_cast)							\
		__v = (typeof(__v))EIGHT_BYTES(&(src)->field);		\
	else								\
		bpf_probe_read_kernel(&__v, sizeof(__v), &(src)->field);\
	__v;								\
})

/*
 * Where each load is a call, several fields of a struct come by one: LOOK reads as much of
 * it as raw, an array, has room for, and SEEN takes a field from there.
 */
#define LOOK(raw, src) do {						\
	if (!have_cast)							\
		bpf_probe_read_kernel(raw, sizeof(raw), src);		\
} while (0)

#define SEEN(raw, src, field) ({					\
	typeof((src)->field) __s;					\
	if (!have_cast && field_offset((src)->field) + sizeof(__s) <= sizeof(raw)) \
		__s = *(typeof(__s) *)((void *)(raw) + field_offset((src)->field)); \
	else								\
		__s = READ(src, field);					\
	__s;								\
})

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	__u64 ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define ARG1(ctx) ((ctx)->di)
#define ARG2(ctx) ((ctx)->si)
#define ARG3(ctx) ((ctx)->dx)
#define ARG4(ctx) ((ctx)->cx)
#define ARG5(ctx) ((ctx)->r8)
#define RET(ctx) ((ctx)->ax)
#define STACK(ctx) ((ctx)->sp)
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
#define ARG1(ctx) ((ctx)->regs[0])
#define ARG2(ctx) ((ctx)->regs[1])
#define ARG3(ctx) ((ctx)->regs[2])
#define ARG4(ctx) ((ctx)->regs[3])
#define ARG5(ctx) ((ctx)->regs[4])
#define RET(ctx) ((ctx)->regs[0])
#define STACK(ctx) ((ctx)->sp)
#else
#error "no argument registers known for this architecture"
#endif

#endif
