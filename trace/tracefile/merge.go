package tracefile

import (
	"errors"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Merged hands out the records of several recordings in the order of their times. In
// each recording they stay in their order, which is that of their ends, so that the
// result is as near to order as each recording is.
//
// Ids of writes are unique in one recording only: whoever pairs writes with completions
// has to do it for each apart.
type Merged struct {
	from  []*Recording
	heads []mergeHead
	last  int  // whose record was handed out; -1 before the first
	wall  bool // times of different boots: by the clock on the wall
}

type mergeHead struct {
	raw []byte // nil at the end
	t   int64
}

// Merge begins with the first record of each. When all were made in one boot they are
// merged by the clock of the records, otherwise by the one on the wall.
func Merge(recordings ...*Recording) (*Merged, error) {
	m := &Merged{from: recordings, heads: make([]mergeHead, len(recordings)), last: -1}
	for _, r := range recordings {
		if id := r.Info().BootID; id == "" || id != recordings[0].Info().BootID {
			m.wall = true
		}
	}
	for i := range recordings {
		if err := m.advance(i); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// advance reads the next record of one recording.
func (m *Merged) advance(i int) error {
	raw, err := m.from[i].Next()
	if errors.Is(err, record.ErrEnd) {
		m.heads[i].raw = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("merge traces: %w", err)
	}
	m.heads[i] = mergeHead{raw: raw, t: m.time(i, raw)}
	return nil
}

// time is that of a record; one that is cut off stays where it is.
func (m *Merged) time(i int, raw []byte) int64 {
	t, _, ok := record.TimesOf(raw)
	if !ok {
		return m.heads[i].t
	}
	if m.wall {
		return m.from[i].Info().Wall(t).UnixNano()
	}
	return int64(t)
}

// Next returns the next record and the number of its recording, or record.ErrEnd. The
// bytes are valid until the next call.
func (m *Merged) Next() (raw []byte, from int, err error) {
	if m.last >= 0 {
		if err := m.advance(m.last); err != nil {
			return nil, 0, err
		}
	}
	m.last = -1
	for i := range m.heads {
		if m.heads[i].raw != nil && (m.last < 0 || m.heads[i].t < m.heads[m.last].t) {
			m.last = i
		}
	}
	if m.last < 0 {
		return nil, 0, record.ErrEnd
	}
	return m.heads[m.last].raw, m.last, nil
}
