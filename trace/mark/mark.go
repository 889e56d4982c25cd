// Package mark brings marks into a trace that runs: from the command `mark`, through a socket
// that only root can reach, and from lines of a FIFO, of a file descriptor or of the kernel's log.
package mark

import (
	"strings"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/export/safe"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Take takes a mark of now, and returns its time, ns of CLOCK_MONOTONIC. Several goroutines
// call it.
type Take func(name string) (uint64, error)

// Check refuses what is no name of a mark. The error is one of usage.
func Check(name string) error {
	switch {
	case len(name) > tracefile.MaxMarkName:
		return hint.Usagef("", "the name of a mark has at most %d bytes, and this one has %d", tracefile.MaxMarkName, len(name))
	case !utf8.ValidString(name):
		return hint.Usagef("", "the name of a mark is UTF-8, and %q is not", name)
	case !safe.Printable(name):
		return hint.Usagef("", "the name of a mark has no control characters, nor others that are not seen, and %q has", name)
	}
	return nil
}

// Clean makes a name of any line: what Check refuses is written as \x1b, and what is too long is
// cut, so that no line is left out and its writes counted for the mark before.
func Clean(line string) string {
	var b strings.Builder
	line = strings.TrimRight(line, "\r")
	for n := 0; line != ""; line = line[n:] {
		_, n = utf8.DecodeRuneInString(line)
		text := safe.Mark(line[:n])
		if b.Len()+len(text) > tracefile.MaxMarkName {
			break
		}
		b.WriteString(text)
	}
	return b.String()
}

// fstests takes the test out of a line that fstests' check writes to the kernel's log before
// each test: "run fstests generic/001 at …".
func fstests(line string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(line, "run fstests ")
	if !ok {
		return "", false
	}
	name, _, ok = strings.Cut(rest, " at ")
	return name, ok && name != ""
}

// kmsgText takes the text out of a record of /dev/kmsg: "PRIORITY,NUMBER,TIME,FLAGS;TEXT", with
// lines of KEY=VALUE behind it.
func kmsgText(raw string) string {
	_, text, _ := strings.Cut(raw, ";")
	text, _, _ = strings.Cut(text, "\n")
	return text
}
