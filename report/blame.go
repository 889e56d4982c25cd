package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Bounds of what is remembered to tell who waited for whom.
const (
	maxHeld   = 64   // writes of one inode that were the last to hold the lock
	maxInodes = 4096 // of which they are remembered
	maxBlames = 8192
)

type inodeID struct {
	dev uint32
	ino uint64
	gen uint32
}

// hold is when a write held i_rwsem, as far as it was seen.
type hold struct {
	tally.Hold
	comm string
}

// pair is who waited for whom: tasks of one name for those of another, on one inode.
type pair struct {
	Waiter, Holder string      // raw; escape before showing
	Mode           record.Lock // in which the holder held the lock
	inode          inodeID
}

// blame is how long the one of a pair waited for the other.
type blame struct {
	pair
	Waits uint64 // times that somebody waited
	Ns    uint64 // of them while this holder held the lock
}

// blames tells who was serialised by whom. A write that waits for the lock comes later
// than those that it waited for, as they released it before.
type blames struct {
	held  map[inodeID][]hold
	all   map[pair]*blame
	more  uint64 // waits that are not in all
	alone uint64 // waits of which no holder is known
}

func (b *blames) add(r *export.Row) {
	if b.held == nil {
		b.held, b.all = make(map[inodeID][]hold), make(map[pair]*blame)
	}
	id := inodeID{r.Dev, r.Ino, r.Generation.V}
	for i := range r.Waits {
		b.wait(id, r.Comm, tally.WaitOf(r, &r.Waits[i]))
	}
	h, ok := tally.HoldOf(r)
	if !ok {
		return
	}
	list := b.held[id]
	switch {
	case list == nil && len(b.held) >= maxInodes:
		clear(b.held)
	case len(list) >= maxHeld:
		list = slices.Delete(list, 0, 1)
	}
	b.held[id] = append(list, hold{h, r.Comm})
}

// wait notes that a task waited for the lock.
func (b *blames) wait(id inodeID, waiter string, w tally.Hold) {
	found := false
	for _, h := range b.held[id] {
		ns, blocked := h.Blocks(w)
		if !blocked {
			continue
		}
		found = true
		who := pair{waiter, h.comm, h.Mode, id}
		bl := b.all[who]
		if bl == nil {
			if len(b.all) >= maxBlames {
				b.more++
				continue
			}
			bl = &blame{pair: who}
			b.all[who] = bl
		}
		bl.Waits++
		bl.Ns += ns
	}
	if !found {
		b.alone++
	}
}

// list returns the blames, the longest first.
func (b *blames) list() []*blame {
	return slices.SortedFunc(maps.Values(b.all), func(x, y *blame) int {
		return cmp.Or(cmp.Compare(y.Ns, x.Ns), cmp.Compare(x.Waiter, y.Waiter), cmp.Compare(x.Holder, y.Holder), cmp.Compare(x.inode.ino, y.inode.ino), cmp.Compare(x.Mode, y.Mode))
	})
}
