package export

import (
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export/safe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// holdLine is one time that somebody held i_rwsem who made no recorded write. What has a
// meaning for some operations only is null for the others.
type holdLine struct {
	Kind        string        `json:"kind" doc:"hold"`
	TimeNs      uint64        `json:"time_ns" doc:"entry of its function, CLOCK_MONOTONIC"`
	FromNs      uint64        `json:"from_ns" doc:"it had the lock from then on, CLOCK_MONOTONIC"`
	ToNs        uint64        `json:"to_ns" doc:"until then"`
	HeldNs      uint64        `json:"held_ns" doc:"how long that is"`
	QueuedNs    uint64        `json:"queued_ns" doc:"how long it was queued for the lock before"`
	Bound       bool          `json:"bound" doc:"when it took the lock, or when it let go of it, was not seen"`
	Flags       []string      `json:"flags" doc:"what is known of that: queued (from_ns is exact), wide (its function may have had the lock for a part of this time only), owner (the lock itself said who held it), inside (it held it still when tracing ended), before (it may have held it before tracing)"`
	Op          name          `json:"op" doc:"what it does: direct-read, buffered-write, fallocate:punch-hole, truncate and so on, see holders.md"`
	Mode        *string       `json:"mode" doc:"mode of the lock: shared or exclusive; null when that is not known"`
	Comm        name          `json:"comm" doc:"name of its thread"`
	Pid         uint32        `json:"pid" doc:"its process"`
	Tid         uint32        `json:"tid" doc:"its thread"`
	GlobalTid   *uint32       `json:"global_tid" doc:"thread in the first pid namespace, where the tracer is in another"`
	Dev         string        `json:"dev" doc:"device of the file, MAJOR:MINOR"`
	Ino         uint64        `json:"ino" doc:"its inode number"`
	Generation  uint32        `json:"generation" doc:"generation of the inode"`
	Path        *name         `json:"path" doc:"name of the file, null when it is not known"`
	Pos         *int64        `json:"pos" doc:"where in the file, bytes; null of an operation without"`
	Len         *int64        `json:"len" doc:"how much of it, bytes; of truncate the new size; null of an operation without"`
	DrainNs     uint64        `json:"drain_ns" doc:"how long it waited for direct I/O in flight (inode_dio_wait) with the lock held"`
	DrainAtNs   *uint64       `json:"drain_at_ns" doc:"since when, CLOCK_MONOTONIC; null when none was in flight"`
	DrainCount  *uint32       `json:"drain_count" doc:"how much was in flight then (i_dio_count)"`
	DrainWrites *int          `json:"drain_writes" doc:"how many recorded writes were"`
	DrainedFor  []drainedLine `json:"drained_for" doc:"some of them: comm, pid, tid, and write, the number of the write"`
}

// name is a text of the system, which is told as in the line of a write.
type name string

// MarshalJSON implements json.Marshaler.
func (n name) MarshalJSON() ([]byte, error) { return safe.AppendJSON(nil, string(n)), nil }

// drainedLine is a write that was waited for.
type drainedLine struct {
	Comm  name   `json:"comm"`
	Pid   uint32 `json:"pid"`
	Tid   uint32 `json:"tid"`
	Write uint64 `json:"write"`
}

// holdFlags are the names of record.Holder*, the lowest bit first.
var holdFlags = [...]string{"queued", "wide", "owner", "inside", "before"}

// placedOps are the operations that are called with a place in the file.
var placedOps = []record.HoldOp{record.HoldWrite, record.HoldRead, record.HoldBuffered, record.HoldFallocate, record.HoldSeek}

// AppendHold appends the line of somebody who held i_rwsem; path is the name of the file,
// empty when that is not known.
func AppendHold(dst []byte, h *observe.Hold, path string) []byte {
	l := holdLine{
		Kind: KindHold, TimeNs: h.Time, FromNs: h.From, ToNs: h.To, HeldNs: h.To - h.From, QueuedNs: h.QueuedNs, Bound: h.Bound(),
		Flags: []string{}, Op: name(h.Op), Mode: orNull(ModeName(h.Mode)), Comm: name(h.Comm), Pid: h.Pid, Tid: h.Tid,
		Dev: DevName(h.Dev), Ino: h.Ino, Generation: h.Generation, Path: orNull(name(path)), DrainNs: h.DrainNs, DrainedFor: []drainedLine{},
	}
	for i, flag := range holdFlags {
		if h.Flags&(1<<i) != 0 {
			l.Flags = append(l.Flags, flag)
		}
	}
	if h.GlobalTid != 0 {
		l.GlobalTid = &h.GlobalTid
	}
	if slices.Contains(placedOps, h.Kind) {
		l.Pos = &h.Pos
	}
	if l.Pos != nil && h.Kind != record.HoldSeek || h.Op == "truncate" {
		l.Len = &h.Len
	}
	if h.DrainAt != 0 {
		l.DrainAtNs, l.DrainCount, l.DrainWrites = &h.DrainAt, &h.DrainCount, &h.DrainWrites
	}
	for i := range h.DrainedFor {
		a := &h.DrainedFor[i]
		l.DrainedFor = append(l.DrainedFor, drainedLine{name(a.Comm), a.Pid, a.Tid, a.Write})
	}
	return appendLine(dst, &l)
}

// orNull is null of an empty text.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// Hold takes somebody who held i_rwsem.
func (w *JSONL) Hold(h *observe.Hold, path string) error {
	w.buf = AppendHold(w.buf, h, path)
	return w.put(FlushBytes)
}
