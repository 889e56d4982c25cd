package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
)

// The view of a write has its mark, as --filter takes it, and no line where there is none.
func TestMarkOfOneWrite(t *testing.T) {
	for mark, want := range map[string]string{"": "", "generic/091": "mark       generic/091", `bad\x1b[31m`: `mark       bad\x1b[31m`} {
		d := detail{m: newModel(nil, testOptions), r: &export.Row{Mark: mark}, width: 80}
		d.who()
		got := ""
		for _, line := range d.lines {
			if line = ansi.Strip(line); strings.HasPrefix(strings.TrimSpace(line), "mark") {
				got = strings.TrimSpace(line)
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", mark, got, want)
		}
	}
}
