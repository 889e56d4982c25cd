package tracefile

import (
	"fmt"
	"strings"
)

// Missing is what could not be read of a trace. It wraps ErrFormat.
type Missing struct {
	// Chunks that are damaged or not there, and the records and writes that they are
	// known to have held.
	Chunks          uint64
	Records, Writes uint64
	// Closed says that the trace ends with its end mark: nothing is missing there.
	// Otherwise whatever came behind Offset is, of which nothing is known.
	Closed bool
	// Offset is where reading ended, and Left what is left behind it, bytes; Left is
	// -1 where it cannot be known, as on a pipe.
	Offset, Left int64
	// Cause is the first thing that was wrong.
	Cause error
}

// Unwrap gives the cause, which wraps ErrFormat.
func (m *Missing) Unwrap() error { return m.Cause }

func (m *Missing) Error() string {
	var parts []string
	if m.Chunks > 0 {
		parts = append(parts, fmt.Sprintf("%s with %s could not be read", plural(m.Chunks, "chunk"), plural(m.Records, "record")))
	}
	if !m.Closed {
		text := "the recording was not closed: what came after byte " + fmt.Sprint(m.Offset) + " is missing"
		if m.Left > 0 {
			text += fmt.Sprintf(" (%s there are no whole chunk)", plural(uint64(m.Left), "byte"))
		}
		parts = append(parts, text)
	}
	if m.Cause != nil {
		parts = append(parts, strings.TrimPrefix(m.Cause.Error(), ErrFormat.Error()+": "))
	}
	return strings.Join(parts, "; ")
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
