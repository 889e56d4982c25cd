package observe

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
)

// eiocbqueued is what the write function returns for a write that goes on
// asynchronously.
const eiocbqueued = -529

// maxPending bounds the queued writes that wait for their completion, and the
// completions that came before their write. The probes keep no more either.
const maxPending = 16384

// maxComms bounds the command names that are kept.
const maxComms = 4096

const nearComms = 64 // a power of two

// Observer puts observations together from raw records. It is not safe for
// concurrent use. Its memory is bounded, and an ordinary write allocates nothing.
type Observer struct {
	emit  func(*Observation)
	w     record.Write
	sync  Observation // for writes that are over when their record comes
	comms map[[16]byte]string
	// near has the names of the last writes, of which the next one most often has one.
	near [nearComms]struct {
		raw  [16]byte
		comm string
	}

	pending map[uint64]*Observation // queued writes without completion
	queue   fifo                    // their ids, oldest first
	early   map[uint64]record.Complete
	earlyQ  fifo
	pool    []*Observation

	isPending, isEarly func(id uint64) bool

	// Orphans counts completions whose write was never seen.
	Orphans uint64
	// Unpaired counts queued writes that were handed out without a completion.
	Unpaired uint64
}

// NewObserver returns an Observer that hands every observation to emit. The
// observation is valid during the call only: Clone it to keep it.
func NewObserver(emit func(*Observation)) *Observer {
	ob := &Observer{
		emit:    emit,
		comms:   make(map[[16]byte]string),
		pending: make(map[uint64]*Observation),
		early:   make(map[uint64]record.Complete),
	}
	ob.isPending = func(id uint64) bool { _, ok := ob.pending[id]; return ok }
	ob.isEarly = func(id uint64) bool { _, ok := ob.early[id]; return ok }
	return ob
}

// Feed takes one raw record. An asynchronous write is handed out when both its
// record and its completion have come, in either order. The error wraps
// record.ErrShort or record.ErrKind for a record that is not understood; the
// Observer can be used further.
func (ob *Observer) Feed(raw []byte) error {
	kind, _, err := record.KindOf(raw)
	if err != nil {
		return err
	}
	switch kind {
	case record.KindWrite:
		return ob.feedWrite(raw)
	case record.KindComplete:
		var c record.Complete
		if err := record.ParseComplete(raw, &c); err != nil {
			return err
		}
		ob.complete(c)
		return nil
	}
	return fmt.Errorf("decode record: %w: %d", record.ErrKind, kind)
}

// feedWrite takes a write record.
func (ob *Observer) feedWrite(raw []byte) error {
	if err := record.ParseWrite(raw, &ob.w); err != nil {
		return err
	}
	ob.write(&ob.w)
	return nil
}

// Flush hands out the queued writes whose completion has not come.
func (ob *Observer) Flush() {
	for {
		id, ok := ob.queue.pop()
		if !ok {
			break
		}
		if o, ok := ob.pending[id]; ok {
			ob.unpaired(id, o)
		}
	}
	ob.Orphans += uint64(len(ob.early))
	clear(ob.early)
	ob.earlyQ = fifo{}
}

// Expire hands out the queued writes that began before t, ns of CLOCK_MONOTONIC,
// and whose completion has not come: it was lost.
func (ob *Observer) Expire(t uint64) {
	for ob.queue.head < len(ob.queue.ids) {
		id := ob.queue.ids[ob.queue.head]
		o, ok := ob.pending[id]
		if ok && o.Time >= t {
			return
		}
		ob.queue.head++
		if ok {
			ob.unpaired(id, o)
		}
	}
}

// Pending is the number of queued writes that wait for their completion.
func (ob *Observer) Pending() int { return len(ob.pending) }

