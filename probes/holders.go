package probes

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/ext4dio/ext4dio-trace/record"
)

// holdersInside makes a record of everybody who has i_rwsem of a file now, or is queued for
// it, and makes no recorded write: of those for whom one waits, or of all with HoldersAll.
// The programs fill the record in for these only.
func (s *Session) holdersInside(now uint64) (out [][]byte, err error) {
	if s.ops == nil {
		return nil, nil
	}
	out, err = eachHold(nil, s.ops, &s.state.op, "owner", func(raw []byte, h *record.Hold) bool {
		l := &s.state.op
		if l.number(raw, "unsent") != h.T0 { // it has let go of the lock
			return false
		}
		if since := l.number(raw, "drain_t"); since != 0 {
			h.DrainNs += now - min(since, now)
		}
		switch since := l.number(raw, "wait_t"); {
		case since != 0: // still queued
			h.From = now
			h.QueuedNs += now - min(since, now)
			h.Flags |= record.HolderQueued
		case h.From == 0 && tellsWhenLocked(h.Op):
			return false
		case h.From == 0:
			h.From = h.T0
		}
		h.To = now
		return true
	})
	if err != nil {
		return out, err
	}
	return eachHold(out, s.queue, &s.state.queued, "tid", func(_ []byte, h *record.Hold) bool {
		h.To = now
		return true
	})
}

// tellsWhenLocked is seen_locked of bpf/hold.h.
func tellsWhenLocked(op record.HoldOp) bool {
	return op == record.HoldWrite || op == record.HoldRead || op == record.HoldBuffered || op == record.HoldFallocate
}

// eachHold appends the records with which the structs of a map begin, of those that belong
// to a thread, are filled in and are wanted.
func eachHold(out [][]byte, m *ebpf.Memory, l *layout, thread string, want func(raw []byte, h *record.Hold) bool) ([][]byte, error) {
	raw := make([]byte, l.size)
	for at := 0; at+l.size <= int(m.Size()); at += l.size {
		if _, err := m.ReadAt(raw, int64(at)); err != nil {
			return out, fmt.Errorf("read holders inside: %w", err)
		}
		var h record.Hold
		if l.number(raw, thread) == 0 || record.ParseHold(raw, &h) != nil || h.T0 == 0 || !want(raw, &h) {
			continue
		}
		h.Flags |= record.HolderInside
		out = append(out, h.Append(nil))
	}
	return out, nil
}
