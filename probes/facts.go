package probes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// Facts are the known facts about the running kernel. It is plain data: recorded
// as JSON (doctor --json) it replays any kernel's plan in a test.
type Facts struct {
	Release string `json:"release"`
	Build   string `json:"build"` // uname -v
	Arch    string `json:"arch"`
	CPUs    int    `json:"cpus"` // possible ones

	Root     bool   `json:"root"`     // may load tracing programs
	Lockdown string `json:"lockdown"` // none, integrity, confidentiality, or "" when unknown
	Preempt  string `json:"preempt"`  // none, voluntary, lazy, full, rt, or "" when unknown
	BTF      bool   `json:"btf"`
	Ext4     string `json:"ext4"` // module, built in, or "" when absent

	// PidNamespace is that of this process; nil where it is the first one.
	PidNamespace *PidNamespace `json:"pid_namespace,omitempty"`
	// UserNamespace says that it is not in the first user namespace: what it may do there
	// does not count for BPF.
	UserNamespace bool  `json:"user_namespace,omitempty"`
	NoSys         bool  `json:"no_sys,omitempty"` // /sys is not mounted
	noNamespace   error // why it is not known which the pid namespace is

	Kprobes       bool `json:"kprobes"`        // perf events of type kprobe
	KprobeMulti   bool `json:"kprobe_multi"`   // BPF links over many kprobes
	KprobeSession bool `json:"kprobe_session"` // entry and return in one program
	// FprobeGraph says that fprobe keeps returns on each task's shadow stack
	// (since 6.14): no return is missed however many tasks sleep in a function.
	FprobeGraph bool `json:"fprobe_graph"`
	RawTP       bool `json:"raw_tracepoints"`

	Funcs       map[string]Func   `json:"funcs"`
	Tracepoints map[string]bool   `json:"tracepoints"`
	Members     map[string]bool   `json:"members"` // struct.member
	Addresses   map[string]uint64 `json:"-"`       // kallsyms, of the symbols in wantedSymbols

	// SleepCauses says why it cannot be told what a NOWAIT write slept for; empty
	// when it can.
	SleepCauses string `json:"sleep_causes,omitempty"`
	spans       []span // kallsyms, of the functions in sleepFuncs

	// types are the kernel's, some ten megabytes, parsed once for these facts and for
	// Attach, which takes them away.
	types *btf.Cache
}

// Func is what is known about one kernel function.
type Func struct {
	Symbol bool `json:"symbol"` // a real symbol of that exact name
	BTF    bool `json:"btf"`    // has a BTF FUNC, so fentry is possible
	Params int  `json:"params"` // by BTF; 0 when not known
	Suffix bool `json:"suffix"` // exists only, or also, as .isra, .constprop or .part
	Module bool `json:"module"` // in a module

	addr uint64 // of the plain symbol; 0 when not known, or when there are two
}

// wantedFuncs are those that are probed, and those that tell what kernel it is or what
// its BPF can do.
var wantedFuncs = append(namesOf(false),
	"ext4_dio_write_checks", "file_modified_flags", "ext4_iomap_next", "ext4_overwrite_io", "ext4_dio_needs_zeroing",
	"generic_buffers_fsync_noflush", "bpf_session_is_return", "bpf_rdonly_cast", "bpf_task_from_pid")

var wantedSymbols = []string{
	"aio_complete_rw", "io_complete_rw", "io_complete_rw_iopoll",
	"lo_rw_aio_complete", "ext4_iomap_ops", "ext4_iomap_overwrite_ops", "rename_lock", "sys_call_table",
}

// ReadFacts looks at the running kernel. It fails with *hint.UnfitError only when
// the kernel cannot be looked at; what is missing otherwise is in the facts.
func ReadFacts() (*Facts, error) {
	defer pauseGC()()
	f := &Facts{
		Funcs:       map[string]Func{},
		Tracepoints: map[string]bool{},
		Members:     map[string]bool{},
		Addresses:   map[string]uint64{},
	}
	if !exists("/proc/self") {
		return nil, &hint.UnfitError{Msg: "/proc is not mounted here, so that the symbols of the kernel cannot be read", Hint: "mount -t proc none /proc"}
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, fmt.Errorf("uname: %w", err)
	}
	f.Release = unix.ByteSliceToString(u.Release[:])
	f.Build = unix.ByteSliceToString(u.Version[:])
	f.Arch = runtime.GOARCH
	f.CPUs = possibleCPUs()
	f.Root = mayTrace()
	f.Lockdown = chosen("/sys/kernel/security/lockdown", "[", "]")
	f.Preempt = preemption(f.Build)
	f.NoSys = !exists("/sys/kernel")
	f.Kprobes = exists("/sys/bus/event_source/devices/kprobe/type")
	f.types = btf.NewCache()
	if err := f.readSymbols(); err != nil {
		return nil, err
	}
	f.readBTF()
	f.readNamespaces()
	if f.Root && !f.UserNamespace {
		// Trying it attaches something, and who has sessions has the other as well.
		f.KprobeSession = features.HaveBPFLinkKprobeSession() == nil
		f.KprobeMulti = f.KprobeSession || features.HaveBPFLinkKprobeMulti() == nil
	}
	return f, nil
}

