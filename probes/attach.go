package probes

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// maxFolders is MAX_FOLDERS of bpf/state.h, and bpfFolder its struct folder.
const maxFolders = 8

type bpfFolder struct {
	Ino uint64
	Dev uint32
	_   uint32
}

// attached is one program at one function, or at several by one link.
type attached struct {
	at   []*PlannedProbe
	name string // of the program
	prog *ebpf.Program
	link link.Link
}

// Attach loads the programs of the plan and attaches them. The caller must
// Close the session; when the process dies the kernel detaches everything.
// Errors about the kernel are *hint.UnfitError.
func Attach(f *Facts, p *Plan, o Options) (*Session, error) {
	defer pauseGC()()
	spec, err := loadExt4dio()
	if err != nil {
		return nil, fmt.Errorf("read embedded BPF object: %w", err)
	}
	if err := configure(spec, f, o); err != nil {
		return nil, err
	}
	prune(spec, p)
	foldAll(spec)
	if !f.Funcs["bpf_rdonly_cast"].BTF && !f.Funcs["bpf_session_is_return"].BTF {
		withoutKfuncs(spec)
	}
	st, err := stateOf(spec)
	if err != nil {
		return nil, err
	}
	coll, err := load(f, spec)
	if err != nil {
		return nil, err
	}
	if err := setCgroup(coll, o.Filter.Cgroup); err != nil {
		coll.Close()
		return nil, err
	}
	s, err := newSession(coll, f, st)
	if err != nil {
		coll.Close()
		return nil, err
	}
	if err := s.attachAll(p); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// load gives the programs and maps to the kernel. For that it takes the kernel's types
// out of the facts, ten megabytes or more, which nothing needs afterwards: they are
// given back at once.
func load(f *Facts, spec *ebpf.CollectionSpec) (*ebpf.Collection, error) {
	defer debug.FreeOSMemory()
	cache := f.types
	f.types = nil
	if cache == nil { // facts that were recorded, or attached by before
		cache = btf.NewCache()
	}
	opts := ebpf.CollectionOptions{Cache: cache}
	if f.Ext4 == "module" {
		kernel, err := cache.Kernel()
		if err != nil {
			return nil, fmt.Errorf("read kernel BTF: %w", err)
		}
		mod, err := cache.Module("ext4")
		if err != nil {
			return nil, fmt.Errorf("read BTF of module ext4: %w", err)
		}
		opts.Programs.KernelTypes = kernel
		opts.Programs.ExtraRelocationTargets = []*btf.Spec{mod}
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, opts)
	if err != nil {
		return nil, loadError(f, err)
	}
	return coll, nil
}

// setCgroup lets only the tasks of a cgroup, and of those below it, through; the folder
// may be empty.
func setCgroup(coll *ebpf.Collection, folder string) error {
	if folder == "" {
		return nil
	}
	dir, err := os.Open(folder)
	if err != nil {
		return hint.Usagef("list them with: systemd-cgls", "open cgroup: %v", err)
	}
	defer dir.Close()
	if err := coll.Maps["cgroups"].Put(uint32(0), uint32(dir.Fd())); err != nil {
		return fmt.Errorf("filter by cgroup %s: %w", folder, err)
	}
	return nil
}

// loadError turns a refusal of the kernel into words about what is missing.
func loadError(f *Facts, err error) error {
	// The verifier says EACCES, too, of a program that it does not accept.
	if errors.Is(err, os.ErrPermission) && !errors.Is(err, unix.EACCES) {
		msg := "the kernel refused to load tracing programs"
		switch {
		case f.Lockdown != "" && f.Lockdown != "none":
			msg += " (lockdown: " + f.Lockdown + ")"
		default:
			msg += " (operation not permitted, as under kernel lockdown, or in a container without the host's root)"
		}
		if !f.Kprobes && !f.KprobeMulti {
			msg = "this kernel has no kprobes (CONFIG_KPROBES), and " + strings.TrimPrefix(msg, "the kernel ")
		}
		return &hint.UnfitError{Msg: msg, Hint: vmHint}
	}
	var ve *ebpf.VerifierError
	if errors.As(err, &ve) {
		return fmt.Errorf("load BPF programs: %w\n%+v", err, ve)
	}
	return fmt.Errorf("load BPF programs: %w", err)
}

// configure writes the options into the object's constants and map sizes.
func configure(spec *ebpf.CollectionSpec, f *Facts, o Options) error {
	ring, inflight := cmp.Or(o.RingBytes, DefaultRing), cmp.Or(o.MaxInflight, DefaultInflight)
	if ring < os.Getpagesize() || ring&(ring-1) != 0 {
		return hint.Usagef("for example --ring 8M", "ring size of %d bytes is not a power of two of at least one page", ring)
	}
	spec.Maps["ring"].MaxEntries = uint32(ring)
	if inflight < 0 || inflight > MaxInflight {
		return hint.Usagef("for example --inflight 4096", "%d writes inside at once is not from 1 to %d", inflight, MaxInflight)
	}
	slots := 1 << bits.Len(uint(inflight-1))
	spec.Maps["slots"].MaxEntries = uint32(slots)
	spec.Maps["displaced"].MaxEntries = uint32(max(slots/4, 16))
	spec.Maps["cpus"].MaxEntries = uint32(f.CPUs)
	var comm [16]byte
	if len(o.Filter.Comm) > 15 {
		return hint.Usagef("--comm "+o.Filter.Comm[:15], "a command name has at most 15 bytes")
	}
	copy(comm[:], o.Filter.Comm)
	holders, err := o.holders()
	if err != nil {
		return err
	}
	if len(o.Filter.Folders) > maxFolders {
		return hint.Usagef("--path FOLDER further down", "the folder has %d file systems below it, and %d can be traced at once", len(o.Filter.Folders), maxFolders)
	}
	if o.Filter.Cgroup == "" {
		spec.Maps["cgroups"].Type = ebpf.Array // a kernel may have no cgroups
	}
	var folders [maxFolders]bpfFolder
	for i, at := range o.Filter.Folders {
		folders[i] = bpfFolder{Ino: at.Ino, Dev: at.Dev}
	}
	if budgets := spec.Maps["budgets"]; o.Budget {
		budgets.MaxEntries += uint32(slots)
	} else {
		budgets.MaxEntries = 1
	}
	ns := cmp.Or(f.PidNamespace, &PidNamespace{})
	addr := func(name string) uint64 { return f.Addresses[name] }
	return setConstants(spec, map[string]any{
		"cfg_pid":                   o.Filter.Pid,
		"cfg_exclude_pid":           o.Filter.ExcludePid,
		"cfg_dev":                   o.Filter.Dev,
		"cfg_ino":                   o.Filter.Ino,
		"cfg_this_gen":              o.Filter.ThisGeneration,
		"cfg_gen":                   o.Filter.Generation,
		"cfg_cgroup":                o.Filter.Cgroup != "",
		"cfg_by_path":               o.Filter.ByPath,
		"cfg_folders":               uint32(len(o.Filter.Folders)),
		"folders":                   folders,
		"cfg_ns":                    ns.ns,
		"cfg_ns_level":              ns.Level,
		"cfg_min_latency":           uint64(o.Filter.MinLatency),
		"cfg_comm":                  comm,
		"cfg_tree":                  o.Tree,
		"cfg_holders":               holders,
		"sync_locks":                f.syncLocks(),
		"cfg_budget":                o.Budget,
		"cfg_sample":                o.Sample.Share(),
		"cfg_sample_seed":           o.Sample.Seed,
		"slot_mask":                 uint32(slots - 1),
		"have_cast":                 f.Funcs["bpf_rdonly_cast"].BTF,
		"cfg_wake":                  uint64(ring / 4),
		"sym_aio_complete_rw":       addr("aio_complete_rw"),
		"sym_io_complete_rw":        addr("io_complete_rw"),
		"sym_io_complete_rw_iopoll": addr("io_complete_rw_iopoll"),
		"sym_lo_rw_aio_complete":    addr("lo_rw_aio_complete"),
		"sym_iomap_ops":             addr("ext4_iomap_ops"),
		"sym_overwrite_ops":         addr("ext4_iomap_overwrite_ops"),
		"sym_rename_lock":           addr("rename_lock"),
		"sym_sys_call_table":        addr("sys_call_table"),
		"have_task_from_pid":        f.Funcs["bpf_task_from_pid"].BTF && f.lendsTasks(),
		"cfg_name_seed":             rand.Uint64(),
		"have_callers":              addr("aio_complete_rw") != 0 || addr("io_complete_rw") != 0,
		"spans":                     padSpans(f.spans),
		"have_spans":                len(f.spans) > 0,
	})
}

// setConstants gives constants of a BPF object their values.
func setConstants(spec *ebpf.CollectionSpec, values map[string]any) error {
	for name, val := range values {
		v := spec.Variables[name]
		if v == nil {
			return fmt.Errorf("set %s: no such constant in the BPF object", name)
		}
		if err := v.Set(val); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// prune leaves only the programs of the plan, each in the form in which it is
// attached.
func prune(spec *ebpf.CollectionSpec, p *Plan) {
	keep := map[string]*PlannedProbe{}
	for i := range p.Probes {
		for _, name := range p.Probes[i].Programs {
			keep[name] = &p.Probes[i]
		}
	}
	for name, ps := range spec.Programs {
		pp := keep[name]
		if pp == nil {
			delete(spec.Programs, name)
			continue
		}
		switch pp.How {
		case HowMulti:
			ps.AttachType = ebpf.AttachTraceKprobeMulti
			ps.AttachTo = ""
		case HowKprobe:
			ps.AttachTo = ""
		case HowFentry:
			ps.AttachTo = pp.Func
		}
	}
}

// withoutKfuncs takes calls of functions of the kernel out of the programs, for one that has
// none of them: they are behind have_cast, which is false. The library would look for each
// in the types of every module, once more for every program.
func withoutKfuncs(spec *ebpf.CollectionSpec) {
	for _, ps := range spec.Programs {
		for i := range ps.Instructions {
			if ins := &ps.Instructions[i]; ins.IsKfuncCall() {
				*ins = asm.BuiltinFunc(noFunc).Call().WithSource(ins.Source())
			}
		}
	}
}

// noFunc is no helper of any kernel: its call is refused where it could be reached.
const noFunc = 0x0fff0000

// attachAll attaches in the order of the plan, tracepoints before the entry of
// a write, which comes last.
func (s *Session) attachAll(p *Plan) error {
	var last []attached
	for _, a := range p.places() {
		if a.at[0].Name == "write" {
			last = append(last, a)
			continue
		}
		if err := s.attach(a); err != nil {
			return err
		}
	}
	s.began = clock.Monotonic()
	for _, a := range last {
		if err := s.attach(a); err != nil {
			return err
		}
	}
	return nil
}

// places lists each program with the functions that one link attaches it to, in the order
// of the plan: a program that several probes share is at all of them where the first is.
func (p *Plan) places() (all []attached) {
	for i := range p.Probes {
		pp := &p.Probes[i]
		for _, name := range pp.Programs {
			n := slices.IndexFunc(all, func(a attached) bool { return a.name == name })
			if n >= 0 && pp.How != HowKprobe {
				all[n].at = append(all[n].at, pp)
				continue
			}
			all = append(all, attached{at: []*PlannedProbe{pp}, name: name})
		}
	}
	return all
}

func (s *Session) attach(a attached) (err error) {
	pp := a.at[0]
	if a.prog = s.coll.Programs[a.name]; a.prog == nil {
		return fmt.Errorf("attach %s: no program %s in the BPF object", pp.Func, a.name)
	}
	if a.link, err = a.attach(s.facts); err != nil {
		if errors.Is(err, os.ErrPermission) {
			return loadError(s.facts, err)
		}
		return &hint.UnfitError{
			Msg:  fmt.Sprintf("attach %s to %s: %v", pp.How, strings.Join(a.funcs(), ", "), err),
			Hint: "try another way: --attach fentry or --attach kprobe",
		}
	}
	s.attached = append(s.attached, a)
	return nil
}

func (a *attached) funcs() (names []string) {
	for _, pp := range a.at {
		names = append(names, pp.Func)
	}
	return names
}

// attach makes the link.
func (a *attached) attach(f *Facts) (link.Link, error) {
	pp, ret := a.at[0], atReturn(a.name)
	switch pp.How {
	case HowSession, HowMulti:
		o := a.multi(f)
		if ret {
			return link.KretprobeMulti(a.prog, o)
		}
		return link.KprobeMulti(a.prog, o)
	case HowKprobe:
		o := &link.KprobeOptions{Cookie: uint64(pp.want.holds())}
		if ret {
			return link.Kretprobe(pp.Func, a.prog, o)
		}
		return link.Kprobe(pp.Func, a.prog, o)
	case HowFentry:
		at := ebpf.AttachTraceFEntry
		if ret {
			at = ebpf.AttachTraceFExit
		}
		return link.AttachTracing(link.TracingOptions{Program: a.prog, AttachType: at})
	case HowRawTP:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: pp.Func, Program: a.prog})
	}
	return nil, fmt.Errorf("unknown way %q", pp.How)
}

// multi names the functions by their addresses where all are known: for a symbol without
// that the kernel goes through all that it has, once more for each.
func (a *attached) multi(f *Facts) link.KprobeMultiOptions {
	o := link.KprobeMultiOptions{Session: a.at[0].How == HowSession, Symbols: a.funcs()}
	var addrs []uintptr
	for _, pp := range a.at {
		if addr := f.Funcs[pp.Func].addr; addr != 0 {
			addrs = append(addrs, uintptr(addr))
		}
		if op := pp.want.holds(); op != 0 {
			o.Cookies = append(o.Cookies, uint64(op))
		}
	}
	if len(addrs) == len(a.at) {
		o.Symbols, o.Addresses = nil, addrs
	}
	return o
}
