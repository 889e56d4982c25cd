package workload

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAgain: a call that a signal ended is made again, and every other answer is the last.
func TestAgain(t *testing.T) {
	wrapped := fmt.Errorf("register: %w", unix.EINTR)
	for _, want := range []error{nil, unix.ENOSPC, errors.New("other")} {
		answers := []error{unix.EINTR, wrapped, want, errors.New("asked once too often")}
		if got := Again(func() (err error) { err, answers = answers[0], answers[1:]; return err }); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