// pauseGC keeps the garbage collector from running while the kernel's types are parsed
// and looked through: nearly all that is allocated, some ten megabytes, stays in use.
func pauseGC() (resume func()) {
	before := debug.SetGCPercent(-1)
	return func() { debug.SetGCPercent(before) }
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// mayTrace reports whether this process has CAP_SYS_ADMIN, or CAP_BPF together
// with CAP_PERFMON.
func mayTrace() bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData // 32 capabilities each
	if err := unix.Capget(&hdr, &caps[0]); err != nil {
		return false
	}
	has := func(c int) bool { return caps[c/32].Effective&(1<<(c%32)) != 0 }
	return has(unix.CAP_SYS_ADMIN) || has(unix.CAP_BPF) && has(unix.CAP_PERFMON)
}

func possibleCPUs() int {
	n, err := ebpf.PossibleCPU()
	if err != nil {
		return runtime.NumCPU()
	}
	return n
}

// chosen returns the word between two marks of a file that offers choices, "" when it
// cannot be read.
func chosen(path, before, after string) string {
	b, _ := os.ReadFile(path)
	_, rest, _ := strings.Cut(string(b), before)
	word, _, ok := strings.Cut(rest, after)
	if !ok {
		return ""
	}
	return word
}

// preemption tells the model in force: from debugfs where it can be chosen at
// boot, else from the build string.
func preemption(build string) string {
	if strings.Contains(build, "PREEMPT_RT") {
		return "rt"
	}
	if word := chosen("/sys/kernel/debug/sched/preempt", "(", ")"); word != "" {
		return word
	}
	switch {
	case strings.Contains(build, "PREEMPT_LAZY"):
		return "lazy"
	case strings.Contains(build, "PREEMPT_DYNAMIC"):
		return "" // chosen at boot, and debugfs did not say which
	case strings.Contains(build, "PREEMPT"):
		return "full"
	}
	return "none"
}

// readBTF fills in what BTF tells. A kernel without BTF leaves f.BTF false.
func (f *Facts) readBTF() {
	vmlinux, err := f.types.Kernel()
	if err != nil {
		return
	}
	ext4 := vmlinux
	if mod, err := f.types.Module("ext4"); err == nil {
		ext4 = mod
	} else if !errors.Is(err, fs.ErrNotExist) && f.Ext4 == "module" {
		return
	}
	f.BTF = true
	for _, name := range wantedFuncs {
		fn := f.Funcs[name]
		for _, spec := range []*btf.Spec{ext4, vmlinux} {
			var t *btf.Func
			if spec.TypeByName(name, &t) != nil {
				continue
			}
			fn.BTF = true
			if proto, ok := t.Type.(*btf.FuncProto); ok {
				fn.Params = len(proto.Params)
			}
			break
		}
		if fn != (Func{}) {
			f.Funcs[name] = fn
		}
	}
	for _, tp := range namesOf(true) {
		var t *btf.Typedef
		f.Tracepoints[tp] = vmlinux.TypeByName("btf_trace_"+tp, &t) == nil
	}
	f.RawTP = f.Tracepoints["sched_switch"]
	for _, m := range []string{"rw_semaphore.count", "rw_semaphore.rwbase", "iov_iter.iov", "iov_iter.__iov", "fprobe.hlist_array", "iomap_ops.iomap_next"} {
		s, member, _ := strings.Cut(m, ".")
		f.Members[m] = hasMember(vmlinux, s, member)
	}
	f.FprobeGraph = f.Members["fprobe.hlist_array"]
}

func hasMember(spec *btf.Spec, name, member string) bool {
	var s *btf.Struct
	if spec.TypeByName(name, &s) != nil {
		return false
	}
	return memberIn(s.Members, member)
}

// memberIn looks through anonymous structs and unions as C does.
func memberIn(members []btf.Member, name string) bool {
	for _, m := range members {
		if m.Name == name {
			return true
		}
		if m.Name != "" {
			continue
		}
		var inner []btf.Member
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = t.Members
		case *btf.Union:
			inner = t.Members
		}
		if memberIn(inner, name) {
			return true
		}
	}
	return false
}