func (ob *Observer) write(w *record.Write) {
	queued := w.Stages.Has(record.StageReturn) && w.Ret == eiocbqueued
	c, early := record.Complete{}, false
	if len(ob.early) > 0 {
		if c, early = ob.early[w.ID]; early {
			delete(ob.early, w.ID)
		}
	}
	if !queued || early {
		// A write that could have been queued and was not has a completion, too:
		// all its I/O was over before the submission ended.
		ob.sync.fill(w, ob.comm(&w.Comm))
		if queued {
			ob.sync.finish(c)
		}
		ob.emit(&ob.sync)
		return
	}
	if len(ob.pending) >= maxPending {
		ob.evict()
	}
	o := ob.take()
	o.fill(w, ob.comm(&w.Comm))
	if old, ok := ob.pending[w.ID]; ok {
		ob.unpaired(w.ID, old) // the same id twice: a broken stream
	}
	ob.pending[w.ID] = o
	ob.queue.push(w.ID, len(ob.pending), ob.isPending)
}

func (ob *Observer) complete(c record.Complete) {
	if o, ok := ob.pending[c.ID]; ok {
		delete(ob.pending, c.ID)
		o.finish(c)
		ob.emit(o)
		ob.pool = append(ob.pool, o)
		if len(ob.pending) == 0 {
			ob.queue.reset()
		}
		return
	}
	for len(ob.early) >= maxPending {
		id, ok := ob.earlyQ.pop()
		if !ok {
			break
		}
		if _, ok := ob.early[id]; ok {
			delete(ob.early, id)
			ob.Orphans++
		}
	}
	if len(ob.early) == 0 {
		ob.earlyQ.reset()
	}
	ob.early[c.ID] = c
	ob.earlyQ.push(c.ID, len(ob.early), ob.isEarly)
}

// finish adds the completion to a queued write.
func (o *Observation) finish(c record.Complete) {
	o.Completed, o.Ret = true, c.Ret
	if c.T >= o.Time {
		o.LatencyNs = c.T - o.Time
	} else {
		o.broken("completed before it began")
	}
}

// evict hands out the queued write that waits longest.
func (ob *Observer) evict() {
	for {
		id, ok := ob.queue.pop()
		if !ok {
			return
		}
		if o, ok := ob.pending[id]; ok {
			ob.unpaired(id, o)
			return
		}
	}
}

func (ob *Observer) unpaired(id uint64, o *Observation) {
	delete(ob.pending, id)
	ob.Unpaired++
	ob.emit(o)
	ob.pool = append(ob.pool, o)
}

func (ob *Observer) take() *Observation {
	if n := len(ob.pool); n > 0 {
		o := ob.pool[n-1]
		ob.pool = ob.pool[:n-1]
		return o
	}
	return new(Observation)
}

// comm keeps one string for every command name that was seen.
func (ob *Observer) comm(raw *[16]byte) string {
	e := binary.NativeEndian
	near := &ob.near[(e.Uint64(raw[:])^e.Uint64(raw[8:]))*0x9e3779b97f4a7c15>>58%nearComms]
	if *raw == near.raw {
		return near.comm
	}
	s, ok := ob.comms[*raw]
	if !ok {
		n := bytes.IndexByte(raw[:], 0)
		if n < 0 {
			n = len(raw)
		}
		s = string(raw[:n])
		if len(ob.comms) < maxComms {
			ob.comms[*raw] = s
		}
	}
	near.raw, near.comm = *raw, s
	return s
}

// fifo is a queue of ids. Ids that were paired meanwhile stay in it until they
// reach its front or it is swept.
type fifo struct {
	ids  []uint64
	head int
}

// push adds id. live tells how many ids are still waited for; when most of the
// queue is stale, wanted says which to keep.
func (q *fifo) push(id uint64, live int, wanted func(uint64) bool) {
	if len(q.ids) > 4*live+1024 {
		kept := q.ids[:0]
		for _, old := range q.ids[q.head:] {
			if wanted(old) {
				kept = append(kept, old)
			}
		}
		q.ids, q.head = kept, 0
	}
	q.ids = append(q.ids, id)
}

func (q *fifo) pop() (uint64, bool) {
	if q.head == len(q.ids) {
		q.reset()
		return 0, false
	}
	id := q.ids[q.head]
	q.head++
	return id, true
}

func (q *fifo) reset() { q.ids, q.head = q.ids[:0], 0 }
