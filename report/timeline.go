package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
)

// numBins is into how many pieces the time of a timeline is cut; their length doubles
// when it does not suffice.
const numBins = 160

// bin counts the writes that began in a piece of time, by the mode that they got.
type bin [3]uint32

// lane is the timeline of one inode.
type lane struct {
	id     export.FileID
	bins   [numBins]bin
	writes uint64
	waitNs uint64
}

// timeline shows for each inode when its writes were shared and exclusive.
type timeline struct {
	start uint64 // ns, of the first write that came
	width uint64 // of a bin, ns
	lanes map[export.FileID]*lane
}

// maxLanes bounds the inodes that have a timeline.
const maxLanes = 1024

func (t *timeline) add(r *export.Row) {
	if t.lanes == nil {
		t.start, t.width, t.lanes = r.TimeNs, 1e6, make(map[export.FileID]*lane)
	}
	id := r.File()
	l := t.lanes[id]
	if l == nil {
		if len(t.lanes) >= maxLanes {
			return
		}
		l = &lane{id: id}
		t.lanes[id] = l
	}
	at := r.TimeNs - min(r.TimeNs, t.start)
	for at/t.width >= numBins {
		t.widen()
	}
	if r.Lock.Known {
		l.bins[at/t.width][r.Lock.V]++
	}
	l.writes++
	l.waitNs += r.WaitNs.V
}

// widen doubles the length of the bins.
func (t *timeline) widen() {
	t.width *= 2
	for _, l := range t.lanes {
		var bins [numBins]bin
		for i, b := range l.bins {
			for k := range b {
				bins[i/2][k] += b[k]
			}
		}
		l.bins = bins
	}
}

// most returns the n inodes whose writes waited the longest, then those with the most
// writes.
func (t *timeline) most(n int) []*lane {
	out := slices.SortedFunc(maps.Values(t.lanes), func(a, b *lane) int {
		return cmp.Or(cmp.Compare(b.waitNs, a.waitNs), cmp.Compare(b.writes, a.writes), cmp.Compare(a.id.Ino, b.id.Ino), cmp.Compare(a.id.Dev, b.id.Dev), cmp.Compare(a.id.Generation, b.id.Generation))
	})
	return out[:min(n, len(out))]
}

// used is the number of bins up to the last that is not empty.
func (t *timeline) used() int {
	n := 1
	for _, l := range t.lanes {
		for i, b := range l.bins {
			if b != (bin{}) {
				n = max(n, i+1)
			}
		}
	}
	return n
}
