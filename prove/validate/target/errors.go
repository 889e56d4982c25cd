package target

import "fmt"

// RefusedError says why a disk or file is not written to. Nothing was written.
type RefusedError struct {
	Msg  string
	Hint string // what can be typed or done instead, may be empty
}

func (e *RefusedError) Error() string { return e.Msg }

func refusef(hint, format string, args ...any) error {
	return &RefusedError{Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// UnfitError says what this machine lacks to go on: a program, a privilege.
type UnfitError struct {
	Msg  string
	Hint string
	Err  error // the cause, may be nil
}

func (e *UnfitError) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *UnfitError) Unwrap() error { return e.Err }

// NotPossibleError says why a configuration cannot be made here.
type NotPossibleError struct{ Reason string }

func (e *NotPossibleError) Error() string { return e.Reason }
