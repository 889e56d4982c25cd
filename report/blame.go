package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

const maxBlames = 8192

type inodeID struct {
	dev uint32
	ino uint64
	gen uint32
}

// pair is who waited for whom, and why: tasks of one name for those of another, on one
// inode.
type pair struct {
	Waiter, Holder string // raw; escape before showing. Holder is empty when it is not known.
	Cause          observe.Cause
	Mode           record.Lock // in which the holder held the lock, or was queued for it
	inode          inodeID
}

// blame is how long the one of a pair waited for the other.
type blame struct {
	pair
	Waits uint64 // times that somebody waited
	Ns    uint64
}

// blames tells who was serialised by whom. What it counts adds up to all that was waited.
type blames struct {
	all  map[pair]*blame
	more blame // waits that are not in all
}

func (b *blames) add(r *export.Row) {
	id, rest := inodeID{r.Dev, r.Ino, r.Generation.V}, r.WaitNs.V
	for i := range r.Waits {
		for k := range r.Waits[i].Parts {
			p := &r.Waits[i].Parts[k]
			b.count(pair{r.Comm, holderName(p), p.Cause, p.Mode, id}, p.Ns)
			rest -= min(rest, p.Ns)
		}
	}
	if rest > 0 { // it did not fit into the record, or nobody has looked for holders
		b.count(pair{Waiter: r.Comm, inode: id}, rest)
	}
}

// holderName names who held the lock, all those that are known of several.
func holderName(p *observe.Part) string {
	names := []string{p.Comm}
	for i := range p.With {
		names = append(names, p.With[i].Comm)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 3
	if len(names) > most {
		names = append(names[:most], "others")
	}
	return strings.Join(names, ", ")
}

func (b *blames) count(who pair, ns uint64) {
	if b.all == nil {
		b.all = make(map[pair]*blame)
	}
	bl := b.all[who]
	if bl == nil {
		if bl = &b.more; len(b.all) < maxBlames {
			bl = &blame{pair: who}
			b.all[who] = bl
		}
	}
	bl.Waits++
	bl.Ns += ns
}

// list returns the blames, the longest first.
func (b *blames) list() []*blame {
	return slices.SortedFunc(maps.Values(b.all), func(x, y *blame) int {
		return cmp.Or(cmp.Compare(y.Ns, x.Ns), cmp.Compare(x.Waiter, y.Waiter), cmp.Compare(x.Holder, y.Holder), cmp.Compare(x.inode.ino, y.inode.ino),
			cmp.Compare(x.Mode, y.Mode), cmp.Compare(x.Cause, y.Cause))
	})
}
