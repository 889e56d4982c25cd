package kernelvm

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// consoleKeep is how much of a console is kept, in bytes.
const consoleKeep = 256 << 10

// maxLine is how much of a line of the console is shown, in bytes.
const maxLine = 500

// escapes are the terminal sequences that firmware likes to write.
var escapes = regexp.MustCompile(`\x1b(\[[0-9;?]*[A-Za-z]|c)`)

// trouble is what a kernel says first when it goes down.
var trouble = regexp.MustCompile(`(BUG: |kernel BUG at |Oops: |general protection fault|int3: |Kernel panic - not syncing: ).*`)

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

// lines returns what is kept, without control characters.
func (c *console) lines() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	// What is no printable character, C1 controls and bidirectional overrides among it,
	// must not reach a terminal.
	text := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) && r != '\uFFFD' {
			return r
		}
		return -1
	}, escapes.ReplaceAllString(string(c.buf), ""))
	all := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range all {
		if len(line) > maxLine {
			all[i] = strings.ToValidUTF8(line[:maxLine], "") + "…"
		}
	}
	return all
}

// Trouble is the first thing that the kernel said about its end, "" for nothing.
func (c *console) Trouble() string {
	for _, line := range c.lines() {
		if t := trouble.FindString(line); t != "" {
			return strings.TrimPrefix(t, "Kernel panic - not syncing: ")
		}
	}
	return ""
}

// Excerpt returns the last n lines, and when trouble began before them, half of
// them from there.
func (c *console) Excerpt(n int) string {
	all := c.lines()
	if len(all) <= n {
		return strings.Join(all, "\n")
	}
	for at, line := range all[:len(all)-n] {
		if trouble.MatchString(line) {
			first := strings.Join(all[at:at+n/2], "\n")
			return first + "\n[…]\n" + strings.Join(all[len(all)-n/2:], "\n")
		}
	}
	return strings.Join(all[len(all)-n:], "\n")
}
