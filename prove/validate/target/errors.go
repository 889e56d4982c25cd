package target

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// RefusedError says why a disk or file is not written to. Nothing was written.
type RefusedError = exit.UsageError

func refusef(hint, format string, args ...any) error {
	return &RefusedError{Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// UnfitError says what this machine lacks to go on: a program, a privilege.
type UnfitError = exit.UnfitError

// NotPossibleError says why a configuration cannot be made here.
type NotPossibleError struct{ Reason string }

func (e *NotPossibleError) Error() string { return e.Reason }
