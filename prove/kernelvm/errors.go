package kernelvm

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// UsageError says that the caller asked for something that makes no sense, such
// as an unknown suite or a file that is no kernel.
type UsageError struct {
	Msg  string // one line, no prefix
	Hint string // what can be typed, may be empty
	Err  error  // cause, may be nil
}

// Error returns Msg.
func (e *UsageError) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// Exit implements exit.Coder.
func (e *UsageError) Exit() (int, string) { return exit.Usage, e.Hint }

// UnfitError says that this machine, or the kernel in the guest, cannot do what
// was asked: no QEMU, no network, a full disk, a panic, a timeout.
type UnfitError struct {
	Msg     string // one line, no prefix
	Hint    string // what can be typed, may be empty
	Console string // the end of the guest's console, may be empty
	Err     error  // cause, may be nil
}

// Error returns Msg.
func (e *UnfitError) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *UnfitError) Unwrap() error { return e.Err }

// Exit implements exit.Coder.
func (e *UnfitError) Exit() (int, string) { return exit.Unfit, e.Hint }

// usagef makes a UsageError. A last %w keeps the cause.
func usagef(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &UsageError{Msg: err.Error(), Hint: hint, Err: errors.Unwrap(err)}
}

// unfitf makes an UnfitError. A last %w keeps the cause, and a full disk found
// in it replaces the hint, as nothing else helps then.
func unfitf(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if errors.Is(err, syscall.ENOSPC) {
		hint = "free some disk space, or point TMPDIR and XDG_CACHE_HOME to another disk"
	}
	return &UnfitError{Msg: err.Error(), Hint: hint, Err: errors.Unwrap(err)}
}
