// Package blame tells who was waited for: which writes held i_rwsem while another was
// queued for it.
package blame

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Bounds of what is remembered.
const (
	maxFiles = 1024
	maxHolds = 512 // of one file, the last to get the lock
	maxQueue = 128 // of one file, the last to have waited
	// maxFlights bounds the writes of one file that were queued, the last to complete.
	maxFlights = 256
)

// Finder remembers who held the lock of which file, and who waited for it. It is told of a
// hold once that is over; whoever waited for it is told of later. Its memory is bounded,
// and what it forgets is not known afterwards.
type Finder struct {
	files map[file]*lock
	near  [64]*lock // by the low bits of an inode: most writes are to few files
	last  *Hold     // of the last write
	// others says that holders are recorded that are no writes.
	others bool
}

type file struct {
	dev uint32
	ino uint64
}

// lock is what is remembered of one file.
type lock struct {
	file
	holds, queue ring
	flights      ring // direct I/O that went on when its function had returned
}

// NewFinder returns a Finder that knows nothing. others says that holders are recorded that
// make no writes.
func NewFinder(others bool) *Finder { return &Finder{files: make(map[file]*lock), others: others} }

// Add takes a write whose record has come. It allocates nothing for most.
func (f *Finder) Add(o *observe.Observation) {
	f.last = nil
	if len(o.Passes) == 0 && len(o.Waits) == 0 {
		return
	}
	l := f.of(o.Dev, o.Ino)
	for i := range o.Passes {
		h := l.holds.push(maxHolds)
		h.Actor = actor(o)
		h.From, h.To, h.QueuedNs = held(o, i)
		h.Mode = o.Passes[i].Lock
		f.last = h
	}
	if o.Drain != nil && o.Drain.Waited && f.last != nil {
		f.last.DrainNs = o.Drain.Ns
	}
	if b := o.Buffered; b != nil && b.CopyLock == record.LockExclusive {
		h := l.holds.push(maxHolds)
		*h = Hold{Actor: actor(o), From: o.Time + uint64(b.CopyAtUs)*1000, To: o.Time + o.SubmitNs, Mode: b.CopyLock}
	}
	for i := range o.Waits {
		*l.queue.push(maxQueue) = waited(o, i)
	}
}

// Hold takes somebody else who held the lock of a file, and fills in for whom it drained.
func (f *Finder) Hold(h *observe.Hold) {
	f.others = true
	l := f.of(h.Dev, h.Ino)
	k := Hold{Actor: h.Actor, From: h.From, To: h.To, QueuedNs: h.QueuedNs, Mode: h.Mode, bound: h.Bound(), DrainNs: h.DrainNs}
	switch {
	case h.Flags&record.HolderOwner != 0:
		k.seen = owner
	case h.Flags&record.HolderWide != 0:
		k.seen = wide
	}
	if h.DrainNs > 0 {
		k.drained = l.drained(h.DrainAt)
		h.DrainWrites, h.DrainedFor = k.drained.writes, k.drained.named
	}
	*l.holds.push(maxHolds) = k
	if k.seen == exact && h.QueuedNs > 0 {
		*l.queue.push(maxQueue) = Hold{Actor: h.Actor, From: h.From - min(h.QueuedNs, h.From), To: h.From, Mode: h.Mode}
	}
}

// drained lists the writes that were in flight at a time.
func (l *lock) drained(at uint64) *drained {
	d := &drained{}
	for i := range l.flights.list {
		if w := &l.flights.list[i]; w.From < at && w.To >= at {
			d.writes++
			if len(d.named) < maxDrain {
				d.named = append(d.named, w.Actor)
			}
		}
	}
	return d
}

// Explain divides the waits of a write among those who were waited for.
func (f *Finder) Explain(o *observe.Observation) {
	if len(o.Waits) == 0 {
		return
	}
	l := f.of(o.Dev, o.Ino)
	for i := range o.Waits {
		w := waited(o, i)
		o.Waits[i].Parts = Parts(&w, l.holds.list, l.queue.list, f.others)
	}
}

// Number says which number a write has got that is over.
func (f *Finder) Number(o *observe.Observation, number uint64) {
	if o.Queued && f.others && o.Completed {
		w := f.of(o.Dev, o.Ino).flights.push(maxFlights)
		*w = Hold{Actor: actor(o), From: o.Time, To: o.Time + o.LatencyNs}
		if p := o.LastPass(); p != nil { // until then it waited for the lock, at most
			w.From += uint64(p.AtUs) * 1000
		}
		w.Write = number
	}
	if len(o.Passes) == 1 && len(o.Waits) == 0 && o.Buffered == nil && f.last != nil && f.last.ID == o.ID {
		f.last.Write = number
		return
	}
	if len(o.Passes) == 0 && len(o.Waits) == 0 {
		return
	}
	l := f.of(o.Dev, o.Ino)
	l.holds.number(o.ID, number)
	if len(o.Waits) > 0 {
		l.queue.number(o.ID, number)
	}
}

func actor(o *observe.Observation) observe.Actor {
	return observe.Actor{Op: observe.OpWrite, Comm: o.Comm, Pid: o.Pid, Tid: o.Tid, ID: o.ID}
}

// held is when o held the lock in its pass i: until it was queued again, made the next
// pass, or returned. The lock was got at the end of the wait right before the pass.
func held(o *observe.Observation, i int) (from, to, queued uint64) {
	const close = 1000 // times are cut to microseconds
	before := uint64(0)
	from, to = o.Time+uint64(o.Passes[i].AtUs)*1000, o.Time+o.SubmitNs
	pass := from
	if i > 0 {
		before = o.Time + uint64(o.Passes[i-1].AtUs)*1000
	}
	if i+1 < len(o.Passes) {
		to = o.Time + uint64(o.Passes[i+1].AtUs)*1000
	}
	for k := range o.Waits {
		switch w := waited(o, k); {
		case w.To > before && w.To <= pass+close:
			from, queued = w.To, w.To-w.From
		case w.From >= pass:
			to = min(to, w.From)
		}
	}
	return min(from, to), to, queued
}

// waited is when o was queued in its wait i.
func waited(o *observe.Observation, i int) Hold {
	w := &o.Waits[i]
	to := o.Time + uint64(w.AtUs)*1000
	return Hold{Actor: actor(o), From: to - min(w.Ns, to), To: to, Mode: w.Lock}
}

// of finds the lock of a file. When there are too many, all are forgotten.
func (f *Finder) of(dev uint32, ino uint64) *lock {
	k := file{dev, ino}
	near := &f.near[(ino^uint64(dev))%uint64(len(f.near))]
	if l := *near; l != nil && l.file == k {
		return l
	}
	l := f.files[k]
	if l == nil {
		if len(f.files) >= maxFiles {
			clear(f.files)
			clear(f.near[:])
		}
		l = &lock{file: k}
		f.files[k] = l
	}
	*near = l
	return l
}

// ring is a list of the last holds, in no order once it is full.
type ring struct {
	list []Hold
	next int // the oldest, once the list is full
}

// push makes room for one more of at most so many. What is there is to be overwritten.
func (r *ring) push(most int) *Hold {
	if len(r.list) < most {
		r.list = append(r.list, Hold{})
		return &r.list[len(r.list)-1]
	}
	h := &r.list[r.next]
	h.Write, h.seen, h.bound, h.DrainNs, h.drained = 0, exact, false, 0, nil
	r.next = (r.next + 1) % most
	return h
}

// number gives a number to all holds of a write.
func (r *ring) number(id, number uint64) {
	for i := range r.list {
		if r.list[i].ID == id {
			r.list[i].Write = number
		}
	}
}
