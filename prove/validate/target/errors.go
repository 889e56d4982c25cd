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

// NotPossibleError says why a configuration cannot be made here.
type NotPossibleError struct{ Reason string }

func (e *NotPossibleError) Error() string { return e.Reason }
