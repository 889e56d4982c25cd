package tracefile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// Limits of marks.
const (
	MaxMarkName   = 255     // bytes
	MaxMarks      = 1 << 16 // of one recording
	RepeatedMarks = 256     // of the parts before, with which a part begins
)

// Mark is a name that writes have from a time on, until that of the next mark.
type Mark struct {
	Time uint64 `json:"time_ns"` // of CLOCK_MONOTONIC
	Name string `json:"name"`    // empty: the writes behind it have none
}

// Marks are the marks of a recording in the order of their times. Several goroutines may use
// them. The zero value is empty.
type Marks struct {
	mu   sync.Mutex
	list []Mark
	n    atomic.Int64 // of list, or one more, so that it costs nothing to ask where there are none
}

// Add adds marks. One that is there already, as the parts of a recording repeat it, is added once.
func (m *Marks) Add(marks ...Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range marks {
		at, _ := slices.BinarySearchFunc(m.list, k.Time, func(o Mark, t uint64) int { return cmp.Compare(o.Time, t+1) })
		if at > 0 && m.list[at-1] == k {
			continue
		}
		m.list = slices.Insert(m.list, at, k)
	}
	m.n.Store(int64(len(m.list)))
}

// Take adds a mark of now, behind all others; ok is false when there are too many. A write that
// begins behind its time is not told of an older mark, however soon MarkAt is asked.
func (m *Marks) Take(name string, now func() uint64) (t uint64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.list) >= MaxMarks {
		return 0, false
	}
	m.n.Add(1) // before the time is read: who asks from then on waits for the lock
	t = now()
	if n := len(m.list); n > 0 {
		t = max(t, m.list[n-1].Time+1)
	}
	m.list = append(m.list, Mark{t, name})
	return t, true
}

// Len is how many there are.
func (m *Marks) Len() int { return int(m.n.Load()) }

// MarkAt is the name of the mark in force at a time; empty for none.
func (m *Marks) MarkAt(t uint64) string {
	if m.n.Load() == 0 {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := sort.Search(len(m.list), func(i int) bool { return m.list[i].Time > t }); i > 0 {
		return m.list[i-1].Name
	}
	return ""
}

// From are the marks from a number on, counted from 0.
func (m *Marks) From(first int) []Mark {
	if first >= m.Len() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list[first:])
}

// read adds those of a KindMarks chunk.
func (m *Marks) read(raw []byte) error {
	var more []Mark
	if err := json.Unmarshal(raw, &more); err != nil {
		return fmt.Errorf("%w: marks: %w", ErrFormat, err)
	}
	if m.Len()+len(more) > MaxMarks+RepeatedMarks {
		return fmt.Errorf("%w: more than %d marks", ErrFormat, MaxMarks)
	}
	for _, k := range more {
		if len(k.Name) > MaxMarkName {
			return fmt.Errorf("%w: a mark has a name of %d bytes", ErrFormat, len(k.Name))
		}
	}
	m.Add(more...)
	return nil
}

// PutMarks tells of marks. They stand before the records of the writes that began behind them.
func (w *Writer) PutMarks(marks []Mark) error {
	if len(marks) == 0 {
		return nil
	}
	if w.redact != nil {
		marks = slices.Clone(marks)
		for i := range marks {
			marks[i].Name = w.redact.Mark(marks[i].Name)
		}
	}
	return w.json(KindMarks, marks)
}

// Marks are those of all parts: of a regular file all, of what comes on a pipe those that were
// read. Writes of a part that is not here have the names of the marks that are.
func (c *Recording) Marks() *Marks { return c.parts[0].marks }

// MarkAt is Marks.MarkAt: the mark of a write that began then.
func (c *Recording) MarkAt(t uint64) string { return c.Marks().MarkAt(t) }

// gatherMarks puts the marks of all parts together, those that are read later, too.
func (c *Recording) gatherMarks() {
	all := c.Marks()
	for _, p := range c.parts[1:] {
		all.Add(p.marks.From(0)...)
		p.marks = all
	}
}
