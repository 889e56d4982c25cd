package kernelvm

import (
	"bytes"
	"strings"
	"sync"
)

// consoleKeep is how much of a console is kept, in bytes.
const consoleKeep = 64 << 10

// console keeps the end of what is written to it.
type console struct {
	mu  sync.Mutex
	buf []byte
}

// Write never fails.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = append(c.buf, p...)
	if extra := len(c.buf) - consoleKeep; extra > 0 {
		c.buf = append(c.buf[:0], c.buf[extra:]...)
	}
	return len(p), nil
}

// Contains tells whether text was seen.
func (c *console) Contains(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.buf, []byte(text))
}

// Tail returns the last lines, without control characters.
func (c *console) Tail(lines int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && r != '\uFFFD' {
			return r
		}
		return -1
	}, string(c.buf))
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
