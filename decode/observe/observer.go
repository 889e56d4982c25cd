package observe

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

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

	pending waiting[*Observation]    // queued writes without completion
	early   waiting[record.Complete] // completions without write
	budgets waiting[budgetRecord]    // of writes whose last record has not come
	pool    []*Observation

	// Arrived is called with every write when its record comes: a queued one has no
	// completion then. Nil for nothing.
	Arrived func(*Observation)
	// Held is called with everybody else who held i_rwsem; the Hold is valid during the call
	// only. Nil for nothing.
	Held func(*Hold)
	held Hold
	// Orphans counts completions whose write was never seen.
	Orphans uint64
	// Unpaired counts queued writes that were handed out without a completion.
	Unpaired uint64
}

// NewObserver returns an Observer that hands every observation to emit. The
// observation is valid during the call only: Clone it to keep it.
func NewObserver(emit func(*Observation)) *Observer {
	return &Observer{
		emit: emit, comms: make(map[[16]byte]string),
		pending: newWaiting[*Observation](), early: newWaiting[record.Complete](),
		budgets: newWaiting[budgetRecord](),
	}
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
		if err = record.ParseWrite(raw, &ob.w); err == nil {
			ob.write(&ob.w)
		}
		return err
	case record.KindComplete:
		var c record.Complete
		if err := record.ParseComplete(raw, &c); err != nil {
			return err
		}
		ob.complete(c)
		return nil
	case record.KindHold:
		return ob.hold(raw)
	case record.KindBudget:
		return ob.budget(raw)
	case record.KindName: // of a file, which is none of the facts of a write
		return nil
	}
	return fmt.Errorf("decode record: %w: %d", record.ErrKind, kind)
}

func (ob *Observer) hold(raw []byte) error {
	var r record.Hold
	if err := record.ParseHold(raw, &r); err != nil {
		return err
	}
	if ob.Held != nil {
		ob.held.fill(&r, ob.comm(&r.Comm))
		ob.Held(&ob.held)
	}
	return nil
}

// Flush hands out the queued writes whose completion has not come.
func (ob *Observer) Flush() {
	for ob.pending.len() > 0 {
		ob.unpaired(ob.pending.oldest())
	}
	ob.Orphans += uint64(ob.early.len())
	ob.early = newWaiting[record.Complete]()
}

// Expire hands out the queued writes that began before t, ns of CLOCK_MONOTONIC,
// and whose completion has not come: it was lost.
func (ob *Observer) Expire(t uint64) {
	for ob.pending.len() > 0 {
		o := ob.pending.oldest()
		if o.Time >= t {
			return
		}
		ob.unpaired(o)
	}
}

// Pending is the number of queued writes that wait for their completion.
func (ob *Observer) Pending() int { return ob.pending.len() }

// EachPending calls f with each of them, which it must not change.
func (ob *Observer) EachPending(f func(*Observation)) {
	for _, o := range ob.pending.byID {
		f(o)
	}
}

func (ob *Observer) write(w *record.Write) {
	queued := w.Stages.Has(record.StageReturn) && w.Ret == model.EIOCBQUEUED
	c, early := ob.early.take(w.ID)
	if !queued || early {
		// A write that could have been queued and was not has a completion, too:
		// all its I/O was over before the submission ended.
		ob.sync.fill(w, ob.comm(&w.Comm))
		ob.arrived(&ob.sync)
		if queued {
			ob.sync.finish(c)
		}
		ob.spent(&ob.sync)
		ob.emit(&ob.sync)
		return
	}
	if old, ok := ob.pending.byID[w.ID]; ok {
		ob.unpaired(old) // the same id twice: a broken stream
	} else if ob.pending.len() >= maxPending {
		ob.unpaired(ob.pending.oldest())
	}
	o := ob.take()
	o.fill(w, ob.comm(&w.Comm))
	ob.arrived(o)
	ob.pending.put(w.ID, o)
}

func (ob *Observer) arrived(o *Observation) {
	if ob.Arrived != nil {
		ob.Arrived(o)
	}
}

func (ob *Observer) complete(c record.Complete) {
	if o, ok := ob.pending.take(c.ID); ok {
		o.finish(c)
		ob.spent(o)
		ob.emit(o)
		ob.pool = append(ob.pool, o)
		return
	}
	if ob.early.len() >= maxPending {
		ob.early.take(ob.early.oldest().ID)
		ob.Orphans++
	}
	ob.early.put(c.ID, c)
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

// unpaired hands out a pending write whose completion will not come.
func (ob *Observer) unpaired(o *Observation) {
	ob.pending.take(o.ID)
	ob.budgets.take(o.ID)
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

// waiting holds what waits for its other half, by the id of the write, and the order in
// which it came.
type waiting[T any] struct {
	byID map[uint64]T
	// ids are in order of arrival from head on. Those that were taken meanwhile stay
	// until they are the oldest or most of them are such.
	ids  []uint64
	head int
}

func newWaiting[T any]() waiting[T] { return waiting[T]{byID: make(map[uint64]T)} }

func (q *waiting[T]) len() int { return len(q.byID) }

func (q *waiting[T]) put(id uint64, v T) {
	if len(q.byID) == 0 {
		q.ids, q.head = q.ids[:0], 0
	}
	if len(q.ids) > 4*len(q.byID)+1024 {
		kept := q.ids[:0]
		for _, old := range q.ids[q.head:] {
			if _, ok := q.byID[old]; ok {
				kept = append(kept, old)
			}
		}
		q.ids, q.head = kept, 0
	}
	q.byID[id] = v
	q.ids = append(q.ids, id)
}

func (q *waiting[T]) take(id uint64) (v T, ok bool) {
	if len(q.byID) == 0 {
		return v, false
	}
	if v, ok = q.byID[id]; ok {
		delete(q.byID, id)
	}
	return v, ok
}

// oldest is what came first and still waits. Something must be waiting.
func (q *waiting[T]) oldest() T {
	for {
		if v, ok := q.byID[q.ids[q.head]]; ok {
			return v
		}
		q.head++
	}
}
