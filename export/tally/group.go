package tally

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// maxGroups bounds the files and the processes that are counted apart. The first ones
// have their place; the others are counted together.
const maxGroups = 4096

// Group is a picture of one file, process or reason.
type Group struct {
	Counts
	Key
	Path string // of a file, raw; empty when not known
	// Comm is the name of a process, raw: that of the first of its threads, as far as it is
	// not one of io-wq. Names is how many its threads have.
	Comm  string
	Names int

	Rate     float64 // writes a second
	P50, P99 uint64  // waits for i_rwsem, ns, see histogram.Times.Quantile
	MaxWait  uint64
}

// Key names a group among those of its kind, whatever its counts.
type Key struct {
	Others     bool   // it is what has no place of its own
	Dev        uint32 // of a file
	Ino        uint64
	Generation uint32
	export.ProcessNumber
	Reason string // of a reason; empty when not known
}

// entry is a group that is counted.
type entry struct {
	group   Group
	waits   histogram.Times
	stale   bool   // quantiles are of an earlier time
	counted uint64 // writes when the rate was last taken
	names   []string
}

// maxNames bounds the names of threads that are told apart.
const maxNames = 64

// name takes the name of a thread of a process.
func (e *entry) name(r *export.Row) {
	if n := len(e.names); n > 0 && e.names[n-1] == r.Comm {
		return
	}
	if i := slices.Index(e.names, r.Comm); i >= 0 || len(e.names) == maxNames || export.IsWorkerName(r.Comm) {
		if e.group.Comm == "" {
			e.group.Comm = r.Comm
		}
		return
	}
	if len(e.names) == 0 {
		e.group.Comm = r.Comm
	}
	e.names = append(e.names, r.Comm)
	e.group.Names = len(e.names)
}

func (e *entry) add(r *export.Row, f *facts) {
	e.group.Part.Add(r)
	e.group.add(r, f)
	if r.WaitNs.Known {
		e.waits.Add(r.WaitNs.V)
	}
	e.stale = true
}

// groups are the groups of one kind.
type groups[K comparable] struct{ export.Parts[K, entry] }

// of finds the group of k; isNew says that it had to be made.
func (g *groups[K]) of(k K, number uint64) (e *entry, isNew bool) {
	g.Most, g.Rest.group.Others = maxGroups, true
	return g.Of(k, number)
}

// each calls f with every group that has writes.
func (g *groups[K]) each(f func(*entry)) {
	for _, e := range g.List {
		f(e)
	}
	if g.Rest.group.Writes > 0 {
		f(&g.Rest)
	}
}

// rate takes the rates over the last seconds, or those since the beginning.
func (g *groups[K]) rate(seconds float64, whole bool) {
	g.each(func(e *entry) {
		e.group.Rate = float64(e.group.Writes-e.counted) / seconds
		if !whole {
			e.counted = e.group.Writes
		}
	})
}

// picture copies the groups.
func (g *groups[K]) picture() []Group {
	out := make([]Group, 0, len(g.List)+1)
	g.each(func(e *entry) {
		if e.stale {
			e.group.P50, e.group.P99, e.group.MaxWait = e.waits.Quantile(0.5), e.waits.Quantile(0.99), e.waits.Max()
			e.stale = false
		}
		out = append(out, e.group)
	})
	return out
}
