package probes

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// PidNamespace is where this process sees the numbers of processes from. The kernel
// compares and records numbers of the first namespace; ours differ in any other.
type PidNamespace struct {
	Level  uint32 `json:"level"`  // how deep below the first one, which has 0
	Global uint32 `json:"global"` // number of this process in the first one
	// ForeignProc says that /proc is that of another namespace, or not there: the files
	// of a process are not found in it by its number.
	ForeignProc bool `json:"foreign_proc,omitempty"`

	ns uint64 // struct pid_namespace
}

// The first namespaces have fixed numbers: include/linux/proc_ns.h.
const (
	firstPid  = "pid:[4026531836]"
	firstUser = "user:[4026531837]"
)

// FirstPidNamespace reports whether this process is known to be in the first one.
func FirstPidNamespace() bool {
	pid, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && pid == firstPid
}

// readNamespaces finds out in which pid and user namespaces this process is.
func (f *Facts) readNamespaces() {
	user, err := os.Readlink("/proc/self/ns/user")
	f.UserNamespace = err == nil && user != firstUser
	if FirstPidNamespace() || !f.Root || !f.BTF || f.UserNamespace {
		return
	}
	ns, err := findSelf(f.types)
	if err != nil {
		f.noNamespace = err
		return
	}
	if ns.Level > 0 {
		self, err := os.Readlink("/proc/self")
		ns.ForeignProc = err != nil || self != fmt.Sprint(os.Getpid())
		f.PidNamespace = ns
	}
}

// findSelf asks the kernel, by a program that runs once.
func findSelf(types *btf.Cache) (*PidNamespace, error) {
	spec, err := loadSelf()
	if err != nil {
		return nil, fmt.Errorf("read embedded BPF object: %w", err)
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: types})
	if err != nil {
		return nil, fmt.Errorf("load program that finds the pid namespace: %w", err)
	}
	defer coll.Close()
	if _, err := coll.Programs["find_self"].Run(nil); err != nil {
		return nil, fmt.Errorf("find the pid namespace: %w", err)
	}
	var ns PidNamespace
	get := func(name string, to any) error { return coll.Variables[name].Get(to) }
	if err := errors.Join(get("level", &ns.Level), get("tgid", &ns.Global), get("ns", &ns.ns)); err != nil {
		return nil, fmt.Errorf("find the pid namespace: %w", err)
	}
	return &ns, nil
}
