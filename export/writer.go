package export

import (
	"fmt"
	"io"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Writer takes the rows of a trace one by one, in the order in which they were judged,
// and writes them in one format. It is used by one goroutine.
type Writer interface {
	// Write takes one row, which stays the caller's.
	Write(r *Row) error
	// Close writes what has gathered and what belongs to the end. What is below
	// stays open.
	Close() error
}

// FlushBytes is how much a writer gathers in front of a file.
const FlushBytes = 64 << 10

// Flush writes to out what has gathered in buf, if that is at least so many bytes. what
// names it in an error.
func Flush[B ~[]byte](out io.Writer, buf *B, least int, what string) error {
	if len(*buf) < least {
		return nil
	}
	_, err := out.Write(*buf)
	*buf = (*buf)[:0]
	if err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}

// lines gathers lines in front of out.
type lines struct {
	out io.Writer
	buf []byte
}

func (l *lines) put(least int) error { return Flush(l.out, &l.buf, least, "output") }

// Close writes what has gathered.
func (l *lines) Close() error { return l.put(1) }

// Stream is a Writer of a form that has a place for what is no write.
type Stream interface {
	Writer
	// Lost takes what was lost so far, at its place between the rows.
	Lost(l record.Losses) error
	// End takes what is known at the end. Close follows.
	End(s *Summary) error
}

// JSONL writes one JSON object a line, as AppendJSON makes it, and lines of other kinds.
type JSONL struct {
	lines
	lost record.Losses
}

// JSONLFormat is the format of JSONL.
var JSONLFormat = Format{Name: "jsonl", Help: "one JSON object a line, as live --json", New: func(t Target) Writer { return NewJSONL(t.Out, t.Start) }}

// NewJSONL returns a JSONL in front of out, which begins with start.
func NewJSONL(out io.Writer, start StartLine) *JSONL {
	return &JSONL{lines: lines{out: out, buf: AppendStart(nil, start)}}
}

// Lost implements Stream.
func (w *JSONL) Lost(l record.Losses) error {
	if l.Since(w.lost).Any() {
		w.buf = AppendLoss(w.buf, w.lost, l)
		w.lost = l
	}
	return w.put(FlushBytes)
}

// Note says something between the rows.
func (w *JSONL) Note(text string) { w.buf = AppendNotice(w.buf, text) }

// End implements Stream.
func (w *JSONL) End(s *Summary) error {
	if err := w.Lost(s.Losses); err != nil {
		return err
	}
	w.buf = AppendSummary(w.buf, s)
	return w.put(FlushBytes)
}

// Write takes one row.
func (w *JSONL) Write(r *Row) error {
	w.buf = r.AppendJSON(w.buf)
	return w.put(FlushBytes)
}
