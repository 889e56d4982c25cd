package session

import (
	"fmt"
	"io"

	"github.com/ext4dio/ext4dio-trace/export"
)

// Lines is a sink that writes rows as text or JSON.
type Lines struct {
	Out   io.Writer
	JSON  bool
	Shows func(r *export.Row) bool // chooses among the writes; nil shows all
	Text  export.Text              // how text looks

	buf  []byte
	head bool // header written
}

// Row implements Sink.
func (s *Lines) Row(r *export.Row) {
	switch {
	case s.Shows != nil && !s.Shows(r):
	case s.JSON:
		s.buf = r.AppendJSON(s.buf)
	default:
		s.buf = s.Text.Append(s.buf, r)
	}
}

// Flush writes what has gathered, and the header even when nothing has, so
// that a reader of lines sees that tracing has begun.
func (s *Lines) Flush(*export.Summary) error {
	if !s.head && !s.JSON {
		s.buf = append(s.Text.AppendHeader(nil), s.buf...)
	}
	s.head = true
	if len(s.buf) == 0 {
		return nil
	}
	_, err := s.Out.Write(s.buf)
	s.buf = s.buf[:0]
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
