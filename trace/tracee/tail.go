package tracee

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// maxOutput is how much of a command's output is kept, bytes.
const maxOutput = 16 << 10

// Tail keeps the last part of what is written to it.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write implements io.Writer; it never fails.
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*maxOutput {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-maxOutput:]...)
	}
	return len(b), nil
}

// Last returns the last line that says something, and is no hint on what to do.
func (t *Tail) Last() string {
	lines := strings.Split(string(t.Bytes()), "\n")
	for _, line := range slices.Backward(lines) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "hint:") {
			return line
		}
	}
	return ""
}

// Bytes returns what is kept, in whole lines.
func (t *Tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buf
	if len(b) > maxOutput {
		b = b[len(b)-maxOutput:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		}
	}
	return b
}
