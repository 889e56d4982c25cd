package probes

import (
	"github.com/cilium/ebpf"
)

// lendsTasks reports whether a program at a raw tracepoint may ask for the task of a number.
// Since when it may was no release of its own, so that it is tried.
func (f *Facts) lendsTasks() bool {
	spec, err := loadLends()
	if err != nil {
		return false
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: f.types})
	if err != nil {
		return false
	}
	coll.Close()
	return true
}
