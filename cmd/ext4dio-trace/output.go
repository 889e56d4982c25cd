package main

// Rules for output:
//
//   - stdout carries data and nothing else: lines, JSON, a screen;
//   - stderr carries everything said to the user, each line with the prefix
//     "ext4dio-trace:", no capital, no full stop; and the summary at the end;
//   - colours only on a terminal, never with NO_COLOR, never as the only sign;
//   - a name that comes from the system is escaped before it is shown;
//   - a reader that goes away (a closed pipe) is a clean end.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

const progName = "ext4dio-trace"

// Exit statuses; they are a contract.
const (
	exitDisagree = 1 // a disagreement, a broken rule or a failed validation
	exitUsage    = 2 // wrong usage
	exitUnfit    = 3 // this machine or kernel cannot do it
	exitUnproven = 4 // nothing wrong was seen, but records were lost or incomplete
)

// exitError ends the program with a status. Without a message nothing is said,
// as the output has said it.
type exitError struct {
	code int
	msg  string // one line, no prefix
	hint string // what can be typed, may be empty
}

func (e *exitError) Error() string { return e.msg }

// usagef makes an exitError for wrong usage.
func usagef(hint, format string, args ...any) error {
	return &exitError{code: exitUsage, msg: fmt.Sprintf(format, args...), hint: hint}
}

// report says what went wrong and returns the exit status for it.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	e := asExit(err)
	if e.msg != "" {
		fmt.Fprintf(stderr, "%s: error: %s\n", progName, oneLine(e.msg))
	}
	if e.hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", oneLine(e.hint))
	}
	return e.code
}

// asExit finds the exit status that an error stands for.
func asExit(err error) *exitError {
	var exit *exitError
	var usage *hint.UsageError
	var unfit *hint.UnfitError
	switch {
	case errors.As(err, &exit):
		return exit
	case errors.As(err, &usage):
		return &exitError{code: exitUsage, msg: err.Error(), hint: usage.Hint}
	case errors.As(err, &unfit):
		return &exitError{code: exitUnfit, msg: err.Error(), hint: unfit.Hint}
	}
	return &exitError{code: exitUnfit, msg: err.Error()}
}

// oneLine makes a message fit for one line of a terminal.
func oneLine(s string) string {
	return export.SafeText(strings.Join(strings.Fields(s), " "))
}

// note says something to the user.
func note(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, "%s: %s\n", progName, oneLine(fmt.Sprintf(format, args...)))
}

// isTerminal reports whether f is a terminal.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// wantsColor reports whether text written to f may have colours. Any value of
// NO_COLOR forbids them; colorprofile only knows true ones.
func wantsColor(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && colorprofile.Detect(f, os.Environ()) > colorprofile.ASCII
}

// isClosedPipe reports whether a write failed because the reader went away.
func isClosedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// writeJSON writes a report to stdout as one line.
func writeJSON(rep any) error {
	b, err := json.Marshal(rep)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if _, err := os.Stdout.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
