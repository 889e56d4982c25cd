package kernelvm

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// usagef makes a *hint.UsageError. A last %w keeps the cause.
func usagef(what, format string, args ...any) error { return hint.Usagef(what, format, args...) }

// worded tells whether an error says already what the user can do.
func worded(err error) bool {
	var usage *hint.UsageError
	var unfit *hint.UnfitError
	return errors.As(err, &usage) || errors.As(err, &unfit)
}

// unfitf makes a *hint.UnfitError. A last %w keeps the cause, and a full disk found
// in it replaces the hint, as nothing else helps then.
func unfitf(what, format string, args ...any) error {
	if err := fmt.Errorf(format, args...); errors.Is(err, syscall.ENOSPC) {
		what = "free some disk space, or point TMPDIR and XDG_CACHE_HOME to another disk"
	}
	return hint.Unfitf(what, format, args...)
}

// noKernelf makes an *hint.UnfitError that says that there is no kernel to boot.
func noKernelf(what, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &hint.UnfitError{Msg: err.Error(), Hint: what, Err: errors.Unwrap(err), Status: exit.NoKernel}
}
