package session

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Marks are those of what is traced now. Its zero value takes marks, and several goroutines may
// use it.
type Marks struct {
	tracefile.Marks
	mu   sync.Mutex
	over bool
}

// Take takes a mark of now: every write that begins after it returned is behind the mark. It is
// a mark.Take.
func (m *Marks) Take(name string) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return 0, errors.New("tracing has ended")
	}
	t, ok := m.Marks.Take(name, clock.Monotonic)
	if !ok {
		return 0, fmt.Errorf("there are %d marks already, and no more are taken", tracefile.MaxMarks)
	}
	return t, nil
}

// end refuses marks from now on: those that were taken are recorded yet.
func (m *Marks) end() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = true
}

// putMarks records the marks that have come. Whatever began behind them is read later.
func (r *Recorder) putMarks() error {
	if r.opts.Marks == nil {
		return nil
	}
	more := r.opts.Marks.From(r.marked)
	r.marked += len(more)
	return r.w.PutMarks(more)
}

// putLastMarks makes a file that is begun begin with the last marks before it: the one in force,
// and those of writes that are under way.
func (r *Recorder) putLastMarks() error {
	if r.opts.Marks != nil {
		r.marked = max(0, r.opts.Marks.Len()-tracefile.RepeatedMarks)
	}
	return r.putMarks()
}

// MarkSink is a Sink that takes marks, too, each before the first write that ended behind it.
type MarkSink interface {
	Mark(m tracefile.Mark)
}

// told tells the sink of the marks up to a time that it does not know yet.
func (t *Trace) tellMarks(until uint64) {
	if t.marks == nil || t.told >= t.marks.Len() {
		return
	}
	sink, _ := t.Sink.(MarkSink)
	for _, m := range t.marks.From(t.told) {
		if m.Time > until {
			return
		}
		if t.told++; sink != nil {
			sink.Mark(m)
		}
	}
}

// tellMarksOf tells of those up to the end of a record.
func (t *Trace) tellMarksOf(raw []byte) {
	if t.marks == nil || t.told >= t.marks.Len() {
		return
	}
	if _, end, ok := record.TimesOf(raw); ok {
		t.tellMarks(end)
	}
}
