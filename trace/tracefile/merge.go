package tracefile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Merged hands out the records of several recordings in the order of their times. In
// each recording they stay in their order, which is that of their ends, so that the
// result is as near to order as each recording is.
//
// Ids of writes are unique in one recording only: whoever pairs writes with completions
// has to do it for each apart.
type Merged struct {
	from []*mergedFrom // those that have a record left
	last *mergedFrom   // whose record was handed out; nil before the first
	wall bool          // times of different boots: by the clock on the wall
}

// mergedFrom is a recording and its next record.
type mergedFrom struct {
	*Recording
	number int
	raw    []byte
	t      int64
}

// Merge begins with the first record of each. When all were made in one boot they are
// merged by the clock of the records, otherwise by the one on the wall.
func Merge(recordings ...*Recording) (*Merged, error) {
	m := &Merged{}
	for i, r := range recordings {
		if id := r.Info().BootID; id == "" || id != recordings[0].Info().BootID {
			m.wall = true
		}
		m.from = append(m.from, &mergedFrom{Recording: r, number: i})
	}
	for _, f := range slices.Clone(m.from) {
		if err := m.advance(f); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// advance reads the next record of one recording.
func (m *Merged) advance(f *mergedFrom) (err error) {
	f.raw, err = f.Recording.Next()
	if errors.Is(err, record.ErrEnd) {
		m.from = slices.DeleteFunc(m.from, func(o *mergedFrom) bool { return o == f })
		return nil
	}
	if err != nil {
		return fmt.Errorf("merge traces: %w", err)
	}
	if t, _, ok := record.TimesOf(f.raw); ok { // one that is cut off stays where it is
		if f.t = int64(t); m.wall {
			f.t = f.Info().Wall(t).UnixNano()
		}
	}
	return nil
}

// Next returns the next record and the number of its recording, or record.ErrEnd. The
// bytes are valid until the next call.
func (m *Merged) Next() (raw []byte, from int, err error) {
	if m.last != nil {
		if err := m.advance(m.last); err != nil {
			return nil, 0, err
		}
	}
	if len(m.from) == 0 {
		m.last = nil
		return nil, 0, record.ErrEnd
	}
	m.last = slices.MinFunc(m.from, func(a, b *mergedFrom) int { return cmp.Compare(a.t, b.t) })
	return m.last.raw, m.last.number, nil
}
