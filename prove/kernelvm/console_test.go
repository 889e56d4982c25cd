package kernelvm

import (
	"fmt"
	"testing"
)

func TestConsole(t *testing.T) {
	c := &console{}
	for range 100 {
		_, _ = c.Write([]byte("\x1b[2J[    1.0] some line\r\n"))
	}
	if c.Trouble() != "" {
		t.Errorf("trouble %q", c.Trouble())
	}
	_, _ = c.Write([]byte("[    2.0] Kernel panic - not syncing: sysrq\r\nlast"))
	if got := c.Excerpt(3); got != "[    1.0] some line\n[    2.0] Kernel panic - not syncing: sysrq\nlast" {
		t.Errorf("got %q", got)
	}
	for n := range 50 {
		fmt.Fprintf(c, "\r\n%d", n)
	}
	if got := c.Excerpt(4); got != "[    2.0] Kernel panic - not syncing: sysrq\nlast\n[…]\n48\n49" || c.Trouble() != "sysrq" {
		t.Errorf("got %q, trouble %q", got, c.Trouble())
	}
	for range 100_000 {
		_, _ = c.Write([]byte("a line\n"))
	}
	if len(c.buf) > consoleKeep || c.Excerpt(1) != "a line" {
		t.Errorf("%d bytes are kept", len(c.buf))
	}
}
