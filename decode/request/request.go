// Package request ties the tries of one request: a write that was refused because it would
// have had to wait, and the same write made again.
//
// io_uring tries each write with IOCB_NOWAIT first, and hands what is refused there to a
// thread of io-wq, which writes it without (io_write, io_wq_submit_work). The loop driver
// does the like with its workqueue (lo_rw_aio_nowait, since 6.18), and applications with
// threads of their own. ext4 is told nothing of the request, so that its tries are known by
// the file, the position, the length and the owner, the oldest first.
package request

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Bounds of what is tied.
const (
	maxOpen = 2048 // refused tries that wait for the next one
	// maxApart is how long after a try the next one may begin, ns. Who gives up and writes
	// the same piece much later makes another request.
	maxApart = 10_000_000_000
	// maxSpin is that for a next one under NOWAIT, which the same thread has to make, ns.
	maxSpin = 10_000_000
	// maxKept is how long a try is kept, ns: the next one is known when it is over.
	maxKept = 120_000_000_000

	nearBits = 14 // of a key
)

// Stats counts tries.
type Stats struct {
	Tries   uint64 // all writes
	Refused uint64 // those that NOWAIT ended
	Retried uint64 // those of them that were made again
	Unknown uint64 // those by io-wq that no other was seen before
	Evicted uint64 // refused ones that were forgotten to bound the memory, while a retry was still possible
}

// Requests is how many requests the tries were for.
func (s *Stats) Requests() uint64 { return s.Tries - s.Retried }

// Abandoned is how many refused tries no other was seen behind.
func (s *Stats) Abandoned() uint64 { return s.Refused - s.Retried }

// key is what the tries of a request have in common.
type key struct {
	dev      uint32
	gen      uint32 // of the inode
	owner    uint32 // tgid; threads of io-wq are threads of the process
	ino      uint64
	pos, len int64
}

// anywhere is the position of a write with O_APPEND, whose first try moves ki_pos.
const anywhere = -1

func keyOf(o *observe.Observation) key {
	k := key{o.Dev, o.Generation, o.Pid, o.Ino, o.Pos0, o.Len0}
	if o.Flags&model.IocbAppend != 0 {
		k.pos = anywhere
	}
	if o.Caller == record.CallerLoop {
		k.owner = 0 // whoever happens to submit to the loop device
	}
	return k
}

// bits are some bits of k.
func (k *key) bits() uint64 {
	return (k.ino ^ uint64(k.pos)<<20 ^ uint64(k.len)<<40 ^ uint64(k.owner)<<8) * 0x9e3779b97f4a7c15 >> (64 - nearBits)
}

// try is a refused one that waits for the next.
type try struct {
	key     key
	request uint64
	began   uint64 // the first one, ns
	ended   uint64
	comm    string
	tid     uint32
	number  int
	tied    bool
	younger *try // of the same key
}

// Tracker ties tries in the order in which they end. Its memory is bounded, and while
// nothing is refused a write costs it nothing.
type Tracker struct {
	Stats Stats

	oldest map[key]*try
	// near counts them by a few bits of their keys, which spares most writes the map.
	near  []uint16
	queue []*try // by age; of those that are tied until their turn
	head  int
	spare []*try
}

// New returns a Tracker that has seen nothing.
func New() *Tracker { return &Tracker{} }

// Add tells o which request it is a try of.
func (t *Tracker) Add(o *observe.Observation) {
	t.Stats.Tries++
	o.Request, o.Try, o.RequestBegan = numberOf(o.ID), 1, o.Time
	nowait := o.Flags&model.IocbNowait != 0
	if before := t.find(o, nowait); before != nil {
		t.Stats.Retried++
		o.Request, o.Try, o.RequestBegan = before.request, before.number+1, before.began
		if o.Caller == record.CallerIOWQ {
			o.Comm = before.comm // a thread of io-wq is known by who asked for the write
		}
	} else if o.Caller == record.CallerIOWQ && !nowait {
		t.Stats.Unknown++
		o.Try = 0
	}
	if !nowait {
		return
	}
	if _, refused := o.Refused(); refused {
		t.Stats.Refused++
		t.keep(o)
	}
}

// numberOf makes a number, from 1, of an id that a float64 holds, too: CPU and count change
// places.
func numberOf(id uint64) uint64 {
	const countBits, cpuBits = 48, 13
	return ((id&(1<<countBits-1))<<cpuBits | id>>countBits) + 1
}

// find takes the try that o follows out of those that wait, nil for none.
func (t *Tracker) find(o *observe.Observation, nowait bool) *try {
	if len(t.oldest) == 0 {
		return nil
	}
	k := keyOf(o)
	if t.near[k.bits()] == 0 {
		return nil
	}
	var elder *try
	for e := t.oldest[k]; e != nil; elder, e = e, e.younger {
		if o.Time < e.ended || o.Time-e.ended > maxApart || nowait && (e.tid != o.Tid || o.Time-e.ended > maxSpin) {
			continue
		}
		t.unlink(elder, e)
		return e
	}
	return nil
}

// unlink takes e, which follows elder, out of those of its key.
func (t *Tracker) unlink(elder, e *try) {
	e.tied = true
	t.near[e.key.bits()]--
	switch {
	case elder != nil:
		elder.younger = e.younger
	case e.younger != nil:
		t.oldest[e.key] = e.younger
	default:
		delete(t.oldest, e.key)
	}
}

// keep lets a refused o wait for the next try.
func (t *Tracker) keep(o *observe.Observation) {
	t.forget(o.Time)
	e := t.room()
	*e = try{
		key: keyOf(o), request: o.Request, began: o.RequestBegan, ended: o.Time + o.LatencyNs,
		comm: o.Comm, tid: o.Tid, number: o.Try,
	}
	t.queue = append(t.queue, e)
	t.near[e.key.bits()]++
	last := t.oldest[e.key]
	if last == nil {
		t.oldest[e.key] = e
		return
	}
	for last.younger != nil {
		last = last.younger
	}
	last.younger = e
}

// forget drops what is too old at an instant, and the oldest of too many.
func (t *Tracker) forget(now uint64) {
	for ; t.head < len(t.queue); t.head++ {
		e := t.queue[t.head]
		full := len(t.queue)-t.head >= maxOpen
		if !e.tied && !full && e.ended+maxKept > now {
			break
		}
		if !e.tied {
			if e.ended+maxApart > now {
				t.Stats.Evicted++
			}
			t.unlink(nil, e) // the oldest of all is the oldest of its key
		}
		t.spare = append(t.spare, e)
	}
	if t.head > maxOpen {
		t.queue = append(t.queue[:0], t.queue[t.head:]...)
		t.head = 0
	}
}

// room is a try to be filled in. All of them are made at once, for the first.
func (t *Tracker) room() *try {
	if t.oldest == nil {
		t.near = make([]uint16, 1<<nearBits)
		t.oldest, t.queue = make(map[key]*try, maxOpen), make([]*try, 0, 2*maxOpen+1)
		all := make([]try, maxOpen)
		for i := range all {
			t.spare = append(t.spare, &all[i])
		}
	}
	e := t.spare[len(t.spare)-1]
	t.spare = t.spare[:len(t.spare)-1]
	return e
}
