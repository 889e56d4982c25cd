package whatif

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// part is what a step is.
type part uint8

const (
	aWrite    part = iota
	aHold          // somebody holds the lock and makes no write that is recorded
	aTransfer      // likewise, for as long as his I/O takes
	aBeside        // a write that the answer is not about
)

// writes reports whether a step is a write, counted or not.
func (s *step) writes() bool { return s.part == aWrite || s.part == aBeside }

// Holds counts those who held i_rwsem and made no recorded write.
type Holds struct {
	Recorded  string            `json:"recorded"`         // all, or auto: those that a write waited for
	Simulated map[string]uint64 `json:"simulated"`        // by what they did
	Open      uint64            `json:"without_duration"` // of which it is not known for how long they held it
	Unseen    []string          `json:"unseen,omitempty"` // for whom there was no probe
}

// maxOps bounds the kinds of them that are told apart.
const maxOps = 32

// count takes one, and reports whether it can be simulated.
func (c *Holds) count(h *observe.Hold) bool {
	locked := h.Mode == record.LockShared || h.Mode == record.LockExclusive
	if h.Flags&record.HolderOwner != 0 || !locked || h.To <= h.From {
		c.Open++
		return false
	}
	if c.Simulated == nil {
		c.Simulated = map[string]uint64{}
	}
	op := h.Op
	if _, known := c.Simulated[op]; !known && len(c.Simulated) >= maxOps {
		op = record.HoldUnknown.String()
	}
	c.Simulated[op]++
	return true
}

// told is c, nil when nobody was recorded.
func (c *Holds) told() *Holds {
	if c.Recorded != "all" && c.Recorded != "auto" && c.simulated()+c.Open == 0 {
		return nil
	}
	return c
}

func (c *Holds) simulated() (n uint64) {
	for _, k := range c.Simulated {
		n += k
	}
	return n
}

// list names what they did, the most frequent first.
func (c *Holds) list() string {
	var ops []string
	for op := range c.Simulated {
		ops = append(ops, op)
	}
	slices.SortFunc(ops, func(a, b string) int { return cmp.Or(cmp.Compare(c.Simulated[b], c.Simulated[a]), cmp.Compare(a, b)) })
	for i, op := range ops {
		ops[i] = fmt.Sprintf("%d %s", c.Simulated[op], op)
	}
	return strings.Join(ops, ", ")
}

// drains reports whether one waits for direct I/O in flight, whether there was some or not.
func drains(h *observe.Hold) bool {
	return h.DrainAt != 0 || h.Kind == record.HoldFallocate || h.Op == "truncate"
}

// hold takes the times of somebody who held the lock. Who was called with it held has got
// it before his function began.
func (s *step) hold(h *observe.Hold) {
	entry := min(h.Time, h.From-min(h.QueuedNs, h.From))
	s.part, s.now = aHold, way{lock: Shared, drain: drains(h)}
	if h.Mode == record.LockExclusive {
		s.now.lock = Exclusive
	}
	for i := range s.then {
		s.then[i] = s.now
	}
	s.entry, s.locked, s.queue = int64(entry), int64(h.From-entry), int64(h.QueuedNs)
	s.pre, s.waited = s.locked-s.queue, s.queue
	s.end = int64(h.To - entry)
	s.done = s.end
	held := int64(h.To - h.From)
	if h.DrainAt > h.From && h.DrainAt < h.To {
		s.check = int64(h.DrainAt - h.From)
	}
	held = max(0, held-s.check-int64(h.DrainNs))
	if s.submit = held; h.Kind == record.HoldRead || h.Kind == record.HoldWrite {
		s.part, s.submit, s.device = aTransfer, 0, held
	}
}

// hold takes up somebody who held the lock of a file.
func (w *window) hold(h *observe.Hold) {
	var st step
	st.hold(h)
	id := fileID{h.Dev, h.Ino, h.Generation}
	st.file, st.writer = placeOf(w.fileOf, id, &w.files, id), placeOf(w.taskOf, h.Thread(), &w.writers, task{h.Pid, h.Comm})
	w.steps = append(w.steps, st)
}

// held says what is assumed of those who held the lock and made no recorded write; others
// are the writes, of so many, that waited for somebody who is not in the trace.
func (r *Report) held(others, writes int) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	h := cmp.Or(r.Holds, &Holds{})
	n := h.simulated()
	if h.Open > 0 {
		say("for how long %d others held i_rwsem is not known: they are not simulated", h.Open)
	}
	for _, who := range h.Unseen {
		say("not recorded, for want of a probe: %s", who)
	}
	const as = "simulated as they held i_rwsem while there were writes, each in the loop of its thread"
	switch {
	case h.Recorded == "auto" && n > 0:
		say("%s that a write waited for are %s; those that no write waited for are not recorded (record --holders all)", h.list(), as)
	case n > 0:
		say("%s are %s", h.list(), as)
	case h.Recorded == "all":
	case h.Recorded == "auto":
		say("no write waited for a read, buffered write or truncate; those that no write waited for are not recorded (record --holders all)")
	case others == 0:
		say("reads, buffered writes and truncate are not recorded, though they take i_rwsem, too: no wait shows that they did")
	default:
		say("reads, buffered writes and truncate are not recorded: before %d of %d writes they held i_rwsem, and do so for as long before the same writes, unless shared writers came before, beside which reads run", others, writes)
		return all
	}
	if others > 0 {
		say("before %d of %d writes somebody held i_rwsem who is not in the trace, and does so for as long before the same writes, unless shared writers came before", others, writes)
	}
	return all
}

// unexplainedBy says what a wait may come from that the recorded ones do not explain.
func (r *Report) unexplainedBy() string {
	const bursts = "tasks wrote in bursts together"
	switch cmp.Or(r.Holds, &Holds{}).Recorded {
	case "all":
		return bursts + ", or a probe was skipped"
	case "auto":
		return "others held i_rwsem for whom nobody else waited (record --holders all), or " + bursts
	}
	return "others held i_rwsem (reads, buffered writes, truncate), or " + bursts
}
