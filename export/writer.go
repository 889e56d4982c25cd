package export

import (
	"fmt"
	"io"
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

// JSONL writes one JSON object a line, as AppendJSON makes it.
type JSONL struct{ lines }

// JSONLFormat is the format of JSONL.
var JSONLFormat = Format{Name: "jsonl", Help: "one JSON object a line, as live --json", New: func(t Target) Writer { return NewJSONL(t.Out) }}

// NewJSONL returns a JSONL in front of out.
func NewJSONL(out io.Writer) *JSONL { return &JSONL{lines{out: out}} }

// Write takes one row.
func (w *JSONL) Write(r *Row) error {
	w.buf = r.AppendJSON(w.buf)
	return w.put(FlushBytes)
}
