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
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

const progName = "ext4dio-trace"

// usagef makes an error for wrong usage.
func usagef(hint, format string, args ...any) error {
	return &exit.Error{Code: exit.Usage, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// report says what went wrong and returns the exit status for it.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	e := asExit(err)
	if e.Msg != "" {
		fmt.Fprintf(stderr, "%s: error: %s\n", progName, oneLine(e.Msg))
	}
	if e.Hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", oneLine(e.Hint))
	}
	return e.Code
}

// asExit finds the exit status that an error stands for. What is of no known kind is a
// matter of this machine.
func asExit(err error) *exit.Error {
	var worded *exit.Error
	var usage *hint.UsageError
	var unfit *hint.UnfitError
	switch {
	case errors.As(err, &worded):
		return worded
	case errors.As(err, &usage):
		return &exit.Error{Code: exit.Usage, Msg: err.Error(), Hint: usage.Hint}
	case errors.As(err, &unfit):
		return &exit.Error{Code: cmp.Or(unfit.Status, exit.Unfit), Msg: err.Error(), Hint: unfit.Hint}
	case errors.Is(err, replay.ErrInterrupted):
		return &exit.Error{Code: exit.Unproven, Msg: err.Error()}
	}
	return &exit.Error{Code: exit.Unfit, Msg: err.Error()}
}

// foremost joins errors of which the first decides the exit status, unless another one says
// that something wrong was seen: no failure to go on takes that back. All of them are said.
func foremost(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	at := slices.IndexFunc(errs, func(err error) bool { return asExit(err).Code == exit.Disagree })
	if at < 0 || len(errs) == 1 {
		return errors.Join(errs...)
	}
	wrong := *asExit(errs[at])
	wrong.Msg = cmp.Or(wrong.Msg, "a disagreement was seen")
	for i, err := range errs {
		if msg := oneLine(asExit(err).Msg); i != at && !strings.Contains(wrong.Msg, msg) {
			wrong.Msg += "; " + msg
		}
	}
	return &wrong
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
func isClosedPipe(err error) bool { return session.IsClosedPipe(err) }

// writeJSON writes a report as one line.
func writeJSON(w io.Writer, rep any) error {
	b, err := json.Marshal(rep)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
