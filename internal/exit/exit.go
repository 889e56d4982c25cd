// Package exit holds the statuses with which the program ends, and the errors that stand
// for them. A package that knows what a failure means to the user says it by one of these
// errors; the commands only print it.
package exit

import "fmt"

// Statuses; they are a contract.
const (
	Disagree = 1 // a disagreement, a broken rule or a failed validation
	Usage    = 2 // wrong usage
	Unfit    = 3 // this machine or kernel cannot do it
	Unproven = 4 // nothing wrong was seen, but records were lost or incomplete
)

// Coder is an error that knows its status, and what the user can type next; the hint may
// be empty.
type Coder interface {
	error
	Exit() (code int, hint string)
}

// Error ends the program with a status, and says Msg and nothing of the errors that wrap
// it. Without a message nothing is said, as the output has said it.
type Error struct {
	Code int
	Msg  string // one line, no prefix
	Hint string // what can be typed, may be empty
}

func (e *Error) Error() string { return e.Msg }

// Exit implements Coder.
func (e *Error) Exit() (int, string) { return e.Code, e.Hint }

// Usagef makes an Error for wrong usage.
func Usagef(hint, format string, args ...any) error {
	return &Error{Code: Usage, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// UsageError says that the user asked for something that does not exist or is not allowed.
// What wraps it is said, too.
type UsageError struct {
	Msg  string
	Hint string // what can be typed or done instead, may be empty
}

func (e *UsageError) Error() string { return e.Msg }

// Exit implements Coder.
func (e *UsageError) Exit() (int, string) { return Usage, e.Hint }

// UnfitError says what this machine or kernel lacks: a program, a privilege, a feature.
// What wraps it is said, too.
type UnfitError struct {
	Msg  string
	Hint string // what can be typed next, may be empty
	Err  error  // the cause, may be nil
}

func (e *UnfitError) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnfitError) Unwrap() error { return e.Err }

// Exit implements Coder.
func (e *UnfitError) Exit() (int, string) { return Unfit, e.Hint }
