// Package hint holds the two errors that tell a user what to do instead. Whoever finds
// out why something cannot be says what can be typed; cmd turns the errors into exit
// statuses.
package hint

import (
	"errors"
	"fmt"
)

// UsageError says that the user asked for what does not exist or makes no sense.
type UsageError struct {
	Msg  string // one line, no prefix
	Hint string // what can be typed, may be empty
	Err  error  // cause, may be nil
}

// Error returns Msg.
func (e *UsageError) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// UnfitError says that this machine, its kernel or that of a guest cannot do what was
// asked: what is missing.
type UnfitError struct {
	Msg     string // one line, no prefix
	Hint    string // what can be typed, may be empty
	Console string // the end of a guest's console, may be empty
	Status  int    // of package exit, when it is a particular one; else 0
	Err     error  // cause, may be nil
}

// Error returns Msg.
func (e *UnfitError) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *UnfitError) Unwrap() error { return e.Err }

// Usagef makes a *UsageError. A last %w keeps the cause.
func Usagef(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &UsageError{Msg: err.Error(), Hint: hint, Err: errors.Unwrap(err)}
}

// Unfitf makes an *UnfitError. A last %w keeps the cause.
func Unfitf(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &UnfitError{Msg: err.Error(), Hint: hint, Err: errors.Unwrap(err)}
}
