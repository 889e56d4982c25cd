package session

import (
	"fmt"
	"io"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Lines is a sink that writes rows as text or JSON, and between them what is lost and what
// else there is to know, at its place.
type Lines struct {
	Out   io.Writer
	JSON  bool
	Shows func(r *export.Row) bool // chooses among the writes; nil shows all
	Holds bool                     // JSON has lines of those who held i_rwsem, too
	Text  export.Text              // how text looks
	Start export.StartLine         // the first line of JSON

	buf  []byte
	head bool // header written
	lost record.Losses
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

// Hold implements HoldSink.
func (s *Lines) Hold(h *observe.Hold, path string) {
	if s.JSON && s.Holds {
		s.buf = export.AppendHold(s.buf, h, path)
	}
}

// Note implements Noter.
func (s *Lines) Note(text string) {
	if s.JSON {
		s.buf = export.AppendNotice(s.buf, text)
	} else {
		s.buf = fmt.Appendf(s.buf, "-- %s\n", export.Safe(text))
	}
}

// Mark implements MarkSink.
func (s *Lines) Mark(m tracefile.Mark) {
	switch {
	case s.JSON:
		s.buf = export.AppendMark(s.buf, m.Time, m.Name)
	case m.Name == "":
		s.buf = append(s.buf, "-- MARK ends here\n"...)
	default:
		s.buf = fmt.Appendf(s.buf, "-- MARK here: %s\n", export.SafeMark(m.Name))
	}
}

// Flush writes what has gathered, and the header even when nothing has, so
// that a reader of lines sees that tracing has begun.
func (s *Lines) Flush(sum *export.Summary) error {
	if !s.head {
		head := s.Text.AppendHeader
		if s.JSON {
			head = func(dst []byte) []byte { return export.AppendStart(dst, s.Start) }
		}
		s.buf = append(head(nil), s.buf...)
	}
	s.head = true
	s.noteLoss(sum.Losses)
	return s.write()
}

// noteLoss says what was lost since it was said last.
func (s *Lines) noteLoss(now record.Losses) {
	since := now.Since(s.lost)
	switch {
	case !since.Any():
		return
	case s.JSON:
		s.buf = export.AppendLoss(s.buf, s.lost, now)
	default:
		s.buf = fmt.Appendf(s.buf, "-- LOST here: %s\n", since)
	}
	s.lost = now
}

// End writes the last line of JSON: the summary. Text has it elsewhere.
func (s *Lines) End(sum *export.Summary) error {
	if s.JSON {
		s.buf = export.AppendSummary(s.buf, sum)
	}
	return s.write()
}

func (s *Lines) write() error {
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
