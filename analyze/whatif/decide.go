package whatif

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Lock is how a write goes down.
type Lock uint8

// Locks of a write. Refused ends in -EAGAIN under NOWAIT; Ended never comes to
// iomap_dio_rw for another reason; Undecided wants a fact that the trace does not hold.
const (
	Undecided Lock = iota
	Shared
	Exclusive
	Buffered
	Refused
	Ended
	numLocks = iota
)

var lockNames = [numLocks]string{"undecided", "shared", "exclusive", "no direct I/O", "refused", "ended"}

func (l Lock) String() string { return lockNames[l] }

// MarshalText writes the name.
func (l Lock) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// way is how a write takes i_rwsem and gives it back: what the simulation needs.
type way struct {
	lock   Lock
	first  Lock // of a write that restarts: the mode of the first lock
	again  bool // the checks run twice
	drain  bool
	queued bool // the lock is given back while the I/O is in flight
	// offload: another thread makes the write, after a first try was refused.
	offload  bool
	mayQueue bool // the kernel may queue it
}

// Outcome is what another variant does with a write.
type Outcome struct {
	Lock   Lock
	Reason model.Reason
	// From is the least sure origin of the facts about blocks.
	From Origin
	// Missing is the fact for want of which it is not decided.
	Missing string
	// asSeen says that it goes down as in the trace.
	asSeen bool
	way    way
}

// Decider decides writes under another variant. It is not safe for concurrent use.
type Decider struct {
	v    model.Variant
	app  App
	same bool // the kernel is the one that was traced
	d    model.Decision
	hole model.Decision
}

// NewDecider decides under v.
func NewDecider(v model.Variant) *Decider { return &Decider{v: v} }

// Decide decides one write from the facts of its observation.
func (c *Decider) Decide(o *observe.Observation) Outcome {
	if o.Incomplete != "" {
		return Outcome{Missing: "incomplete: " + o.Incomplete}
	}
	if p := len(o.Passes); p > 0 && o.Passes[p-1].Flags&record.PassDAX != 0 {
		return Outcome{Missing: "DAX: its writes take another path"}
	}
	if len(o.Passes) == 0 && o.Buffered == nil && o.Flags&model.IocbNowait == 0 {
		return Outcome{Lock: Ended, Reason: model.ReasonEntry, way: way{lock: Ended}}
	}
	w := world{o: o, v: c.v, app: &c.app}
	in := w.call()
	model.Decide(&c.d, &in, &w, c.v)
	if c.same && !w.touched {
		return asSeen(o)
	}
	if w.either {
		other := world{o: o, v: c.v, app: &c.app, holes: true}
		model.Decide(&c.hole, &in, &other, c.v)
		if !same(&c.d, &c.hole) {
			return Outcome{From: w.from, Missing: "whether a block was a hole or unwritten"}
		}
	}
	if !c.d.Known() {
		if w.missing == "" {
			w.missing = c.d.Missing
		}
		return Outcome{From: w.from, Missing: w.missing}
	}
	return c.outcome(o, &w)
}

// asSeen is a write of which nothing was changed that the kernel looked at.
func asSeen(o *observe.Observation) Outcome {
	now := seen(o)
	now.mayQueue = now.queued
	out := Outcome{Lock: now.lock, asSeen: true, way: now}
	if now.lock == Undecided {
		out.Missing = "the mode of i_rwsem"
	}
	return out
}

// same reports whether two decisions lead to the same locks.
func same(a, b *model.Decision) bool {
	return a.End == b.End && a.Mode == b.Mode && a.Passes == b.Passes && a.Drain == b.Drain && a.ForceWait == b.ForceWait
}

// outcome puts a decision that is known into our words.
func (c *Decider) outcome(o *observe.Observation, w *world) Outcome {
	d := &c.d
	out := Outcome{Reason: d.Reason, From: w.from}
	switch d.End {
	case model.EndDio:
		refused, missing := c.begin(o, w)
		switch out.Lock = Shared; {
		case missing != "":
			return Outcome{From: w.from, Missing: missing}
		case refused:
			out.Lock, out.Reason = Refused, "NOWAIT would have to allocate"
		case d.Mode == model.Exclusive:
			out.Lock = Exclusive
		}
	case model.EndBuffered:
		out.Lock = Buffered
	case model.EndN0, model.EndN1, model.EndN2, model.EndN3, model.EndN4:
		out.Lock = Refused
	default:
		out.Lock = Ended
	}
	out.way = way{
		lock: out.Lock, first: Shared, again: d.Passes > 1, drain: d.Drain == model.Yes,
		mayQueue: d.Queue == model.Yes,
		queued:   d.Queue == model.Yes && (o.Queued || o.DioFlags&model.DioForceWait != 0),
	}
	return out
}

// begin reports whether ext4_iomap_begin gives -EAGAIN under NOWAIT, since it has to
// allocate, or names what is not known about that.
func (c *Decider) begin(o *observe.Observation, w *world) (refused bool, missing string) {
	switch {
	case w.flags()&model.IocbNowait == 0 || c.app.Prewritten:
	case c.v.Has(model.NowaitCachedBegin):
		return false, "whether a block was in the extent status cache"
	case !c.v.Has(model.NowaitNoAlloc):
	case len(o.Mappings) == 0:
		return false, "whether a NOWAIT write would have to allocate"
	default:
		return o.Allocated(), ""
	}
	return false, ""
}

// seen is how the write went down on the kernel that was traced.
func seen(o *observe.Observation) way {
	w := way{lock: Ended, again: len(o.Passes) > 1, drain: o.Drain != nil, queued: o.Queued, first: Shared}
	_, refused := o.Refused()
	switch {
	case o.Incomplete != "":
		w.lock = Undecided
	case refused:
		w.lock, w.again, w.queued = Refused, false, false
	case o.Dio && o.Lock == record.LockExclusive:
		w.lock = Exclusive
	case o.Dio && o.Lock == record.LockShared:
		w.lock = Shared
	case o.Dio:
		w.lock = Undecided
	case o.Buffered != nil:
		w.lock = Buffered
	}
	return w
}
