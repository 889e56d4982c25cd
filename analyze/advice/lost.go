package advice

import (
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// holder is a write that was exclusive, and why.
type holder struct {
	id    uint64
	cause cause
}

// refusedTry is one that NOWAIT ended, and waits for the next try of its request.
type refusedTry struct {
	request uint64
	ended   uint64 // ns of CLOCK_MONOTONIC
	at      observe.Point
}

// spread makes a place of a number. Ids have the CPU above the count.
func spread(n uint64, places int) int { return int(n * 0x9e3779b97f4a7c15 >> 40 % uint64(places)) }

// hold remembers an exclusive write for those who waited behind it, which are told of later.
func (c *Counter) hold(o *observe.Observation, cause cause) {
	c.held[spread(o.ID, maxHolders)] = holder{o.ID, cause}
}

// again counts what a request loses by tries that NOWAIT refuses: the try, and the time until
// the next one begins. A timestamp that has to be updated is a cause of its own; what else
// NOWAIT refuses is lost by the cause for which the next try is exclusive.
func (c *Counter) again(f *file, o *observe.Observation, cause cause) {
	slot := &c.failed[spread(o.Request, maxRefused)]
	if at, refused := o.Refused(); refused {
		if at == observe.AtTimes {
			f.cause[nowaitTimestamps].ns += o.LatencyNs
		}
		*slot = refusedTry{o.Request, o.Time + o.LatencyNs, at}
		return
	}
	if o.Try < 2 || slot.request != o.Request || o.Time < slot.ended {
		return
	}
	gap := o.Time - slot.ended
	c.total += gap // the request took it, and no try has it
	switch {
	case slot.at == observe.AtTimes:
		f.cause[nowaitTimestamps].ns += gap
	case slot.at == observe.AtExclusive || slot.at == observe.AtWait || slot.at == observe.AtAllocation:
		f.cause[cause].ns += gap
	}
	*slot = refusedTry{}
}

// blame counts what a write waited for i_rwsem, to the causes of those who held it and to its
// own when it is exclusive.
func (c *Counter) blame(f *file, o *observe.Observation, own cause) {
	if !exclusive(o) && own != fallback {
		own = none
	}
	rest := o.WaitNs
	for i := range o.Waits {
		for n := range o.Waits[i].Parts {
			p := &o.Waits[i].Parts[n]
			ns := min(rest, p.Ns)
			rest -= ns
			c.blamePart(f, p, ns, own)
		}
	}
	f.cause[own].ns += rest // of none it is never read
}

// blamePart counts one part of a wait.
func (c *Counter) blamePart(f *file, p *observe.Part, ns uint64, own cause) {
	by, op := c.causeOfHolder(p.Op, p.ID)
	if n := len(p.Behind); p.Cause == observe.CauseQueued && n > 0 {
		// It is for whom that one waited, unless that was shared: then it was not in the way of
		// this write, and the one that is queued is.
		if cause, its := c.causeOfHolder(p.Behind[n-1].Op, p.Behind[n-1].ID); cause != none {
			by, op = cause, its
		}
	}
	if by == fallocateBeside {
		c.facts[by].ops[op]++
	}
	if by == readersBeside || by == fallocateBeside {
		c.facts[by].waits++
		f.cause[by].writes++
		f.cause[by].ns += ns
		return // it is they who are in the way
	}
	f.cause[by].ns += ns
	if own != by {
		f.cause[own].ns += ns
	}
}

// causeOfHolder tells why somebody is in the way of others: none of a write that is shared. Of
// an operation it tells which kind it is.
func (c *Counter) causeOfHolder(op string, id uint64) (cause, opKind) {
	kind := opOf(op)
	switch {
	case op == observe.OpWrite:
		if h := &c.held[spread(id, maxHolders)]; h.id == id {
			return h.cause, kind
		}
	case op == record.HoldRead.String():
		return readersBeside, kind
	case kind != opNone:
		return fallocateBeside, kind
	}
	return none, kind
}

// Hold takes somebody who held i_rwsem and made no recorded write. It keeps nothing of h.
func (c *Counter) Hold(h *observe.Hold) {
	f := c.files[h.File().FileID]
	if f == nil || h.Kind != record.HoldRead || h.QueuedNs == 0 {
		return
	}
	f.cause[readersBeside].ns += h.QueuedNs
	c.facts[readersBeside].reads++
	c.total += h.QueuedNs
}

// opKind is what somebody does who changes the size or the blocks of a file.
type opKind uint8

// Kinds of operations.
const (
	opNone opKind = iota
	opFallocate
	opPunch
	opTruncate
	numOps = iota
)

// opOf is the kind of an operation as holders have it.
func opOf(op string) opKind {
	switch {
	case op == "truncate":
		return opTruncate
	case op == record.HoldFallocate.String():
		return opFallocate
	case strings.HasPrefix(op, record.HoldFallocate.String()+":"):
		return opPunch
	}
	return opNone
}
