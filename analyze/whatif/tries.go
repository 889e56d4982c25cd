package whatif

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// maxOpen bounds the refused tries that are kept until the next one comes.
const maxOpen = 8192

// opened is what was counted of a refused try. The one that follows takes its place.
type opened struct {
	out   Outcome
	kind  Kind
	bytes int64
	wait  uint64
}

// tries are the last refused ones, by their requests.
type tries struct {
	of    map[uint64]opened
	order []uint64 // a ring
	next  int
}

func (t *tries) put(request uint64, op opened) {
	if t.of == nil {
		t.of = map[uint64]opened{}
	}
	t.of[request] = op
	if len(t.order) < maxOpen {
		t.order = append(t.order, request)
		return
	}
	if old := t.order[t.next]; old != request {
		delete(t.of, old)
	}
	t.order[t.next] = request
	t.next = (t.next + 1) % maxOpen
}

// again counts the next try of a request in place of the refused one before it, op. Where
// the other variant refuses that one, too, or what it does is not known, the request goes
// on as it did: by a thread that may wait. Else it is not refused at all.
func (c *Counter) again(o *observe.Observation, op opened, now way, out Outcome) (way, Outcome) {
	c.uncount(&op)
	c.sum.Retried++
	now.offload = true
	if c.decider.app.NoNowait {
		out.way.offload = byIOUring(o)
		return now, out
	}
	switch op.out.Lock {
	case Shared, Exclusive, Buffered:
		queued := op.out.way.mayQueue && (o.Queued || o.DioFlags&model.DioForceWait != 0)
		out = op.out
		out.way.queued = queued
	default:
		out.way.offload = true
	}
	return now, out
}

// offloaded is what the other variant does with a write of io_uring that it refuses under
// NOWAIT, and this kernel did not: io-wq makes it again.
func (c *Counter) offloaded(o *observe.Observation, out Outcome) Outcome {
	flags := o.Flags
	o.Flags &^= model.IocbNowait
	again := c.decider.Decide(o)
	o.Flags = flags
	if again.Lock == Undecided {
		return out
	}
	again.way.offload = true
	return again
}

// byIOUring reports whether io_uring makes o again when it is refused.
func byIOUring(o *observe.Observation) bool {
	switch o.Caller {
	case record.CallerIOUring, record.CallerIOUringIOPoll, record.CallerIOWQ:
		return true
	}
	return false
}
